/**
 * Measures the cost of a rehearsed run over a script that clones, edits, tests and commits, for repositories of 10, 1,000 and 57,000 files.
 *
 * Usage: npx projen bundle && npx projen compile && npx projen bundle-rehearsal && \
 *   npx ts-node --transpile-only --project tsconfig.dev.json benchmark/large.ts [files …]
 *
 * The two take turns on the same repository. Fails if a run does not end in a commit; prints whether the targets are met: at most 2 s over
 * the script for 10 files, and at most 1.3 times the script for 57,000.
 */
import { execFileSync } from 'child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Rehearsal } from '../rehearsal';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, Verification } from '../src';
import type { Step } from '../src/journal/step';

const SIZES = process.argv.slice(2).map(Number);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const EDIT = 'echo right > directory-0/file-0.txt';
const TEST = '[[ $(cat directory-0/file-0.txt) == right ]]';
const IDENTITY = 'git -c user.name=x -c user.email=x@localhost';

const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));
const bash = (lines: string, cwd: string) => execFileSync('bash', ['-euc', lines], { cwd, stdio: 'pipe' });
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const secondsSince = (began: number) => (performance.now() - began) / 1e3;

/** Returns unique content of 0.3 to 10 kB, 4 kB on average, like source files. */
function contentOf(file: number): string {
  return Array.from({ length: 8 + (file * 7_919) % 265 }, (_, line) => `line ${line} of file ${file}, ${(file * 31 + line * 17) % 9_973}\n`).join('');
}

function repository(files: number): string {
  const directory = join(scratch, `repository-${files}`);
  for (let file = 0; file < files; file++) {
    const parent = join(directory, `directory-${Math.floor(file / 100)}`);
    if (file % 100 === 0) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file-${file % 100}.txt`), contentOf(file));
  }
  bash(`git init --quiet --initial-branch main; git config gc.autoDetach false; git add --all; ${IDENTITY} commit --quiet --message first; git gc --quiet`, directory);
  return directory;
}

/** Keeps its clone: a file system may be busy for half a minute after the files are removed. */
function script(source: string, name: string): number {
  const began = performance.now();
  bash(`git clone --quiet "file://${source}" ${name}; cd ${name}; ${EDIT}; ${TEST}; ${IDENTITY} commit --quiet --all --message right`, scratch);
  return secondsSince(began);
}

async function compared(files: number): Promise<void> {
  const source = repository(files);
  const app = new App({ outdir: join(scratch, `cdk-${files}.out`), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', TEST)], verification: Verification.none() });
  const rehearsal = await Rehearsal.start({
    assembly: app.synth().directory,
    repository: source,
    stateDirectory: join(scratch, `state-${files}`),
    agent: {
      handler: async (request, session) => {
        const { workspace } = request.json() as { workspace: string };
        await session.exec(EDIT, { workingDirectory: workspace });
        return { done: true };
      },
    },
  });
  const scripts: number[] = [];
  const runs: number[] = [];
  const steps = new Map<string, number[]>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      scripts.push(script(source, `clone-${files}-${round}`));
      const began = performance.now();
      const record = await rehearsal.run({ prompt: 'Put it right', taskId: `task-${round}` });
      runs.push(secondsSince(began));
      if (record.outcome !== 'COMMITTED') throw new Error(`${files} files: ${record.outcome}, ${JSON.stringify(record.error)}`);
      record.steps.forEach(({ state, duration }: Step) => steps.set(state, [...steps.get(state) ?? [], duration / 1e3]));
    }
  } finally {
    await rehearsal.close();
  }
  const [ours, theirs] = [median(runs), median(scripts)];
  console.log(`${files} files: a run ${ours.toFixed(1)} s, the script ${theirs.toFixed(1)} s; ${(ours - theirs).toFixed(1)} s over it, ${(ours / theirs).toFixed(2)} times`);
  steps.forEach((values, state) => console.log(`  ${state.padEnd(28)} ${median(values).toFixed(2)} s`));
  if (files <= 10) console.log(`  target, 2 s over the script: ${ours - theirs <= 2 ? 'met' : 'not met'}`);
  if (files >= 57_000) console.log(`  target, 1.3 times the script: ${ours / theirs <= 1.3 ? 'met' : 'not met'}`);
}

(async () => {
  try {
    for (const files of SIZES.length > 0 ? SIZES : [10, 1_000, 57_000]) await compared(files);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
