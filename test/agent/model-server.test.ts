import Anthropic from '@anthropic-ai/sdk';
import { call, cut, fail, hang, inOrder, longText, ModelServer, ModelServerOptions, refuse, say, tokens } from '../support/models';

const MODEL = 'claude-opus-4-8';
const TOOLS = [{ name: 'read', description: 'Reads a file', input_schema: { type: 'object' as const, properties: { path: { type: 'string' } } } }];
const REQUEST = { model: MODEL, max_tokens: 100, tools: TOOLS, messages: [{ role: 'user' as const, content: 'Fix it' }] };

const servers: ModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options: ModelServerOptions) {
  const server = await ModelServer.start(options);
  servers.push(server);
  return { server, client: new Anthropic({ baseURL: server.url, apiKey: 'key', maxRetries: 0 }) };
}

describe('Anthropic Messages, read by its own client', () => {
  test('a tool is called in a stream, and its result comes back to the script', async () => {
    const { server, client } = await start({ script: inOrder([say('I look.'), call('read', { path: 'ä.txt' })], say('Fixed.')) });
    const first = await client.messages.stream(REQUEST).finalMessage();
    const use = first.content[1] as Anthropic.ToolUseBlock;
    expect(first).toMatchObject({ stop_reason: 'tool_use', content: [{ text: 'I look.' }, { name: 'read', input: { path: 'ä.txt' } }] });
    const second = await client.messages.stream({
      ...REQUEST,
      messages: [
        ...REQUEST.messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'Hello' }] },
      ],
    }).finalMessage();
    expect(second).toMatchObject({ stop_reason: 'end_turn', content: [{ text: 'Fixed.' }] });
    expect(server.turns).toMatchObject([
      { wire: 'anthropic', model: MODEL, callNumber: 1, lastUserText: 'Fix it', toolResults: [] },
      { callNumber: 2, lastUserText: 'Fix it', toolResults: [{ id: use.id, text: 'Hello', isError: false }] },
    ]);
    expect(server.credentials).toEqual(['key']);
  });

  test('an answer without a stream is one message, with the tokens of the script', async () => {
    const { client } = await start({ script: () => [say('Done.'), tokens({ input: 7, output: 3 })] });
    await expect(client.messages.create(REQUEST)).resolves.toMatchObject({
      content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn', usage: { input_tokens: 7, output_tokens: 3, cache_read_input_tokens: 200 },
    });
  });

  test('what the system says in the middle of a conversation is no text of the user', async () => {
    const { server, client } = await start({ script: () => say('Yes.') });
    await client.messages.create({
      ...REQUEST,
      messages: [
        ...REQUEST.messages,
        { role: 'system', content: 'Be quick.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Hello' }] },
      ],
    });
    expect(server.turns).toMatchObject([{ lastUserText: 'Fix it', toolResults: [{ text: 'Hello' }] }]);
  });

  test('an enormous text arrives whole', async () => {
    const text = longText(2_000_000);
    const { client } = await start({ script: () => say(text) });
    expect((await client.messages.stream(REQUEST).finalMessage()).content).toEqual([{ type: 'text', text }]);
  });

  test.each([
    ['rateLimit', 429, 'rate_limit_error'],
    ['quota', 400, 'invalid_request_error'],
    ['overloaded', 529, 'overloaded_error'],
    ['unauthorized', 401, 'authentication_error'],
    ['modelNotAllowed', 403, 'permission_error'],
    ['modelUnknown', 404, 'not_found_error'],
    ['contextFull', 400, 'invalid_request_error'],
    ['internal', 500, 'api_error'],
  ] as const)('fails with %s as %i %s', async (failure, status, type) => {
    const { client } = await start({ script: () => fail(failure, 7) });
    const error = await client.messages.create(REQUEST).catch((thrown) => thrown);
    expect(error).toMatchObject({ status, error: { type: 'error', error: { type } } });
    expect(error.headers.get('retry-after')).toBe('7');
  });

  test('fails in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), fail('overloaded')] });
    await expect(client.messages.stream(REQUEST).finalMessage()).rejects.toThrow('overloaded_error');
  });

  test('a connection is cut in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), cut()] });
    const texts: string[] = [];
    const stream = client.messages.stream(REQUEST).on('text', (text) => texts.push(text));
    await expect(stream.finalMessage()).rejects.toThrow();
    expect(texts.join('')).toBe('I begin');
  });

  test('a hang sends nothing until the client goes', async () => {
    const { server, client } = await start({ script: () => hang() });
    const abort = new AbortController();
    const pending = client.messages.create(REQUEST, { signal: abort.signal });
    await server.waitFor(({ kind }) => kind === 'main');
    abort.abort();
    await expect(pending).rejects.toThrow('aborted');
  });

  test('a refusal is a reason to stop', async () => {
    const { client } = await start({ script: () => refuse() });
    await expect(client.messages.stream(REQUEST).finalMessage()).resolves.toMatchObject({ stop_reason: 'refusal', content: [] });
  });

  test('calls without tools, counts and probes do not reach the script', async () => {
    const { server, client } = await start({ script: () => fail('internal'), models: [MODEL] });
    await expect(client.messages.create({ ...REQUEST, tools: [] })).resolves.toMatchObject({ content: [{ text: 'A task' }] });
    await expect(client.messages.countTokens(REQUEST)).resolves.toEqual({ input_tokens: expect.any(Number) });
    await expect(client.models.list()).resolves.toMatchObject({ data: [{ id: MODEL }] });
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
    expect(server.turns).toEqual([]);
    expect(server.sideTurns).toHaveLength(1);
    expect(server.requests.map(({ kind }) => kind)).toEqual(['side', 'other', 'other', 'other', 'unknown']);
  });

  test('another script counts its calls from the first', async () => {
    const { server, client } = await start({ script: inOrder(say('1'), say('2')) });
    const answer = async () => (await client.messages.create(REQUEST)).content;
    await expect(answer()).resolves.toMatchObject([{ text: '1' }]);
    await expect(answer()).resolves.toMatchObject([{ text: '2' }]);
    server.script = inOrder(say('one'), say('two'));
    await expect(answer()).resolves.toMatchObject([{ text: 'one' }]);
  });

  test('models and credentials that are not known are refused', async () => {
    const { server, client } = await start({ script: () => say('Yes'), models: [MODEL], forbiddenModels: ['secret'], credentials: ['key'] });
    await expect(client.messages.create({ ...REQUEST, model: 'gone' })).rejects.toThrow(/404.*model: gone/);
    await expect(client.messages.create({ ...REQUEST, model: 'secret' })).rejects.toThrow('permission_error');
    await expect(client.withOptions({ apiKey: 'stolen' }).messages.create(REQUEST)).rejects.toThrow('authentication_error');
    expect(server.turns).toEqual([]);
  });

  test.each([
    ['a field that nobody knows', { prompt: 'x' }, 'prompt: Extra inputs are not permitted'],
    ['no messages', { messages: [] }, 'at least one message is required'],
    ['an empty text', { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }, 'text content blocks must be non-empty'],
    ['the first message from the model', { messages: [{ role: 'assistant', content: 'Hi' }] }, 'first message must use the'],
    ['a role that nobody has', { messages: [{ role: 'tool', content: 'Hi' }] }, 'messages.0.role'],
    ['a tool without a schema', { tools: [{ name: 'read' }] }, 'input_schema'],
    ['two tools of one name', { tools: [TOOLS[0], TOOLS[0]] }, 'Tool names must be unique'],
    ['a call without a result', {
      messages: [...REQUEST.messages, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] }, { role: 'user', content: 'Well?' }],
    }, 'without `tool_result` blocks immediately after: toolu_1'],
    ['a result without a call', { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }] }] }, 'unexpected `tool_use_id`'],
  ])('fails for %s', async (_, change, message) => {
    const { client } = await start({ script: () => say('Never') });
    await expect(client.messages.create({ ...REQUEST, ...change } as Anthropic.MessageCreateParamsNonStreaming)).rejects.toThrow(message);
  });
});
