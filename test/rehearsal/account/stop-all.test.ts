import { cellOf, columns } from '../../../rehearsal/account/list';
import { isChosen } from '../../../rehearsal/account/logs';
import { Stopper, stopAll, StoppedExecution } from '../../../rehearsal/account/stop';

const arnOf = (name: string) => `arn:aws:states:us-east-1:123456789012:execution:Runs:${name}`;
const LOOP = { arn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Runs', path: 'Stack/Loop' };

/** Executions that run until they are stopped. Some cannot be described, and the list may fail. */
function fixture(names: readonly string[], faults: { readonly hidden?: readonly string[]; readonly listsUntilFailure?: number }) {
  const { hidden = [], listsUntilFailure = Infinity } = faults;
  const running = new Set(names);
  let lists = 0;
  const executions = {
    find: async (arn: string) => {
      const name = arn.split(':').pop()!;
      if (hidden.includes(name)) throw new Error('missing permission: states:DescribeExecution');
      return { arn, name, state: 'RUNNING' };
    },
    running: async function* () {
      if (++lists > listsUntilFailure) throw new Error('AWS throttles states:ListExecutions');
      yield* [...running].map(arnOf);
    },
  };
  const sessionsOf: string[] = [];
  const stopper = {
    stopExecution: async (run: StoppedExecution['run']) => {
      running.delete(run.execution.name);
      return { run, state: 'STOPPED' };
    },
    stopSessions: async (stopped: readonly StoppedExecution[]) => stopped.map(({ run, state }) => {
      sessionsOf.push(run.execution.name);
      return { run: run.execution.name, loop: LOOP.path, execution: state, sessions: [] };
    }),
  };
  return { sessionsOf, all: () => stopAll(stopper as never, executions as never, [LOOP] as never, () => undefined) };
}

test('a run that cannot be described keeps no session of another one from being stopped', async () => {
  const { all, sessionsOf } = fixture(['a', 'b', 'c'], { hidden: ['b'] });
  const runs = await all();
  expect(sessionsOf).toEqual(['a', 'c']);
  expect(runs.find(({ run }) => run === 'b')).toMatchObject({ execution: 'RUNNING', error: 'missing permission: states:DescribeExecution' });
});

test('sessions of stopped runs are stopped, even if the runs that start meanwhile cannot be listed', async () => {
  const { all, sessionsOf } = fixture(['a', 'b'], { listsUntilFailure: 1 });
  const runs = await all();
  expect(sessionsOf).toEqual(['a', 'b']);
  expect(runs.at(-1)).toMatchObject({ run: 'other runs', error: 'AWS throttles states:ListExecutions' });
});

test('text of a run neither breaks a table nor acts on a terminal', () => {
  expect(cellOf('T-1\n\u001b]0;title\u0007\u001b[2Jgone\r')).toMatch(/^T-1\?[^\p{Cc}]*gone\?$/u);
  expect(cellOf('x'.repeat(200_000))).toHaveLength(60);
});

test.each([
  ['gates/1-lint.log', true],
  ['gates/0-lint.before.log', true],
  ['gates/1-lint.again.1.0.log', true],
  ['verification/1-lint.retry.1.log', true],
  ['verification/1-lint.retry.2.again.0.1.log', true],
  ['verify: lint (turn 1)', true],
  ['gates/1-lint.all.log', false],
  ['gates/1-lint.retry.log', false],
  ['gates/1-lint.retry.7.log', false],
  ['base/lint.retry.1.log', true],
  ['gates/1-eslint.log', false],
])('%s is a log of the gate "lint": %s', (name, expected) => {
  expect(isChosen(name, { gate: 'lint' }, ['lint', 'lint all', 'lint retry 7', 'eslint'])).toBe(expected);
});

test('columns are as wide as their longest cell', () => {
  expect(columns([['a', 'run'], ['long', 'x']])).toEqual(['a     run', 'long  x']);
});

test.each([[2, true, 3], [3, true, 11], [4, false, 11]])('a session that exists after %i stops is looked at again some seconds later', async (stops, gone, seconds) => {
  let left = stops;
  let slept = 0;
  const missing = Object.assign(new Error('Session not found or already terminated'), { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } });
  const send = async () => {
    if (left-- <= 0) throw missing;
    return {};
  };
  const account = { sessions: { send } };
  const clock = { now: () => 0, sleep: async (wait: number) => { slept += wait; } };
  const loop = { ...LOOP, runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-1234567890', config: {} };
  const run = { loop, execution: { arn: arnOf('a'), name: 'a', state: 'FAILED', input: { taskId: 'a', prompt: 'x' } } };
  const executions = { loopOf: async () => undefined, describe: async () => ({ isRunning: false }), running: async function* () {} };
  const [stopped] = await new Stopper(account as never, clock as never).stopSessions([{ run, state: 'FAILED' }] as never, executions as never);

  expect(stopped.sessions).toEqual([expect.objectContaining({ gone, status: gone ? 'stopped' : 'stopped, but it still exists' })]);
  expect(slept).toBe(seconds);
});
