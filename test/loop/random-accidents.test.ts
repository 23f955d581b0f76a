import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { inject, scheduleOf } from '../support/fault-schedules';
import { LoopFixture } from '../support/loop-fixture';

/**
 * A well-meaning agent that leaves all kinds of files; in half of the runs, faults strike. Whatever a run commits, a fresh clone of it
 * passes the same gate.
 *
 * WORKBENCH_ACCIDENTS sets the number of runs, WORKBENCH_FAULT_SEED the first seed. `.ci/nightly` runs a thousand.
 */
const RUNS = Number(process.env.WORKBENCH_ACCIDENTS ?? (process.env.CI ? 16 : 8));

/** Each script leaves something at its own path, $P; the gate needs the files that `needs.txt` lists. */
const ACCIDENTS = {
  ignored: 'mkdir -p lib; echo x > "lib/$P.js"; need "lib/$P.js"',
  ignoredAtOnce: 'echo x > "$P.secret"; need "$P.secret"',
  forced: 'mkdir -p lib; echo x > "lib/$P.js"; git add -f "lib/$P.js"; need "lib/$P.js"',
  empty: 'mkdir -p "$P/a b"; need "$P/a b"',
  linkToTemporary: 'echo x > "/tmp/$P"; ln -sfn "/tmp/$P" "$P"; need "$P"',
  linkUpwards: 'echo x > "../$P"; ln -sfn "../$P" "$P"; need "$P"',
  linkWithin: 'mkdir -p d; echo x > d/x; ln -sfn "d/x" "$P"; need "$P"',
  worktree: 'git worktree add -q -f "trees/$P" -b "$P" && need "trees/$P/test.sh"',
  repository: 'mkdir -p "$P/n"; git init -q "$P"; echo x > "$P/n/x"; need "$P/n/x"',
  excluded: 'echo "$P" >> .git/info/exclude; echo x > "$P"; need "$P"',
  tool: 'echo x > .aider.chat.history.md; need .aider.chat.history.md',
  oddName: 'mkdir -p "$(printf "%s\\ntree x" "$P")"; echo x > "$(printf "%s\\ntree x/y" "$P")"',
  lineEnds: 'printf "a\\r\\n" > "$P.txt"; printf "* text\\n" >> .gitattributes; need "$P.txt"',
  sparse: 'git sparse-checkout set --no-cone /value.txt; need keep/me',
  commits: 'git add -A; git commit -qm mine',
  late: '(until [ -e "/tmp/gate-$P" ]; do sleep 0.02; done; echo x > "$P"; touch "/tmp/done-$P") >/dev/null 2>&1 </dev/null & touch "/tmp/wait-$P"; need "$P"',
  pushes: 'echo wrong > value.txt; git commit -qam red; git push -qf "$(git config remote.origin.url)" "HEAD:refs/heads/workbench/$TASK"; echo right > value.txt',
  submodule: 'git -c protocol.file.allow=always submodule --quiet add "$(git config remote.origin.url)" "sub-$P"; need .gitmodules',
  inSubmodule: 'git -c protocol.file.allow=always submodule --quiet add "$(git config remote.origin.url)" "in-$P"; echo x > "in-$P/new"; need "in-$P/new"',
  refusedName: 'mkdir -p .GIT; echo x > ".GIT/$P"; need ".GIT/$P"',
  built: 'mkdir -p dist node_modules; touch dist/x.js node_modules/x debug.log',
  repairs: 'true',
} as const;

const GATE = [
  '#!/bin/bash',
  'for file in /tmp/wait-*; do [ -e "$file" ] || continue; name=${file#/tmp/wait-}; touch "/tmp/gate-$name"; for i in {1..200}; do [ -e "/tmp/done-$name" ] && break; sleep 0.02; done; done',
  '[ "$(cat value.txt)" = right ] || exit 1',
  'while read -r path; do [ -e "$path" ] || { echo "missing: $path"; exit 1; }; done < needs.txt',
  'touch report.xml',
  '',
].join('\n');

const OPERATIONS = ['InvokeAgentRuntime', 'InvokeAgentRuntimeCommand', 'StopRuntimeSession'] as const;

/** Determines whether the task's branch ends in a commit that a run created. */
function isOfTheRun(task: string): boolean {
  return loop.branches().includes(`workbench/${task}`) && loop.git('log', '-1', '--format=%B', `workbench/${task}`).includes('\nWorkbench-Run: ');
}

let loop: LoopFixture;
let script = '';

beforeAll(async () => {
  loop = await LoopFixture.start({
    files: { 'test.sh': GATE, 'needs.txt': 'value.txt\n', '.gitignore': 'lib/\n*.secret\ndist/\nnode_modules/\n*.log\n', 'keep/me': 'x\n' },
    agent: (_, { round, taskId }) => `TASK=${taskId}; need() { grep -qxF "$1" needs.txt || echo "$1" >> needs.txt; }\necho right > value.txt\n${round === 0 || !script.includes('repairs') ? script : ': > needs.txt'}\ntrue`,
    loop: { maxRepairs: 2 },
  });
}, 60_000);
afterAll(() => loop.close(), 60_000);

test(`whatever an agent leaves, a fresh clone of what was pushed passes the gate, in ${RUNS} runs`, async () => {
  let number = 0;
  const outcomes: { [outcome: string]: number } = {};
  const some = fc.uniqueArray(fc.constantFrom(...(Object.keys(ACCIDENTS) as (keyof typeof ACCIDENTS)[])), { minLength: 1, maxLength: 4 });
  const faults = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined });
  await fc.assert(fc.asyncProperty(some, faults, async (accidents, faultSeed) => {
    const task = `task-${number++}`;
    script = accidents.map((name, index) => `# ${name}\nP=p${index}; ${ACCIDENTS[name]}`).join('\n');
    loop.server.faults.clear();
    const strikes = faultSeed === undefined ? undefined : inject(loop, loop.sessionOf(task).id, scheduleOf(faultSeed, OPERATIONS));
    const { record, error, cause } = await loop.run({ taskId: task }, { name: task, onEvent: strikes?.onEvent as never });
    const outcome = record?.outcome ?? error;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const named = strikes === undefined ? /^(?:COMMITTED|CodingLoop\.(?:Red|Stuck|SnapshotFailed))$/ : /^(?:COMMITTED|(?:CodingLoop|Workbench)\.\w+)$/;
    expect({ accidents, outcome, cause }).toEqual({ accidents, outcome: expect.stringMatching(named), cause: outcome === 'COMMITTED' ? undefined : cause });
    // A commit that the agent pushed by itself is not the run's commit.
    const isCommitted = isOfTheRun(task);
    expect({ accidents, isCommitted: isCommitted || outcome !== 'COMMITTED' }).toEqual({ accidents, isCommitted: true });
    if (!isCommitted) return;
    const clone = mkdtempSync(join(tmpdir(), 'fresh-'));
    try {
      execFileSync('git', ['clone', '--quiet', '--branch', `workbench/${task}`, loop.remote, clone], { stdio: 'pipe' });
      const { status, stdout } = spawnSync('bash', ['./test.sh'], { cwd: clone, encoding: 'utf8' });
      expect({ accidents, status, stdout }).toEqual({ accidents, status: 0, stdout: '' });
    } finally {
      rmSync(clone, { recursive: true });
    }
  }), { numRuns: RUNS, endOnFailure: true, seed: Number(process.env.WORKBENCH_FAULT_SEED ?? 1) });
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
}, 60_000 + RUNS * 60_000);
