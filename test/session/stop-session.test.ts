import { ERRORS } from '../../src/session/constants';
import { stopSession } from '../../src/session/stop-session.client';
import { newSessionId, ServerFixture } from '../support/agentcore';

let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await ServerFixture.start();
});
afterAll(() => fixture.close());

const waits: number[] = [];
beforeEach(() => waits.splice(0));
const clock = { now: () => 0, sleep: async (seconds: number) => void waits.push(seconds) };

async function session(): Promise<string> {
  const sessionId = newSessionId();
  await fixture.command('true', { runtimeSessionId: sessionId });
  return sessionId;
}
const stop = (sessionId: string) => stopSession(fixture.client, { runtimeArn: fixture.arn, sessionId }, clock, 1);

test('stops a session', async () => {
  const sessionId = await session();
  expect(await stop(sessionId)).toEqual({ status: 'STOPPED', sessionId });
});

test('has nothing to do for a session that is gone, or never was', async () => {
  const sessionId = await session();
  await stop(sessionId);
  expect(await stop(sessionId)).toEqual({ status: 'ALREADY_STOPPED', sessionId });
  const never = newSessionId();
  expect(await stop(never)).toEqual({ status: 'ALREADY_STOPPED', sessionId: never });
});

test.each(['conflict', 'throttle', 'internal', 'reset'] as const)('waits out %s, and then stops the session', async (kind) => {
  const sessionId = await session();
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind, times: 3 });
  expect(await stop(sessionId)).toEqual({ status: 'STOPPED', sessionId });
  expect(waits).toEqual([1, 2, 4]);
});

test('gives up a try that is not answered, and makes another', async () => {
  const sessionId = await session();
  const limits: number[] = [];
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation((limit) => {
    limits.push(limit);
    return limits.length === 1 ? AbortSignal.abort() : new AbortController().signal;
  });

  expect(await stop(sessionId)).toEqual({ status: 'STOPPED', sessionId });

  timeout.mockRestore();
  expect([limits, waits]).toEqual([[20_000, 20_000], [1]]);
});

test('fails when it stays so, after a minute', async () => {
  const sessionId = await session();
  let striking = true;
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'conflict', times: Infinity, match: () => striking });
  await expect(stop(sessionId)).rejects.toMatchObject({ name: ERRORS.CONFLICT });
  striking = false;
  expect(waits).toEqual([1, 2, 4, 8, 16, 32]);
});

test('fails at once when it is not allowed', async () => {
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied' });
  await expect(stop(newSessionId())).rejects.toMatchObject({ name: ERRORS.ACCESS_DENIED });
  expect(waits).toEqual([]);
});

test('fails without a session id, before anything is sent', async () => {
  await expect(stop(undefined as never)).rejects.toMatchObject({ name: ERRORS.VALIDATION });
});
