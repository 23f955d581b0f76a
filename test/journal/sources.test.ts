import {
  DescribeExecutionCommand, DescribeStateMachineForExecutionCommand, GetExecutionHistoryCommand, HistoryEvent, SendTaskFailureCommand, SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { findLoop } from '../../rehearsal/deployment';
import { ExecutionEvent, ExecutionOptions, TaskError } from '../../rehearsal/stepfunctions';
import { AgentTurn, Gate, Verification } from '../../src';
import type { Definition } from '../../src/journal/definition';
import { DeployedRun, runOfHistory } from '../../src/journal/deployed-run';
import { eventsAfter, HistoryReader } from '../../src/journal/history';
import { Journal } from '../../src/journal/journal';
import { describeLoop } from '../../src/journal/loop-description';
import type { RunDescription } from '../../src/journal/run-description';
import type { Step } from '../../src/journal/step';
import { STEPS } from '../../src/loop/steps/constants';
import { LoopFixture, useLoops } from '../support/loop-fixture';

const start = useLoops();

interface Told {
  /** From the interpreter's own events. */
  readonly journal: Journal;
  readonly events: readonly ExecutionEvent[];
  /** From the endpoint. */
  readonly history: readonly HistoryEvent[];
  readonly run: RunDescription;
}

function clientOf(loop: LoopFixture): SFNClient {
  return new SFNClient({ endpoint: loop.server.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'somebody', secretAccessKey: 'a' } });
}

/** Tells a run twice: as a rehearsal does, and as somebody who has only the endpoint. */
async function toldTwice(loop: LoopFixture, input: object = {}, { onEvent, ...options }: ExecutionOptions = {}): Promise<Told> {
  const executionArn = loop.executionOf('one');
  const journal = new Journal({ loop: findLoop(loop.deployment), execution: () => executionArn, session: () => loop.sessionOf('one') });
  const events: ExecutionEvent[] = [];
  await loop.run(input, {
    ...options,
    name: 'one',
    onEvent: (event) => {
      events.push(event);
      journal.hear(event);
      onEvent?.(event);
    },
  });
  const sfn = clientOf(loop);
  const { definition, stateMachineArn } = await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  const ask = (nextToken?: string) => new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 7, nextToken });
  const history = await eventsAfter(0, (nextToken) => sfn.send(ask(nextToken)));
  const described = describeLoop(stateMachineArn!.split(':').pop()!, JSON.parse(definition!) as Definition)!;
  const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  return { journal, events, history, run: runOfHistory({ loop: described, execution }, history) };
}

/** Events as far as both sources have them: the interpreter may tell an execution's end in other words. */
function comparable(events: readonly ExecutionEvent[]): unknown[] {
  return events.flatMap((event) => {
    if (!('state' in event)) return [];
    const { Error: error, Cause: cause } = event as { readonly Error?: string; readonly Cause?: unknown };
    return [JSON.parse(JSON.stringify({ type: event.type, state: event.state, error, cause })) as unknown];
  });
}

function expectEqual({ journal, events, history, run }: Told): void {
  expect(JSON.parse(JSON.stringify(run.steps))).toEqual(JSON.parse(JSON.stringify(journal.steps)));
  expect([run.path, run.transitions]).toEqual([journal.path, journal.transitions]);
  expect(comparable(new HistoryReader().read(history))).toEqual(comparable(events));
  const ids = history.map(({ id }) => id);
  expect(ids).toEqual(ids.map((_, index) => index + 1));
}

test('a green run with a repair', async () => {
  const told = await toldTwice(await start({ agent: (turn) => turn === 0 ? 'echo almost > value.txt' : 'echo right > value.txt' }));
  expectEqual(told);
  expect(told.run).toMatchObject({ outcome: 'COMMITTED', id: 'one', input: { prompt: 'Make it right', taskId: 'task-1' }, commit: { branch: 'workbench/task-1' } });
  expect(told.run.steps.filter(({ kind }) => kind === 'turn')).toHaveLength(2);
  const types = new Set(told.history.map(({ type }) => type));
  for (const type of ['ExecutionStarted', 'TaskStateEntered', 'LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionSucceeded', 'TaskStateExited', 'ChoiceStateEntered', 'ExecutionSucceeded']) {
    expect(types).toContain(type);
  }
});

test('a red run, whose failing gates say why', async () => {
  const told = await toldTwice(await start({ agent: 'echo wrong > value.txt', loop: { maxRepairs: 1 } }));
  expectEqual(told);
  expect(told.run).toMatchObject({ error: { name: told.run.outcome } });
  expect(told.run.steps.filter(({ output }) => output?.includes('value is wrong'))).not.toHaveLength(0);
});

test('a run whose input is refused', async () => {
  const told = await toldTwice(await start(), { prompt: 3 });
  expectEqual(told);
  expect(told.run).toMatchObject({ outcome: 'CodingLoop.BadInput', path: ['Prepare the run', 'Say why it is refused', 'Refused, nothing was started'] });
});

