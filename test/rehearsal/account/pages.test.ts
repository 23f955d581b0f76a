import { readdirSync, readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CfnWaitConditionHandle } from 'aws-cdk-lib';
import { AccountFixture, HeldAgent } from '../../support/account';
import { AwsBetween, jsonError } from '../../support/aws-between';
import { commandLine, ending } from '../../support/command-line';
import { json } from '../../support/moto-loops';
import { writes } from '../../support/rehearsed-loop';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];

interface Told {
  readonly path: readonly string[];
  readonly outcome: string;
  readonly steps: readonly { readonly state: string; readonly retries: number }[];
}

/** Returns the record of a run, whatever the exit code. */
async function told(run: string): Promise<Told> {
  return JSON.parse((await commandLine('runs', 'show', run, ...STACK, '--json')).stdout) as Told;
}

/** Returns the pages that a client gets if no page has more than that many items. */
const pagesOf = (size: number) => (request: object) => ({ ...request, maxResults: size });

describe('a stack and a history in many pages', () => {
  const agent = new HeldAgent();
  let account: AccountFixture;
  let between: AwsBetween;

  beforeAll(async () => {
    // The resources of a stack come in pages of 100.
    const more = (stack: ConstructorParameters<typeof CfnWaitConditionHandle>[0]) => {
      for (let index = 0; index < 120; index++) new CfnWaitConditionHandle(stack, `Handle${index}`);
      return {};
    };
    account = await AccountFixture.start(agent.handler(), more);
    between = await account.intercept();
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'whole'));
  });
  beforeEach(() => between.reset());
  afterAll(() => account?.close());

  test('the loop is found behind a hundred other resources', async () => {
    await ending(0, commandLine('runs', ...STACK));

    expect(between.count('ListStackResources')).toBe(2);
  });

  test('a history in pages of a few events is told as in one', async () => {
    const whole = await told('whole');
    between.reset();
    between.change('GetExecutionHistory', pagesOf(7));

    expect(await told('whole')).toEqual(whole);
    expect(between.count('GetExecutionHistory')).toBeGreaterThan(5);
  });

  test('a run is followed page by page', async () => {
    between.change('GetExecutionHistory', pagesOf(3));
    const { stdout } = await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'followed', '--json'));
    between.reset();

    expect((JSON.parse(stdout) as Told).path).toEqual((await told('followed')).path);
  });

  test('a history that grows while it is paged has each event once', async () => {
    agent.hold();
    await ending(0, commandLine('run', ...STACK, '--prompt', 'wait', '--name', 'growing', '--detach'));
    while ((await told('growing')).path.at(-1) !== 'Ask the agent') await new Promise((done) => setImmediate(done));
    const sfn = new SFNClient({ endpoint: account.rehearsal.server.endpoint });
    between.change('GetExecutionHistory', pagesOf(4));
    between.afterwards('GetExecutionHistory', async (answer) => {
      agent.release();
      const { arn } = JSON.parse((await ending(0, commandLine('runs', ...STACK, '--json'))).stdout)[0] as { readonly arn: string };
      while ((await sfn.send(new DescribeExecutionCommand({ executionArn: arn }))).status === 'RUNNING') await new Promise((done) => setImmediate(done));
      return answer;
    }, 1);
    const growing = await told('growing');
    between.reset();
    sfn.destroy();
    const whole = await told('growing');

    expect(growing.outcome).toBe('RUNNING');
    expect(growing.path).toEqual(whole.path.slice(0, growing.path.length));
  });

  test('runs are listed and found page by page', async () => {
    between.change('ListExecutions', pagesOf(1));
    for (const name of ['first', 'second', 'third']) await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', name, '--detach'));
    const rows = await json<{ run: string }[]>('runs', ...STACK, '--max', '3');

    expect(rows.map(({ run }) => run)).toEqual(['third', 'second', 'first']);
    expect(between.count('ListExecutions')).toBeGreaterThanOrEqual(3);
    expect((await ending(0, commandLine('runs', 'watch', 'irs', ...STACK))).stdout).toContain('COMMITTED');
  });

  test('a run that Step Functions does not describe yet is followed all the same', async () => {
    const absent = jsonError('ExecutionDoesNotExist', 'Execution Does Not Exist');
    for (const operation of ['GetExecutionHistory', 'DescribeStateMachineForExecution']) between.answer(operation, absent, 1);
    between.answer('DescribeExecution', absent);
    between.afterwards('GetExecutionHistory', (answer) => {
      between.reset();
      return answer;
    });

    expect((await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'early'))).stdout).toContain('COMMITTED after 2 turns');
  });

  test('fails for a run whose history is gone, and says why', async () => {
    between.answer('GetExecutionHistory', jsonError('ExecutionDoesNotExist', 'Execution Does Not Exist'));

    expect((await ending(3, commandLine('runs', 'show', 'whole', ...STACK))).stderr).toBe('Step Functions no longer has the history of the run whole, which it keeps for 90 days after the end of the run\n');
  });
});

