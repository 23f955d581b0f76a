import { AgentHandler } from '../../rehearsal/agentcore';
import { ERRORS, LIMITS } from '../../src/jobs/constants';
import { invokeAgent, InvokeRequest } from '../../src/jobs/invoke-agent';
import { newSessionId, ServerFixture } from '../support/agentcore';
import { liveBytes } from '../support/live-memory';

/** The agent answers with the given response next. */
let answer: AgentHandler;
let fixture: ServerFixture;
beforeAll(async () => {
  fixture = await ServerFixture.start({ agent: { handler: (request, session) => answer(request, session) } });
});
afterAll(() => fixture.close());

function invoke(request: Partial<InvokeRequest> = {}) {
  return invokeAgent(fixture.client, { runtimeArn: fixture.arn, sessionId: newSessionId(), payload: { prompt: 'fix it' }, timeoutSeconds: 30, ...request });
}
const json = (body: string) => ({ body, contentType: 'application/json' });
const events = (...pieces: (string | Buffer)[]) => ({
  contentType: 'text/event-stream',
  body: (async function* () {
    yield* pieces;
  })(),
});
const failsWith = (error: string, message = '') => expect.objectContaining({ name: error, message: expect.stringContaining(message) });

describe('an agent that answers with JSON', () => {
  test('receives the payload, and its document is the reply', async () => {
    answer = (request) => ({ got: request.json(), session: request.sessionId });
    const sessionId = newSessionId();
    expect(await invoke({ sessionId })).toMatchObject({ reply: { got: { prompt: 'fix it' }, session: sessionId }, seconds: expect.any(Number) });
  });

  test('may answer with text that is not JSON', async () => {
    answer = () => json('done: it\'s fixed');
    expect(await invoke()).toMatchObject({ reply: 'done: it\'s fixed', replyBytes: 16 });
  });

  test.each([[LIMITS.replyBytes, false], [LIMITS.replyBytes + 1, true]])('has its reply of %d bytes left out: %s', async (bytes, large) => {
    answer = () => json(`"${'x'.repeat(bytes - 2)}"`);
    const { reply, tail, replyBytes } = await invoke();
    expect({ large: reply === null, tail: tail !== undefined, replyBytes }).toEqual({ large, tail: large, replyBytes: bytes });
  });

  test.each([
    ['a text of quotes', '"'.repeat(LIMITS.replyBytes - 1)],
    ['a text of control characters', '\u0001'.repeat(LIMITS.replyBytes / 4)],
    ['bytes that are not text', Buffer.alloc(LIMITS.replyBytes / 2, 0xff)],
    ['numbers that are written in a shorter form', `[${Array(20_000).fill('1e20').join(',')}]`],
  ])('has its reply left out when it would take more space in a state than it received: %s', async (_, body) => {
    answer = () => ({ body, contentType: 'application/json' });
    const result = await invoke();
    expect([result.reply, result.replyBytes]).toEqual([null, Buffer.byteLength(body)]);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(200_000);
  });

  test.each([
    [{ error: 'the model is overloaded' }, 'the model is overloaded'],
    [{ error: { message: 'no credits' } }, 'no credits'],
    [{ error: { code: 7 } }, '{"code":7}'],
  ])('fails when it reports an error: %j', async (reply, message) => {
    answer = () => reply;
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.AGENT, message));
  });

  test.each([{ error: null }, { error: '' }, ['error'], 'error'])('does not fail for %j', async (reply) => {
    answer = () => reply;
    expect((await invoke()).reply).toEqual(reply);
  });

  test('fails with a message of limited length', async () => {
    answer = () => ({ error: 'x'.repeat(100_000) });
    const error = await invoke().catch((thrown: Error) => thrown) as Error;
    expect(error.message.length).toBeLessThan(4_100);
  });
});

describe('an agent that answers with events', () => {
  test('has the data of the last event as its reply', async () => {
    answer = () => events('data: {"n":1}\n\n: a comment\nid: 7\nevent: message\nda', 'ta: {"n":2}\r\n\r', '\ndata: line 1\ndata: line 2\n\n');
    expect(await invoke()).toMatchObject({ reply: 'line 1\nline 2', events: 3 });
  });

  test('may omit the end of the last event', async () => {
    answer = () => events('data: {"n":1}\n\ndata: {"n":2}');
    expect(await invoke()).toMatchObject({ reply: { n: 2 }, events: 2 });
  });

  test('may send no events', async () => {
    answer = () => events(': nothing to say\n');
    expect(await invoke()).toMatchObject({ reply: null, events: 0 });
  });

  test('fails for an error event, whatever follows it', async () => {
    answer = () => events('event: error\ndata: out of tokens\n\n', 'data: {"n":2}\n\n');
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.AGENT, 'out of tokens'));
  });

  test('fails for an event that contains an error', async () => {
    answer = () => events('data: {"error":"out of tokens"}\n\n', 'data: {"n":2}\n\n');
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.AGENT, 'out of tokens'));
  });

  test.each([
    ['in one line', () => [`data: ${'x'.repeat(LIMITS.replyBytes)}`, 'x\n\n']],
    ['in many lines', () => Array.from({ length: 3_000 }, () => `data: ${'x'.repeat(50)}\n`)],
  ])('has no reply, instead of an older one, if the last is too large, %s', async (_, pieces) => {
    answer = () => events('data: "older"\n\n', ...pieces());
    expect(await invoke()).toMatchObject({ reply: null, tail: expect.stringContaining('xxx'), events: 2 });
  });

  test('has no reply if the last would take more space in a state than it received', async () => {
    answer = () => events(`data: ${'"'.repeat(LIMITS.replyBytes - 100)}\n\n`);
    expect(await invoke()).toMatchObject({ reply: null, tail: expect.stringContaining('""'), events: 1 });
  });

  test('fails for an error event even if its text would take more space than a state has', async () => {
    answer = () => events(`event: error\ndata: ${'"'.repeat(LIMITS.replyBytes - 100)}\n\n`);
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.AGENT, '""'));
  });

  test('has the event that follows one that was too large', async () => {
    answer = () => events(`data: ${'x'.repeat(LIMITS.replyBytes + 1)}\n\n`, 'data: {"n":2}\n\n');
    const result = await invoke();
    expect([result.reply, result.tail, result.events]).toEqual([{ n: 2 }, undefined, 2]);
  });
});

