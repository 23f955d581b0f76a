/**
 * Measures the overhead of a rehearsal: the time of a run beyond its commands and turns, the time to start, and 50 concurrent runs.
 *
 * Usage: npx projen bundle && npx projen compile && npx projen bundle-rehearsal && \
 *   npx ts-node --transpile-only --project tsconfig.dev.json benchmark/rehearsal.ts
 *
 * A run has two gates and one repair. Fails if the design's limit is exceeded, if a run does not end in a commit, or if processes,
 * mounts or memory do not return to their initial level.
 */
import { execFileSync } from 'child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { setFlagsFromString } from 'v8';
import { runInNewContext } from 'vm';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Rehearsal } from '../rehearsal';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, Verification } from '../src';

const LIMITS = { ownSeconds: 3, memoryMb: 64 };
const RUNS = 7;
const AT_ONCE = 50;
const ROOT = join(__dirname, '..');
/** A known amount of work: one of these in each turn and each gate. */
const WORK = { seconds: 0.5, command: 'sleep 0.5', turns: 2, gates: 4 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const row = (values: number[]) => ({ median: median(values), best: Math.min(...values) });
const secondsSince = (began: number) => (performance.now() - began) / 1e3;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function synth(): string {
  const app = new App({ outdir: join(scratch, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', {
    runtime,
    repository: GitRepository.fromInput(),
    gates: [Gate.command('lint', WORK.command), Gate.command('test', `${WORK.command}; [[ $(cat answer) == 42 ]]`)],
    verification: Verification.none(), // benchmark/verification.ts measures it
  });
  return app.synth().directory;
}

function repository(): string {
  const directory = join(scratch, 'repository');
  mkdirSync(directory);
  writeFileSync(join(directory, 'answer'), '41\n');
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], { cwd: directory, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'the beginning');
  return directory;
}

async function start(assembly: string, source: string): Promise<Rehearsal> {
  return Rehearsal.start({
    assembly,
    repository: source,
    stateDirectory: mkdtempSync(join(scratch, 'state-')),
    agent: {
      handler: async (request, session) => {
        const { workspace, round } = request.json() as { workspace: string; round: number };
        await session.exec(`${WORK.command}; echo ${42 + (1 - round) % 2} > answer`, { workingDirectory: workspace });
        return { done: true };
      },
    },
  });
}

async function run(rehearsal: Rehearsal, taskId: string): Promise<number> {
  const began = performance.now();
  const { outcome, error, output } = await rehearsal.run({ prompt: 'What is the answer?', taskId });
  if (outcome !== 'COMMITTED' || output?.rounds !== WORK.turns) throw new Error(`${taskId}: ${outcome} after ${output?.rounds} turns, ${JSON.stringify(error)}`);
  return secondsSince(began) - (WORK.turns + WORK.gates) * WORK.seconds;
}

/** Counts the processes of this benchmark: its descendants, and all processes that name its directory. */
function processes(): number {
  const parents = new Map<number, number>();
  const named = new Set<number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
    try {
      parents.set(pid, Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]));
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(scratch)) named.add(pid);
    } catch {
      // The process has ended meanwhile.
    }
  }
  const ours = (pid: number): boolean => pid === process.pid || (parents.has(pid) && ours(parents.get(pid)!));
  return [...parents.keys()].filter((pid) => pid !== process.pid && (named.has(pid) || ours(pid))).length;
}

const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(scratch)).length;

/** Returns the memory in use after garbage collection, in MB. */
async function memory(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await pause(100);
  }
  return process.memoryUsage().rss / 1e6;
}

async function state(): Promise<{ memoryMb: number; processes: number; mounts: number }> {
  return { memoryMb: await memory(), processes: processes(), mounts: mounts() };
}

async function atOnce(assembly: string, source: string): Promise<{ seconds: number; peakProcesses: number }> {
  const rehearsal = await start(assembly, source);
  let peakProcesses = 0;
  const timer = setInterval(() => { peakProcesses = Math.max(peakProcesses, processes()); }, 500);
  try {
    const began = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => run(rehearsal, `task-${index}`)));
    return { seconds: secondsSince(began), peakProcesses };
  } finally {
    clearInterval(timer);
    await rehearsal.close();
  }
}

/** Returns the time of the command line in a new process, beyond the time of its run. */
function commandLine(source: string): number {
  const began = performance.now();
  const record = JSON.parse(execFileSync(process.execPath, [
    join(ROOT, 'rehearsal-dist/cli.js'), 'rehearse', '--repository', source, '--agent', 'echo 42 > answer', '--gate', 'test=true', '--prompt', 'x',
    '--state', join(scratch, 'command-line'), '--json',
  ], { encoding: 'utf8' })) as { seconds: number };
  return secondsSince(began) - record.seconds;
}

async function main(): Promise<void> {
  try {
    const assembly = synth();
    const source = repository();
    const starts: number[] = [];
    const own: { cold: number[]; warm: number[] } = { cold: [], warm: [] };
    for (let i = 0; i < RUNS; i++) {
      const began = performance.now();
      const rehearsal = await start(assembly, source);
      starts.push(secondsSince(began));
      own.cold.push(await run(rehearsal, `cold-${i}`));
      own.warm.push(await run(rehearsal, `warm-${i}`));
      await rehearsal.close();
    }
    // The first batch loads code and fills pools; the second must not need more.
    await atOnce(assembly, source);
    const before = await state();
    const crowd = await atOnce(assembly, source);
    const after = await state();
    console.table({
      'start of Rehearsal, s': row(starts),
      'start and end of the command line, s': row(Array.from({ length: 5 }, () => commandLine(source))),
      'own time of the first run, s': row(own.cold),
      'own time of a later run, s': row(own.warm),
      [`${AT_ONCE} runs at once, s`]: row([crowd.seconds]),
      [`${AT_ONCE} runs at once, most processes`]: row([crowd.peakProcesses]),
    });
    console.table({ before, after });
    const exceeded = [
      median(own.cold) > LIMITS.ownSeconds && 'own time', after.processes > before.processes && 'processes', after.mounts > before.mounts && 'mounts',
      after.memoryMb - before.memoryMb > LIMITS.memoryMb && 'memory',
    ].filter(Boolean);
    if (exceeded.length > 0) throw new Error(`over the limit: ${exceeded.join(', ')}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

void main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
