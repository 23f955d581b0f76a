import type { Executions } from '../../../rehearsal/account/executions';
import { StoppedExecution, Stopper, stopAll } from '../../../rehearsal/account/stop';

test('a run that cannot be looked at keeps no session of the others', async () => {
  const ended: StoppedExecution[] = [];
  const stopper = {
    stopExecution: async (run: StoppedExecution['run']) => ({ run, state: 'STOPPED' }),
    stopSessions: async (stopped: StoppedExecution[]) => ended.splice(0, 0, ...stopped) && stopped,
  } as unknown as Stopper;
  const executions = {
    running: async function* () {
      yield* ['a', 'b', 'c'];
    },
    find: async (arn: string) => {
      if (arn === 'b') throw new Error('AWS throttles states:DescribeExecution');
      return { arn };
    },
  } as unknown as Executions;

  await expect(stopAll(stopper, executions, [{ arn: 'loop' } as never], () => undefined))
    .rejects.toThrow('AWS throttles states:DescribeExecution\n2 runs were stopped, and others may be in progress');
  expect(ended.map(({ run }) => run.execution.arn)).toEqual(['a', 'c']);
});
