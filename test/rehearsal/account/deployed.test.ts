import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentHandler } from '../../../rehearsal/agentcore';
import { AccountFixture } from '../../support/account';
import { CommandLine, commandLine, ending } from '../../support/command-line';
import { json } from '../../support/moto-loops';
import { deviationsFromSchema } from '../../support/record-schema';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];

let account: AccountFixture;
/** Lets an agent go on that waits. */
let release: () => void;
let waits: Promise<void>;

/** Writes a wrong answer and then a right one, or what its prompt says. */
const agent: AgentHandler = async (request, session) => {
  const { workspace, round, prompt } = request.json() as { readonly workspace: string; readonly round: number; readonly prompt: string };
  if (prompt.startsWith('wait')) await waits;
  await session.exec(`echo ${prompt.startsWith('fail') ? 40 + round * 3 : 41 + round} > answer`, { workingDirectory: workspace });
  return { done: true };
};

beforeAll(async () => {
  account = await AccountFixture.start(agent, { maxRepairs: 1 });
});
beforeEach(() => {
  waits = new Promise((done) => { release = done; });
});
afterEach(() => release());
afterAll(async () => account?.close());

/** The story of a run, without its times, and without the lines that introduce it. */
function storyOf(stdout: string): string[] {
  const lines = stdout.replace(/\d+\.\d+ s/g, '… s').split('\n').map((line) => line.replace(/ +/g, ' ').trimEnd());
  return lines.slice(lines.findIndex((line) => line.includes('Prepare the run')));
}

describe('a run that is started from the command line', () => {
  test('is followed to its end, and told once more with the same words', async () => {
    const { stdout } = await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--task', 'T-1', '--name', 'green'));
    const again = await ending(0, commandLine('runs', 'show', 'green', ...STACK));

    expect(stdout).toMatch(/^running Stack\/Loop on https:\/\/example\.com\/app\.git\ngates: test \(\.\/test\.sh\); at most 1 repair\nprompt: mend it\ncost: at most \$\d+\.\d\d for AWS, computed from the timeouts/);
    expect(storyOf(stdout)).toEqual(expect.arrayContaining([
      ' … s Prepare the run … s', ' … s Ask the agent (turn 1) … s', ' … s Run gate: test … s FAILED, exit code 1', ' │ the answer is 41',
      ' → repair 1 of 1: the agent gets this output with its prompt', ' … s Run gate: test … s PASSED', 'COMMITTED after 2 turns in … s',
    ]));
    expect(storyOf(again.stdout)).toEqual(storyOf(stdout));
  });

  test('has any name that Step Functions takes', async () => {
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'fix+1@(é)'));
    const { stdout } = await ending(0, commandLine('runs', 'show', 'x+1@', ...STACK, '--json'));

    expect(JSON.parse(stdout)).toMatchObject({ id: 'fix+1@(é)', outcome: 'COMMITTED', input: { taskId: 'fix-1----' } });
  });

  test('ends with the exit code of a red run, and its record has what the gate printed', async () => {
    const { stdout } = await ending(1, commandLine('run', ...STACK, '--prompt', 'fail', '--name', 'red', '--json'));
    const record = JSON.parse(stdout) as { outcome: string; steps: { kind: string; output?: string }[] };

    expect(record.outcome).toBe('CodingLoop.Red');
    expect(deviationsFromSchema('run-description', record, false)).toEqual([]);
    expect(record.steps.filter(({ kind }) => kind === 'gate').map(({ output }) => output)).toEqual(['the answer is 40\n', 'the answer is 43\n']);
    expect((await ending(1, commandLine('runs', 'watch', 'red', ...STACK))).stdout).toContain('CodingLoop.Red after 2 turns');
  });

  test('leaves the ends of gates that failed in the history, and a report is made of it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'report-'));
    await ending(1, commandLine('run', ...STACK, '--prompt', 'fail', '--name', 'told'));
    const { stdout } = await ending(0, commandLine('runs', 'logs', 'told', '--gate', 'test', ...STACK));
    await ending(0, commandLine('runs', 'report', 'told', '--output', join(directory, 'report.html'), ...STACK));
    const report = readFileSync(join(directory, 'report.html'), 'utf8');
    rmSync(directory, { recursive: true });

    expect(stdout).toMatch(/^== Run gate: test \(turn 1\)\nthe answer is 40\n\n== Run gate: test \(turn 2\)\nthe answer is 43\n\nthis is the end of the output of failed steps, .* log group \/aws\/bedrock-agentcore\/runtimes\/\S+-DEFAULT/);
    expect(report).toContain('the answer is 43');
  });

  test('is followed although AWS throttles', async () => {
    const { server } = account.rehearsal;
    const operations = ['DescribeStateMachine', 'StartExecution', 'DescribeExecution', 'GetExecutionHistory', 'DescribeStateMachineForExecution'] as const;
    const faults = operations.map((operation) => server.faults.add({ operation, at: 'beforeStart', kind: 'throttle', times: 2 }));
    const { stdout } = await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'throttled'));

    expect(stdout).toContain('COMMITTED after 2 turns');
    expect(faults.map(({ fired }) => fired)).toEqual(operations.map(() => 2));
  });

  test('is listed while it runs, with its step, and stays when the one who follows it leaves', async () => {
    const following = new CommandLine(['run', ...STACK, '--prompt', 'wait', '--name', 'long'], { env: process.env });
    await following.prints(/Prepare the run .*\d s\n/);
    following.kill('SIGINT');
    const { exitCode, stdout } = await following.ended;
    const running = await json<object[]>('runs', ...STACK, '--state', 'running');
    const shown = await ending(0, commandLine('runs', 'show', 'long', ...STACK));
    release();
    const watched = await ending(0, commandLine('runs', 'watch', 'long', ...STACK));

    expect(exitCode).toBe(130);
    expect(stdout).toContain('the run continues: "runs watch long --stack Stack" follows it again, and "runs stop long --stack Stack" stops it');
    expect(running).toEqual([expect.objectContaining({ run: 'long', state: 'RUNNING', step: 'Ask the agent', rounds: 0 })]);
    expect(shown.stdout).toMatch(/in progress for 0\.\d min, in "Ask the agent"; "runs watch long --stack Stack" follows it/);
    expect(watched.stdout).toContain('COMMITTED after 2 turns');
  });

  test('continues in the workspace of an earlier run', async () => {
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--task', 'T-9', '--name', 'first-of-two'));
    const { stdout } = await ending(0, commandLine('run', ...STACK, '--prompt', 'once more', '--session', 'first-of', '--json'));

    expect(JSON.parse(stdout)).toMatchObject({ input: { taskId: 'T-9' }, output: { session: { workspace: 'RESUMED', id: expect.stringMatching(/^first-of-two-/) } } });
  });
});

test('a run of yesterday is told, though the process that ran it is gone', async () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'yesterday-'));
  const yesterday = await AccountFixture.start(agent, {}, { stateDirectory });
  const { stdout } = await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'old')).finally(() => yesterday.close());
  const today = await AccountFixture.start(agent, {}, { stateDirectory });
  const shown = await ending(0, commandLine('runs', 'show', 'old', ...STACK)).finally(async () => {
    await today.close();
    rmSync(stateDirectory, { recursive: true });
  });

  expect(storyOf(shown.stdout)).toEqual(storyOf(stdout));
});
