/** The session that an earlier try of the first step may have started, when the run is then refused. */
import { operatorFor } from '../../src/loop/steps/operate';
import { ownSession } from '../../src/loop/steps/sessions';

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:Loop:second';
const FIRST = EXECUTION.replace('second', 'first');
const OWN = ownSession(EXECUTION).id;
const THEIRS = ownSession(FIRST).id;

interface Situation {
  /** The brake; by default, the limit of runs refuses. */
  readonly brake?: string;
  readonly queueSeconds?: number;
  readonly session?: object;
  /** The run that uses the session of the first one, or nobody knows. */
  readonly occupant?: 'third' | 'unknown';
  readonly operation?: string;
}

/** Returns the name of the refusal, and the sessions that were stopped. */
async function refused({ brake, queueSeconds, session, occupant, operation = 'loop:prepare' }: Situation): Promise<unknown[]> {
  const stopped: string[] = [];
  const describe = async (arn: string) => {
    if (occupant === 'unknown') throw new Error('throttled');
    return { arn, isRunning: arn.endsWith('third'), startedAt: 0, input: arn === FIRST ? {} : { session: { id: THEIRS } } };
  };
  const tools = {
    clock: { now: () => 1_000, sleep: async () => undefined },
    backoffSeconds: 0,
    executions: { describe, async* running() { if (occupant === 'third') yield EXECUTION.replace('second', 'third'); } },
    requestsOf: (service: string) => ({
      json: async () => service === 'ssm' ? { Parameter: { Type: 'String', Value: brake } } : { executions: [{ executionArn: FIRST, startDate: 0 }] },
    }),
    stopSession: async (_: unknown, { sessionId }: { readonly sessionId: string }) => { stopped.push(sessionId); },
  };
  const config = brake === undefined ? { maxConcurrentRuns: 1, queueSeconds } : { brake: '/brake' };
  const request = {
    operation, execution: EXECUTION, runtimeArn: 'arn', startedAt: '1970-01-01T00:00:01Z', config: { name: 'Loop', operate: config }, state: { session },
  };
  const { refusal } = await operatorFor(request.config as never, config, tools as never).admit(request as never);
  return [refusal?.name, stopped];
}

test.each<[string, Situation, unknown[]]>([
  ['is stopped by the brake', { brake: 'on' }, ['CodingLoop.Braked', [OWN]]],
  ['is stopped if there are too many runs', {}, ['CodingLoop.TooManyRuns', [OWN]]],
  ['is left to a run that waits, and has it later', { queueSeconds: 60 }, ['CodingLoop.Queued', []]],
  ['is left to a run that begins', { brake: 'off' }, [undefined, []]],
  ['is stopped by the last step after a turn', { brake: 'on', operation: 'loop:turn' }, ['CodingLoop.Braked', []]],
  ['of an earlier run is stopped', { session: { id: THEIRS } }, ['CodingLoop.TooManyRuns', [THEIRS]]],
  ['of an earlier run is left to another run', { session: { id: THEIRS }, occupant: 'third' }, ['CodingLoop.TooManyRuns', []]],
  ['of an earlier run is left if it is not known who uses it', { session: { id: THEIRS }, occupant: 'unknown' }, ['CodingLoop.TooManyRuns', []]],
  ['of another loop is left', { session: { id: 'x'.repeat(40) } }, ['CodingLoop.TooManyRuns', []]],
])('the session %s', async (_, situation, expected) => {
  expect(await refused(situation)).toEqual(expected);
});
