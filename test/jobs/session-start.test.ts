/**
 * A session that is just starting, which takes up to two minutes in reality, by the emulated service's clock, which the driver's waits advance.
 */
import { ERRORS, LIMITS } from '../../src/jobs/constants';
import { SessionError } from '../../src/jobs/errors';
import { invokeAgent } from '../../src/jobs/invoke-agent';
import type { Job } from '../../src/jobs/job';
import { runJob } from '../../src/jobs/run-job';
import { newSessionId, ServerFixture } from '../support/agentcore';

let fixture: ServerFixture;
let invoked = 0;
beforeAll(async () => {
  fixture = await ServerFixture.start({ agent: { handler: () => ({ turn: ++invoked }) } });
});
afterAll(() => fixture.close());
afterEach(() => fixture.server.faults.clear());

/** Runs a command with waits that take no real time. */
async function run(request: Partial<Job>, secondsLeft = 800) {
  const { clock } = fixture;
  const retried: string[] = [];
  const began = clock.now();
  const outcome = await runJob({
    runtimeArn: fixture.arn,
    sessionId: newSessionId(),
    run: 'run',
    name: 'job',
    command: 'echo started >> /mnt/workspace/starts; wc -l < /mnt/workspace/starts',
    mount: '/mnt/workspace',
    timeoutSeconds: 30,
    ...request,
  }, {
    client: fixture.client,
    clock: {
      now: () => clock.now(),
      // The time that a microVM really takes to start does not count.
      sleep: async (seconds) => retried.at(-1) === ERRORS.CONFLICT ? void await fixture.server.calls.next({}, 'responding') : clock.advance(seconds * 1_000),
    },
    until: began + secondsLeft * 1_000,
    backoffSeconds: 1,
    onRetry: (error) => retried.push(error.name),
  }).then(({ verdict, tail }) => `${verdict} ${tail.trim()}`, (error: SessionError) => error.name);
  return { outcome, retried, seconds: (clock.now() - began) / 1_000 };
}

const commands = { operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart' } as const;

describe('the first command in a session', () => {
  test('is repeated until the session answers, and is started once', async () => {
    fixture.server.faults.add({ ...commands, kind: 'coldStart', seconds: 120 });
    const { outcome, retried, seconds } = await run({});
    expect(outcome).toBe('PASSED 1');
    expect([...new Set(retried)]).toEqual([ERRORS.CONTAINER, ERRORS.SERVER]);
    expect(seconds).toBeGreaterThanOrEqual(120);
    expect(seconds).toBeLessThan(LIMITS.beginningSeconds);
  });

  test('is abandoned after three minutes', async () => {
    fixture.server.faults.add({ ...commands, kind: 'agentError', times: Infinity });
    const { outcome, seconds } = await run({});
    expect(outcome).toBe(ERRORS.CONTAINER);
    expect(seconds).toBeGreaterThan(LIMITS.beginningSeconds - 16);
    expect(seconds).toBeLessThan(LIMITS.beginningSeconds + 5);
  });

  test('is abandoned when no time is left for it', async () => {
    fixture.server.faults.add({ ...commands, kind: 'agentError', times: Infinity });
    expect(await run({}, 60)).toMatchObject({ outcome: ERRORS.CONTAINER, retried: Array(6).fill(ERRORS.CONTAINER) });
  });

  test('waits for another command that was first at the same time', async () => {
    fixture.server.faults.add({ ...commands, kind: 'coldStart', seconds: 0 });
    const sessionId = newSessionId();
    const both = await Promise.all([run({ sessionId, name: 'a', command: 'echo a' }), run({ sessionId, name: 'b', command: 'echo b' })]);
    expect(both.map(({ outcome }) => outcome)).toEqual(['PASSED a', 'PASSED b']);
    expect(both.flatMap(({ retried }) => retried)).toContain(ERRORS.CONFLICT);
  });
});

describe('a container that fails', () => {
  const fail = () => fixture.server.faults.add({ ...commands, kind: 'agentError', times: Infinity });

  test.each([
    ['after the session has answered in an earlier call', { answered: true }],
    ['when the call attaches to a command', { mode: 'attach' as const }],
  ])('is reported at once %s', async (_, request) => {
    fail();
    expect(await run(request)).toMatchObject({ outcome: ERRORS.CONTAINER, retried: [] });
  });

  test('is reported at once after the session has answered in the same call', async () => {
    fixture.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'firstByte', kind: 'reset' });
    const failing = fixture.server.faults.add({ ...commands, kind: 'agentError', times: Infinity, match: () => cut });
    let cut = false;
    void fixture.server.calls.next({}, 'finished').then(() => { cut = true; });
    const { outcome, retried } = await run({});
    expect([outcome, retried, failing.fired]).toEqual([ERRORS.CONTAINER, [ERRORS.STREAM_CUT], 1]);
  });
});

describe('the first invoke in a session', () => {
  const invoke = (request: { answered?: boolean } = {}) => invokeAgent(fixture.client, {
    runtimeArn: fixture.arn, sessionId: newSessionId(), payload: {}, timeoutSeconds: 30, ...request,
  }).then(({ reply }) => reply, (error: SessionError) => error.name);
  const invokes = { operation: 'InvokeAgentRuntime', at: 'beforeStart', times: 1 } as const;

  test('may be repeated if the container was never ready', async () => {
    fixture.server.faults.add({ ...invokes, kind: 'coldStart' });
    expect([await invoke(), invoked]).toEqual([ERRORS.STARTING, 0]);
  });

  test('may not be repeated if the session has answered', async () => {
    fixture.server.faults.add({ ...invokes, kind: 'coldStart' });
    expect([await invoke({ answered: true }), invoked]).toEqual([ERRORS.CONTAINER, 0]);
  });

  test('may not be repeated if the agent may have started', async () => {
    fixture.server.faults.add({ ...invokes, kind: 'agentError' });
    expect(await invoke()).toBe(ERRORS.CONTAINER);
  });
});
