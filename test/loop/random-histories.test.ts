import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { useWorkspaces, WorkspaceOutcome, Workspaces } from '../support/workspace-runs';

/**
 * Small random histories: what others do on the main branch and on the run's branch, with runs in between, in new and resumed sessions, of loops
 * that verify changes and of loops that do not.
 *
 * WORKBENCH_HISTORIES sets the number of histories, WORKBENCH_HISTORY_SEED the first seed. One takes 5 to 10 seconds of one core.
 */
const HISTORIES = Number(process.env.WORKBENCH_HISTORIES ?? 6);
const SEED = Number(process.env.WORKBENCH_HISTORY_SEED ?? 1);

const start = useWorkspaces();
const BRANCH = 'workbench/task-1';
const FILES = ['a', 'b', 'dir/c'] as const;

/** A change to files; its content is unique, so that a commit's content can be identified. */
const CHANGE = fc.oneof(
  fc.record({ kind: fc.constant('edit' as const), file: fc.constantFrom(...FILES), line: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const, 'move' as const), file: fc.constantFrom(...FILES), line: fc.constant(1) }),
);
type Change = typeof CHANGE extends fc.Arbitrary<infer T> ? T : never;

const OTHERS = fc.oneof(
  { weight: 3, arbitrary: fc.record({ where: fc.constant('main' as const), how: fc.constant('push' as const), change: CHANGE }) },
  { weight: 3, arbitrary: fc.record({ where: fc.constant(BRANCH), how: fc.constant('push' as const), change: CHANGE }) },
  { weight: 2, arbitrary: fc.record({ where: fc.constant(BRANCH), how: fc.constantFrom('rewrite' as const, 'set back' as const, 'delete' as const), change: CHANGE }) },
);
type Others = typeof OTHERS extends fc.Arbitrary<infer T> ? T : never;

const RUN = fc.record({
  session: fc.constantFrom('first', 'first', 'second'),
  changes: fc.array(CHANGE, { minLength: 1, maxLength: 2 }),
  style: fc.constantFrom('leaves', 'leaves', 'commits', 'merges', 'rebases', 'pushes'),
  before: fc.array(OTHERS, { maxLength: 2 }),
  meanwhile: fc.option(OTHERS, { nil: undefined }),
  beforeCommit: fc.option(OTHERS, { nil: undefined, freq: 1 }),
});
type Run = typeof RUN extends fc.Arbitrary<infer T> ? T : never;

const HISTORY = fc.record({
  depth: fc.constantFrom(0, 1),
  verification: fc.constantFrom(true, true, false),
  runs: fc.array(RUN, { minLength: 1, maxLength: 3 }),
});

/** Skips changes that are no longer possible. */
function script({ kind, file, line }: Change, word: string): string {
  switch (kind) {
    case 'edit': return `[ ! -e ${file} ] || sed -i "${line}s/\\$/ ${word}/" ${file}`;
    case 'add': return `echo "new ${word}" > "new ${word}"`;
    case 'remove': return `rm -f ${file}`;
    case 'move': return `[ ! -e ${file} ] || git mv ${file} "moved ${word}" 2>/dev/null || mv ${file} "moved ${word}"`;
  }
}

/** Returns the added and removed lines in a fixed order. */
function linesOf(repository: string, from: string, to: string): string[] {
  const diff = execFileSync('git', ['-C', repository, 'diff', '-U0', '--find-renames', from, to], { encoding: 'utf8' });
  return diff.split('\n').filter((line) => /^[+-](?!--|\+\+)/.test(line)).sort();
}

class History {
  /** Commits that others have removed from the branch. */
  private readonly dropped = new Set<string>();
  private words = 0;

  constructor(private readonly remote: Workspaces, private readonly verification: boolean) {
    remote.others('mkdir dir; for file in a b dir/c; do seq 20 | sed "s/^/$(basename $file) /" > $file; done; git add --all; git commit -qm files; git push -q origin HEAD:main');
  }

  async run({ session, changes, style, before, meanwhile, beforeCommit }: Run): Promise<string> {
    for (const others of before) this.others(others);
    const word = this.word('agent');
    const commit = 'git add --all; git -c user.name=agent -c user.email=agent@localhost commit -qm "by the agent" || true';
    const identity = 'export GIT_COMMITTER_NAME=agent GIT_COMMITTER_EMAIL=agent@localhost GIT_AUTHOR_NAME=agent GIT_AUTHOR_EMAIL=agent@localhost';
    const styles: { readonly [name: string]: string } = {
      leaves: '',
      commits: commit,
      merges: `${commit}; git fetch -q origin main && { git merge -q --no-edit FETCH_HEAD >/dev/null 2>&1 || [ ! -e .git/MERGE_HEAD ] || git merge --abort; }`,
      rebases: `${commit}; git fetch -q origin main && { git rebase -q FETCH_HEAD >/dev/null 2>&1 || git rebase --abort; }`,
      pushes: `${commit}; git push -q "$(git config remote.origin.url)" HEAD:refs/heads/${BRANCH} 2>/dev/null || true`,
    };
    const known = this.remote.git('rev-list', '--all').split('\n');
    let there: string | undefined;
    const result = await this.remote.run({
      session,
      agent: [identity, ...changes.map((change, index) => script(change, `${word}-${index}`)), styles[style]].join('\n'),
      meanwhile: (time) => {
        if (time === 0 && meanwhile !== undefined) this.others(meanwhile);
        there = this.tip();
      },
      beforeCommit: (time) => {
        if (time === 0 && beforeCommit !== undefined) this.others(beforeCommit);
      },
      gate: `[[ $PWD != */verification/repo ]] || git rev-parse 'HEAD^{tree}' >>${this.verified}`,
    });
    // A push by this run's agent is the agent's change, even if someone removed it meanwhile: the gates have passed on it.
    for (const id of this.tip() === undefined ? [] : this.remote.git('rev-list', '--author=^agent ', BRANCH).split('\n')) if (!known.includes(id)) this.dropped.delete(id);
    this.check(result, there, known, session);
    return result.outcome;
  }