interface ServiceEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  readonly timestamp: number;
}

/** Runs once, changes what Step Functions has of the run, and tells it the next day. */
async function retold(change: (events: readonly ServiceEvent[]) => readonly Omit<ServiceEvent, 'id' | 'previousEventId'>[], tell: () => Promise<void>): Promise<void> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'long-'));
  try {
    const yesterday = await AccountFixture.start(writes('41', '42'), {}, { stateDirectory });
    await ending(0, commandLine('run', ...STACK, '--prompt', 'mend it', '--name', 'long')).finally(() => yesterday.close());
    const file = join(stateDirectory, 'executions', readdirSync(join(stateDirectory, 'executions')).find((name) => name.endsWith('.history.jsonl'))!);
    const events = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as ServiceEvent);
    writeFileSync(file, change(events).map((event, index) => `${JSON.stringify({ ...event, id: index + 1, previousEventId: index })}\n`).join(''));
    const today = await AccountFixture.start(writes(), {}, { stateDirectory });
    await tell().finally(() => today.close());
  } finally {
    rmSync(stateDirectory, { recursive: true });
  }
}

/** Adds events before the first end of a task. */
function withBefore(events: readonly ServiceEvent[], more: (at: number) => readonly Omit<ServiceEvent, 'id' | 'previousEventId'>[]) {
  const first = events.findIndex(({ type }) => type === 'LambdaFunctionSucceeded');
  return [...events.slice(0, first), ...more(events[first].timestamp), ...events.slice(first)];
}

const failure = (timestamp: number) => ({ type: 'LambdaFunctionFailed', timestamp, lambdaFunctionFailedEventDetails: { error: 'Lambda.TooManyRequestsException', cause: 'busy' } });
const again = (timestamp: number) => [{ type: 'LambdaFunctionScheduled', timestamp }, { type: 'LambdaFunctionStarted', timestamp }];

test('a history of more than a thousand events is told to its end', async () => {
  const tries = 500;
  await retold((events) => withBefore(events, (at) => Array.from({ length: tries }, () => [failure(at), ...again(at)]).flat()), async () => {
    const { steps, outcome } = await told('long');

    expect(steps[0].retries).toBe(tries);
    expect(outcome).toBe('COMMITTED');
    expect((await ending(0, commandLine('runs', 'watch', 'long', ...STACK))).stdout).toContain('COMMITTED after 2 turns');
  });
});

test('a run that was redriven is listed once, and told to its last end', async () => {
  const redriven = (at: number) => [
    failure(at),
    { type: 'ExecutionFailed', timestamp: at, executionFailedEventDetails: { error: 'Lambda.TooManyRequestsException', cause: 'busy' } },
    { type: 'ExecutionRedriven', timestamp: at, executionRedrivenEventDetails: { redriveCount: 1 } },
    ...again(at),
  ];
  await retold((events) => withBefore(events, redriven), async () => {
    const { stdout } = await ending(0, commandLine('runs', 'watch', 'long', ...STACK));

    expect(await json('runs', ...STACK)).toEqual([expect.objectContaining({ run: 'long', state: 'SUCCEEDED', outcome: 'COMMITTED' })]);
    expect(stdout.match(/^ +[\d.]+ s +Prepare the run/gm)).toHaveLength(1);
    expect(stdout).toContain('COMMITTED after 2 turns');
  });
});
