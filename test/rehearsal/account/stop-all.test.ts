import { cellOf, columns } from '../../../rehearsal/account/list';
import { stopAll, StoppedExecution } from '../../../rehearsal/account/stop';

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

test('columns are as wide as their longest cell', () => {
  expect(columns([['a', 'run'], ['long', 'x']])).toEqual(['a     run', 'long  x']);
});