  /** The invariants: exactly one commit of the run with exactly its change, and all of the others' work; or a refusal with its reason. */
  private check({ outcome, message, loop, recorded }: WorkspaceOutcome, there: string | undefined, before: readonly string[], session: string): void {
    if (outcome !== 'COMMITTED') {
      expect([outcome, message]).toEqual([expect.stringMatching(/^(?:NO_CHANGES|FOUND|CodingLoop\.PushRejected)$/), outcome.startsWith('CodingLoop') ? expect.stringMatching(/conflict|files of the workspace/) : undefined]);
      if (outcome === 'FOUND') expect(this.remote.git('rev-list', BRANCH).split('\n')).toContain(loop.commit);
      return;
    }
    const log = (...args: string[]) => this.remote.git('log', ...args).split('\n').filter((line) => line !== '');
    const clone = `${this.remote.directory}/fresh-${this.words++}`;
    execFileSync('git', ['clone', '--quiet', '--branch', BRANCH, this.remote.remote, clone], { stdio: 'pipe' });
    expect(execFileSync('git', ['rev-parse', 'HEAD'], { cwd: clone, encoding: 'utf8' }).trim()).toBe(loop.commit);
    // One commit of the run, and none of the agent's that it did not push.
    const fresh = log('--format=%H %an', loop.commit!, ...before.filter((id) => id !== '').map((id) => `^${id}`)).map((line) => line.split(' '));
    const ofBot = fresh.filter(([, author]) => author === 'bot').map(([id]) => id);
    expect(ofBot).toEqual([loop.commit]);
    // Nothing was pushed that was not verified.
    if (this.verification) expect(readFileSync(this.verified, 'utf8').split('\n')).toContain(log('-1', '--format=%T', loop.commit!)[0]);
    // All of the others' work, and nothing that they removed.
    if (there !== undefined) expect(log('--format=%H', loop.commit!)).toContain(there);
    expect(log('--format=%H', loop.commit!, '^main').filter((id) => this.dropped.has(id))).toEqual([]);
    // The commit changes what was recorded before others' work was merged: the same lines, even if their files were renamed.
    const parents = log('-1', '--format=%P', loop.commit!)[0].split(' ');
    if (parents.length > 1) return; // a merge that the agent started
    const lines = linesOf(clone, parents[0], loop.commit!);
    const ours = `${this.remote.mount(session)}/.workbench/git`;
    const theirs = linesOf(ours, recorded!.base, parents[0]); // a file that both removed is already gone
    expect(lines).toEqual(linesOf(ours, recorded!.base, recorded!.tree).filter((line) => !theirs.includes(line)));
    expect(lines.filter((line) => line.startsWith('+') && !/agent\d/.test(line))).toEqual([]);
  }

  private others({ where, how, change }: Others): void {
    const word = this.word('other');
    const was = this.tip();
    const commit = `${script(change, word)}; git add --all; git commit -qm ${word} --allow-empty`;
    if (how === 'delete' || how === 'set back') {
      if (was === undefined) return;
      if (how === 'delete') this.remote.git('update-ref', '-d', `refs/heads/${BRANCH}`);
      else this.remote.git('update-ref', `refs/heads/${BRANCH}`, 'main');
    } else if (how === 'rewrite') {
      this.remote.others(`${commit}; git push -q --force origin HEAD:${BRANCH}`);
    } else {
      this.remote.others(`${commit}; git push -q origin HEAD:${where}`, where === 'main' || was === undefined ? 'main' : BRANCH);
    }
    if (was === undefined || where === 'main') return;
    const now = this.tip();
    for (const id of this.remote.git('rev-list', was, '^main', ...now === undefined ? [] : [`^${now}`]).split('\n')) this.dropped.add(id);
  }

  /** The file with the trees that were verified. */
  private get verified(): string {
    return `${this.remote.directory}/verified`;
  }

  private tip(): string | undefined {
    return this.remote.git('for-each-ref', '--format=%(objectname)', `refs/heads/${BRANCH}`).trim() || undefined;
  }

  private word(kind: string): string {
    return `${kind}${++this.words}`;
  }
}

test(`${HISTORIES} histories from seed ${SEED}`, async () => {
  const outcomes: { [outcome: string]: number } = {};
  await fc.assert(fc.asyncProperty(HISTORY, async ({ depth, verification, runs }) => {
    const history = new History(start({ depth, verification }), verification);
    for (const run of runs) {
      const outcome = await history.run(run);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  }), { numRuns: HISTORIES, seed: SEED, endOnFailure: true });
  process.stdout.write(`seed ${SEED}: ${JSON.stringify(outcomes)}\n`);
}, 60_000 + HISTORIES * 120_000);