test.each([['text/event-stream', 'data: '], ['application/json', '']])('memory is bounded, however much arrives: %s', async (contentType, prefix) => {
  const chunk = Buffer.alloc(1_000_000, 'x');
  const before = liveBytes();
  let most = 0;
  answer = () => ({
    contentType,
    body: (async function* () {
      yield prefix;
      for (let i = 0; i < 300; i++) {
        if (i % 50 === 49) most = Math.max(most, liveBytes() - before);
        yield chunk;
      }
    })(),
  });
  const [added, removed] = (['addEventListener', 'removeEventListener'] as const).map((name) => jest.spyOn(AbortSignal.prototype, name));
  const { reply, replyBytes } = await invoke();
  expect([reply, replyBytes]).toEqual([null, 300_000_000 + prefix.length]);
  expect(added.mock.calls.length - removed.mock.calls.length).toBeLessThan(10);
  [added, removed].forEach((spy) => spy.mockRestore());
  // The sending server runs in this process, too, with pieces that wait for the connection.
  expect(most / 1e6).toBeLessThan(64);
}, 60_000);

describe('an agent that does not answer', () => {
  const fault = (kind: 'throttle' | 'conflict' | 'internal' | 'agentError' | 'reset' | 'end', at: 'beforeStart' | 'midOutput' = 'beforeStart') =>
    fixture.server.faults.add({ operation: 'InvokeAgentRuntime', at, kind });

  test.each([
    ['throttle', ERRORS.THROTTLED], ['conflict', ERRORS.CONFLICT], ['internal', ERRORS.SERVER], ['agentError', ERRORS.CONTAINER], ['reset', ERRORS.STREAM_CUT],
  ] as const)('fails for %s as %s', async (kind, error) => {
    answer = () => ({});
    const struck = fault(kind);
    await expect(invoke()).rejects.toEqual(failsWith(error));
    expect(struck.fired).toBe(1); // the service does not repeat it
  });

  test('fails when its container does', async () => {
    answer = () => Promise.reject(new Error('a bug of the agent'));
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.CONTAINER));
  });

  test('fails when its answer is cut off', async () => {
    answer = () => events('data: {"n":1}\n\n', 'data: {"n":2}\n\n');
    fault('reset', 'midOutput');
    await expect(invoke()).rejects.toEqual(failsWith(ERRORS.STREAM_CUT, 'broke off after'));
  });

  test.each([['before it begins', ''], ['in the middle', 'data: {}\n\n']])('fails when it takes too long, %s', async (_, begin) => {
    answer = (_request, session) => ({
      contentType: 'text/event-stream',
      body: (async function* () {
        if (begin) yield begin;
        await new Promise((resolve) => session.signal.addEventListener('abort', resolve));
      })(),
    });
    const sessionId = newSessionId();
    await fixture.command('true', { runtimeSessionId: sessionId }); // a session that is starting cannot be stopped
    await expect(invoke({ sessionId, timeoutSeconds: 0.2 })).rejects.toEqual(failsWith(ERRORS.INVOKE_TIMEOUT));
    await fixture.stop({ runtimeSessionId: sessionId });
  });
});

test.each([
  [{ sessionId: undefined }, '"sessionId" must have 33 to 100 characters, not 0'],
  [{ sessionId: 'short' }, '"sessionId" must have 33 to 100 characters, not 5'],
  [{ runtimeArn: undefined }, '"runtimeArn" must be an ARN'],
  [{ timeoutSeconds: -3 }, '"timeoutSeconds" must be more than 0, not -3'],
  [{ timeoutSeconds: undefined }, '"timeoutSeconds" must be more than 0, not undefined'],
])('fails before it sends a request: %j', async (change, message) => {
  const before = fixture.server.calls.all.length;
  await expect(invoke(change as never)).rejects.toEqual(failsWith(ERRORS.VALIDATION, message));
  expect(fixture.server.calls.all.length).toBe(before);
});
