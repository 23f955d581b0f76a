import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentTurn } from '../../src';
import { settled } from '../../src/loop/steps/settle';
import { useLoops } from '../support/loop-fixture';

const start = useLoops();

test('a run that is aborted in a turn leaves no session, though a call of the driver in progress starts it once more', async () => {
  const made = await start({
    loop: { turn: AgentTurn.command('sleep 600') }, deployment: { environment: { WORKBENCH_BACKOFF_SECONDS: '0.05' } },
  });
  const turns = () => made.server.calls.of('InvokeAgentRuntimeCommand').filter(({ command = '' }) => command.includes('job=turn'));
  const execution = made.deployment.startExecution(undefined, { prompt: 'p', taskId: 'task-1' }, { name: 'aborted' });
  while (turns().length === 0 || turns()[0].bytes === 0) await new Promise((resolve) => setImmediate(resolve));
  execution.abort();
  const { status } = await execution.result;
  const executionArn = made.executionOf('aborted');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await made.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'aborted', status, input: '{"prompt":"p","taskId":"task-1"}' });
  expect(readdirSync(join(made.directories[0], 'microvms'))).toEqual([]);
});

describe('the sessions of a run that was cut off', () => {
  const SESSIONS = ['a', 'b'].map((sessionId) => ({ runtimeArn: 'arn', sessionId }));

  interface Situation {
    readonly used?: boolean[];
    readonly until?: number;
    readonly fails?: number;
    /** 1 for each stop that finds the session. */
    readonly back?: number[];
    readonly sessions?: typeof SESSIONS;
  }

  /** Stops sessions again. @param used what is said of their use, before each stop; at the end, they are not used */
  async function stopsOf({ used = [], until = 600, fails = 0, back = [], sessions = SESSIONS }: Situation = {}) {
    const seen: (string | number)[] = [];
    let now = 0;
    let failures = fails;
    const clock = { now: () => now, sleep: async (seconds: number) => { seen.push(seconds); now += seconds * 1_000; } };
    const stop = async ({ sessionId }: { readonly sessionId: string }) => {
      seen.push(sessionId);
      if (failures-- > 0) throw new Error('no');
      return { sessionId, status: (back.shift() ?? 0) > 0 ? 'STOPPED' as const : 'ALREADY_STOPPED' as const };
    };
    const failed = await settled(sessions, stop, async () => used.shift() ?? false, { clock, backoffSeconds: 1, until: until * 1_000 } as never);
    return [...seen, `${failed} failed`];
  }

  test.each<[string, Situation, (string | number)[]]>([
    ['are looked for twice more', {}, [5, 'a', 'b', 15, 'a', 'b', '0 failed']],
    ['are looked for until both are gone twice in a row', { back: [0, 1, 0, 0, 1, 0] }, [5, 'a', 'b', 15, 'a', 'b', 30, 'a', 'b', 30, 'a', 'b', 30, 'a', 'b', '0 failed']],
    ['are not looked for if there are none', { sessions: [] }, ['0 failed']],
    ['are left to a run that uses them', { used: [false, true] }, [5, 'a', 'b', 15, '0 failed']],
    ['are left when the function is about to end', { until: 229 }, [5, 'a', 'b', 15, '0 failed']],
    ['are counted if they cannot be stopped at last', { fails: 10 }, [5, 'a', 'b', 15, 'a', 'b', 30, 'a', 'b', 30, 'a', 'b', 30, 'a', 'b', '2 failed']],
    ['are not counted if they can be stopped at last', { fails: 2 }, [5, 'a', 'b', 15, 'a', 'b', 30, 'a', 'b', '0 failed']],
  ])('%s', async (_, given, expected) => {
    expect(await stopsOf(given)).toEqual(expected);
  });
});