test('a step that Step Functions retries', async () => {
  let failures = 2;
  const before = async (parameters: unknown) => {
    if ((parameters as { readonly operation?: string }).operation !== STEPS.GATE || failures === 0) return;
    failures -= 1;
    throw new TaskError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
  };
  const told = await toldTwice(await start(), {}, { before });
  expectEqual(told);
  expect(told.run).toMatchObject({ outcome: 'COMMITTED' });
  expect(told.run.steps.find(({ kind }) => kind === 'gate')).toMatchObject({ retries: 2, verdict: 'PASSED' });
  expect(told.history.filter(({ type }) => type === 'LambdaFunctionFailed')).toMatchObject([1, 2].map(() => ({ lambdaFunctionFailedEventDetails: { error: 'Lambda.TooManyRequestsException' } })));
});

test('a run that is stopped, of which the event rules of the stack hear', async () => {
  const loop = await start({ agent: 'echo right > value.txt; sleep 600' });
  const executionArn = loop.executionOf('one');
  const told = await toldTwice(loop, {}, {
    onEvent: (event) => {
      if (event.type === 'StateEntered' && event.state.name === 'Ask the agent') {
        void clientOf(loop).send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'it costs too much' }));
      }
    },
  });
  expectEqual(told);
  expect(told.run).toMatchObject({ outcome: 'INTERRUPTED', error: { name: 'Operator', message: 'it costs too much' } });
  expect(told.history.at(-1)).toMatchObject({ type: 'ExecutionAborted', executionAbortedEventDetails: { error: 'Operator', cause: 'it costs too much' } });
  await loop.deployment.close(); // waits for what the rule has called
  expect(loop.server.calls.of('StopRuntimeSession').map(({ sessionId }) => sessionId)).toContain(loop.sessionOf('one').id);
});

test('a verified run, whose gate fails in the clean checkout first', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo right > value.txt; touch /tmp/agent-tool' : 'echo "true" > check.sh',
    loop: { gates: [Gate.command('test', './test.sh && { [[ -e /tmp/agent-tool ]] || [[ -e check.sh ]]; }')], verification: Verification.inFreshSession() },
  });
  const told = await toldTwice(loop);
  expectEqual(told);
  expect(told.run.steps.filter(({ kind }) => kind === 'verify').map(({ verdict }) => verdict)).toEqual(['FAILED', 'PASSED']);
  expect(told.run).toMatchObject({ outcome: 'COMMITTED', output: { verified: true } });
});

test('an agent that is invoked with a task token, and reports a failure by it', async () => {
  const loop = await start({ loop: { turn: AgentTurn.callback() } });
  const told = await toldTwice(loop, {}, {
    before: async (parameters) => {
      const token = /"taskToken":"([^"]+)"/.exec(JSON.stringify(parameters))?.[1];
      if (token !== undefined) void clientOf(loop).send(new SendTaskFailureCommand({ taskToken: token, error: 'Agent.NoCredit', cause: 'the account is empty' }));
    },
  });
  expectEqual(told);
  expect(told.run).toMatchObject({ outcome: 'Agent.NoCredit', error: { name: 'Agent.NoCredit', message: 'the account is empty' } });
  expect(told.history.map(({ type }) => type)).toEqual(expect.arrayContaining(['TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskFailed']));
});

test('a run is told while it is under way, step by step, and without the data of the execution', async () => {
  const loop = await start();
  const { history } = await toldTwice(loop);
  const told: string[] = [];
  const listener = { begins: ({ state }: Step) => void told.push(`${state} …`), ends: ({ state }: Step) => void told.push(state) };
  const executionArn = loop.executionOf('one');
  const running = new DeployedRun({ loop: findLoop(loop.deployment), execution: { executionArn, status: 'RUNNING' }, listener });
  const half = history.findIndex(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === 'Run gate: test') + 1;
  const bare = history.map(({ stateEnteredEventDetails: its, ...event }) => ({ ...event, stateEnteredEventDetails: its && { name: its.name } }));
  running.hear(history.slice(0, half));
  expect([told.at(-1), running.describe().outcome, running.last]).toEqual(['Run gate: test …', 'RUNNING', half]);
  running.hear(bare);
  expect(told.at(-1)).toBe('Stop the session');
  const states = ['Prepare the run', 'Ask the agent', 'Record what changed', 'Run gate: test', 'Commit and push', 'Stop the session'];
  expect(running.journal.steps.map(({ state }) => state)).toEqual(states);
  const nothing = bare.map(({ stateExitedEventDetails: left, ...event }) => ({ ...event, stateExitedEventDetails: left && { name: left.name } }));
  const execution = { executionArn, status: 'FAILED', error: 'X' };
  const blind = runOfHistory({ loop: findLoop(loop.deployment), execution }, nothing);
  expect([blind.outcome, blind.steps.length, blind.session]).toEqual(['X', 6, undefined]);
});
