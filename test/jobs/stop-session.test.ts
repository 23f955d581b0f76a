import { ResourceNotFoundException } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS } from '../../src/jobs/constants';
import { stopSession } from '../../src/jobs/stop-session';
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

test('succeeds for a session that has ended, or never existed', async () => {
  const sessionId = await session();
  await stop(sessionId);
  expect(await stop(sessionId)).toEqual({ status: 'ALREADY_STOPPED', sessionId });
  const never = newSessionId();
  expect(await stop(never)).toEqual({ status: 'ALREADY_STOPPED', sessionId: never });
});

const NAMED_SESSION = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/session-0123456789';

describe('does not report a session as stopped', () => {
  const elsewhere = (runtimeArn: string, qualifier?: string, sessionId = newSessionId()) =>
    stopSession(fixture.client, { runtimeArn, qualifier, sessionId }, clock, 1);

  test('of a runtime that does not exist', async () => {
    await expect(elsewhere(fixture.arn.replace(/.{10}$/, '0123456789'))).rejects.toMatchObject({ name: ERRORS.NOT_FOUND });
    expect(waits).toEqual([]);
  });

  test('through an endpoint that does not exist, although the session does', async () => {
    await expect(elsewhere(fixture.arn, 'gone', await session())).rejects.toMatchObject({
      name: ERRORS.NOT_FOUND, message: expect.stringContaining("No endpoint or agent found with qualifier 'gone'"),
    });
  });

  const answered = (message: string | undefined, sessionId = newSessionId()) => {
    const client = { send: async () => { throw new ResourceNotFoundException({ message: message as string, $metadata: { httpStatusCode: 404 } }); } };
    return stopSession(client as never, { runtimeArn: NAMED_SESSION, sessionId }, clock, 1);
  };

  test.each([
    "No endpoint or agent found with qualifier 'DEFAULT' for agent 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/session-0123456789'",
    'Endpoint \'live\' of agent \'x\' is not ready for this session',
    'Agent not found for session',
    'Resource not found',
    'Nothing at arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/session-0123456789',
    'Nothing is called session-0123456789',
    'UnknownError',
    '',
    undefined,
  ])('when the service answers something else: %j', async (message) => {
    await expect(answered(message)).rejects.toMatchObject({ name: ERRORS.NOT_FOUND });
  });

  test('for words that only its id contains', async () => {
    const id = 'session-endpoint-qualifier-0123456789';
    await expect(answered(`'${id}' is not known`, id)).resolves.toMatchObject({ status: 'ALREADY_STOPPED' });
    await expect(answered(`Nothing is known of ${'x'.repeat(33)}`, 'x'.repeat(33))).resolves.toMatchObject({ status: 'ALREADY_STOPPED' });
    await expect(answered("No endpoint or agent found with qualifier 'session'", id)).rejects.toMatchObject({ name: ERRORS.NOT_FOUND });
  });

  test.each(['Session not found or already terminated', 'The session was not found.'])('unless the service answers that the session does not exist: %s', async (message) => {
    const sessionId = newSessionId();
    expect(await answered(message, sessionId)).toEqual({ status: 'ALREADY_STOPPED', sessionId });
  });
});

test.each(['conflict', 'throttle', 'internal', 'reset'] as const)('waits out %s, and then stops the session', async (kind) => {
  const sessionId = await session();
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind, times: 3 });
  expect(await stop(sessionId)).toEqual({ status: 'STOPPED', sessionId });
  expect(waits).toEqual([1, 2, 4]);
});

test('abandons an attempt that gets no answer, and makes another', async () => {
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

test('fails after a minute if the fault persists', async () => {
  const sessionId = await session();
  let striking = true;
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'conflict', times: Infinity, match: () => striking });
  await expect(stop(sessionId)).rejects.toMatchObject({ name: ERRORS.CONFLICT });
  striking = false;
  expect(waits).toEqual([1, 2, 4, 8, 16, 32]);
});

test('fails at once without the permission', async () => {
  fixture.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied' });
  await expect(stop(newSessionId())).rejects.toMatchObject({ name: ERRORS.ACCESS_DENIED });
  expect(waits).toEqual([]);
});

test('fails without a session id, before it sends a request', async () => {
  await expect(stop(undefined as never)).rejects.toMatchObject({ name: ERRORS.VALIDATION });
});
