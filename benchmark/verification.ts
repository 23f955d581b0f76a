/**
 * Measures a verification: its time beyond the bootstrap and the gates, the transitions of a verified run, and changes of several sizes.
 *
 * Usage: npx projen bundle && npx ts-node --transpile-only --project tsconfig.dev.json benchmark/verification.ts
 *
 * Each run has one bootstrap command and one gate, of half a second each. A change is random bytes, so that its pack is as large as the change. Fails
 * if the design's limits are exceeded, or if a run does not end in a verified commit.
 */
import { execFileSync } from 'child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Rehearsal } from '../rehearsal';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../src';

const LIMITS = { ownSeconds: 2, transitions: 13 };
const WORK = { seconds: 1, command: 'sleep 0.5' };
const SIZES = [['1 kB', 1_000, 7], ['1 MB', 1_000_000, 3], ['16 MB', 16_000_000, 1]] as const;

const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function synth(): string {
  const app = new App({ outdir: join(scratch, 'cdk.out'), analyticsReporting: false });
  const stack = new Stack(app, 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), bootstrap: [WORK.command], gates: [Gate.command('test', WORK.command)] });
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

async function main(): Promise<void> {
  let bytes = 0;
  const rehearsal = await Rehearsal.start({
    assembly: synth(),
    repository: repository(),
    stateDirectory: join(scratch, 'state'),
    agent: {
      handler: async (request, session) => {
        const { workspace } = request.json() as { workspace: string };
        await session.exec(`head -c ${bytes} /dev/urandom > change`, { workingDirectory: workspace });
        return { done: true };
      },
    },
  });
  const failures: string[] = [];
  for (const [name, size, runs] of SIZES) {
    bytes = size;
    const own: number[] = [];
    let transitions = 0;
    for (let run = 0; run < runs; run++) {
      const record = await rehearsal.run({ prompt: 'Change it', taskId: `size-${size}-${run}` });
      if (record.outcome !== 'COMMITTED' || record.output?.verified !== true) throw new Error(`${name}: ${record.outcome}, ${JSON.stringify(record.error)}`);
      own.push(record.steps.find(({ kind }) => kind === 'verify')!.duration / 1_000 - WORK.seconds);
      transitions = record.transitions;
    }
    console.log(`a change of ${name}: ${median(own).toFixed(2)} s beyond the bootstrap and the gate, ${transitions} transitions`);
    if (size === 1_000 && median(own) > LIMITS.ownSeconds) failures.push(`a verification takes ${median(own).toFixed(2)} s of its own, over ${LIMITS.ownSeconds}`);
    if (transitions > LIMITS.transitions) failures.push(`a verified run with a bootstrap and a gate has ${transitions} transitions, over ${LIMITS.transitions}`);
  }
  await rehearsal.close();
  rmSync(scratch, { recursive: true, force: true });
  failures.forEach((failure) => console.error(failure));
  process.exitCode = failures.length === 0 ? 0 : 1;
}

void main();
