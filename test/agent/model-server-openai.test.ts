import OpenAI from 'openai';
import { call, cut, fail, inOrder, longText, ModelServer, ModelServerOptions, refuse, say } from '../support/models';

const MODEL = 'gpt-5.1';
const PARAMETERS = { type: 'object', properties: { path: { type: 'string' } } };
const RESPONSE = {
  model: MODEL,
  input: [{ role: 'user' as const, content: 'Fix it' }] as OpenAI.Responses.ResponseInputItem[],
  tools: [
    { type: 'function' as const, name: 'read', parameters: PARAMETERS, strict: false }, { type: 'custom' as const, name: 'patch' },
  ] as OpenAI.Responses.Tool[],
};
const CHAT = {
  model: MODEL,
  messages: [{ role: 'user', content: 'Fix it' }] as OpenAI.ChatCompletionMessageParam[],
  tools: [{ type: 'function', function: { name: 'read', parameters: PARAMETERS } }] as OpenAI.ChatCompletionTool[],
};

const servers: ModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options: ModelServerOptions) {
  const server = await ModelServer.start(options);
  servers.push(server);
  return { server, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-key', maxRetries: 0 }) };
}

const FAILURES = [
  ['rateLimit', 429, 'rate_limit_exceeded'],
  ['quota', 429, 'insufficient_quota'],
  ['overloaded', 503, 'server_is_overloaded'],
  ['unauthorized', 401, 'invalid_api_key'],
  ['modelNotAllowed', 403, 'model_not_found'],
  ['modelUnknown', 404, 'model_not_found'],
  ['contextFull', 400, 'context_length_exceeded'],
  ['internal', 500, 'server_error'],
] as const;

describe('Responses, read by the client of OpenAI', () => {
  test('tools of both kinds are called in a stream, and their results come back to the script', async () => {
    const { server, client } = await start({ script: inOrder([say('I look.'), call('read', { path: 'ä.txt' }), call('patch', '*** Begin')], say('Fixed.')) });
    const first = await client.responses.stream(RESPONSE).finalResponse();
    expect(first).toMatchObject({
      status: 'completed',
      output: [{ content: [{ text: 'I look.' }] }, { type: 'function_call', arguments: '{"path":"ä.txt"}' }, { type: 'custom_tool_call', input: '*** Begin' }],
      usage: { input_tokens: 1_200, input_tokens_details: { cached_tokens: 200 }, output_tokens: 50 },
    });
    const [, read, patch] = first.output as unknown as { call_id: string }[];
    const second = await client.responses.create({
      ...RESPONSE,
      instructions: 'Be quick.',
      input: [
        ...RESPONSE.input,
        ...first.output as OpenAI.Responses.ResponseInputItem[],
        { type: 'function_call_output', call_id: read.call_id, output: 'Hello' },
        { type: 'custom_tool_call_output', call_id: patch.call_id, output: 'Done' },
      ],
    });
    expect(second.output_text).toBe('Fixed.');
    expect(server.turns).toMatchObject([
      { wire: 'openai-responses', model: MODEL, callNumber: 1, lastUserText: 'Fix it', stream: true },
      { callNumber: 2, system: 'Be quick.', toolResults: [{ id: read.call_id, text: 'Hello' }, { id: patch.call_id, text: 'Done' }] },
    ]);
    expect(server.credentials).toEqual(['sk-key']);
  });

  test('tools in the input are tools, and calls name their namespace', async () => {
    const { server, client } = await start({ script: () => call('run', { cmd: 'ls' }) });
    const tools = [{ type: 'namespace', name: 'functions', description: '', tools: [{ type: 'function', name: 'run', parameters: PARAMETERS }] }];
    const input = [{ type: 'additional_tools', role: 'developer', tools }, ...RESPONSE.input] as OpenAI.Responses.ResponseInputItem[];
    const { output } = await client.responses.create({ model: MODEL, input });
    expect(output).toMatchObject([{ type: 'function_call', name: 'run', namespace: 'functions' }]);
    expect(server.turns).toMatchObject([{ tools: [{ name: 'run' }] }]);
  });

  test('a signature for the same API of Amazon Bedrock takes the place of a key', async () => {
    const { server } = await start({ script: () => say('Done.') });
    const authorization = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/us-east-1/bedrock-mantle/aws4_request, '
      + `SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
    const send = (headers: { authorization: string }) => (
      fetch(`${server.url}/v1/responses`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(RESPONSE) }));
    expect((await send({ authorization })).status).toBe(200);
    expect((await send({ authorization: authorization.replace('bedrock-mantle', 'bedrock') })).status).toBe(200);
    expect((await send({ authorization: authorization.replace('bedrock-mantle', 's3') })).status).toBe(401);
    expect(server.credentials).toEqual(['AKIDEXAMPLE']);
  });

  test('an enormous text arrives whole', async () => {
    const text = longText(1_000_000);
    const { client } = await start({ script: () => say(text) });
    expect((await client.responses.stream(RESPONSE).finalResponse()).output_text).toBe(text);
  });

  test.each(FAILURES)('fails with %s as %i %s', async (failure, status, code) => {
    const { client } = await start({ script: () => fail(failure) });
    await expect(client.responses.create({ ...RESPONSE, stream: true })).rejects.toMatchObject({ status, code });
  });

  test('fails in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), fail('rateLimit')] });
    const events = [];
    for await (const event of await client.responses.create({ ...RESPONSE, stream: true })) {
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'failed', error: { code: 'rate_limit_exceeded' } } });
  });

  test('a connection is cut in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), cut()] });
    await expect(client.responses.stream(RESPONSE).finalResponse()).rejects.toThrow();
  });

  test('a refusal leaves the response incomplete', async () => {
    const { client } = await start({ script: () => refuse() });
    await expect(client.responses.create(RESPONSE)).resolves.toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
  });

  test.each([
    ['a parameter that nobody knows', { max_tokens: 7 }, 'Unknown parameter: \'max_tokens\'.'],
    ['an unknown part', { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }, 'Supported values are: \'input_text\''],
    ['a call without an output', { input: [...RESPONSE.input, { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' }] }, 'No tool output found'],
    ['an output without a call', { input: [{ type: 'function_call_output', call_id: 'c1', output: 'x' }] }, 'No tool call found'],
  ])('fails for %s', async (_, change, message) => {
    const { client } = await start({ script: () => say('Never') });
    await expect(client.responses.create({ ...RESPONSE, ...change } as OpenAI.Responses.ResponseCreateParamsNonStreaming)).rejects.toThrow(message);
  });
});

describe('Chat Completions, read by the client of OpenAI', () => {
  test('a tool is called in a stream, and its result comes back to the script', async () => {
    const { server, client } = await start({ script: inOrder([say('I look.'), call('read', { path: 'ä.txt' })], say('Fixed.')) });
    const stream = client.chat.completions.stream({ ...CHAT, stream_options: { include_usage: true } });
    const { choices: [{ message, finish_reason }], usage } = await stream.finalChatCompletion();
    expect(message).toMatchObject({ content: 'I look.', tool_calls: [{ function: { name: 'read', arguments: '{"path":"ä.txt"}' } }] });
    expect(finish_reason).toBe('tool_calls');
    expect(usage).toMatchObject({ prompt_tokens: 1_200, completion_tokens: 50 });
    const { id } = message.tool_calls![0];
    const second = await client.chat.completions.create({
      ...CHAT, messages: [{ role: 'system', content: 'Be quick.' }, ...CHAT.messages, message, { role: 'tool', tool_call_id: id, content: 'Hello' }],
    });
    expect(second.choices).toMatchObject([{ message: { content: 'Fixed.' }, finish_reason: 'stop' }]);
    expect(server.turns).toMatchObject([
      { wire: 'openai-chat', callNumber: 1, lastUserText: 'Fix it' },
      { callNumber: 2, system: 'Be quick.', lastUserText: 'Fix it', toolResults: [{ id, text: 'Hello' }] },
    ]);
  });

  test.each(FAILURES)('fails with %s as %i %s', async (failure, status, code) => {
    const { client } = await start({ script: () => fail(failure) });
    await expect(client.chat.completions.create(CHAT)).rejects.toMatchObject({ status, code });
  });

  test('fails in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), fail('overloaded')] });
    await expect(client.chat.completions.stream(CHAT).finalChatCompletion()).rejects.toThrow('overloaded');
  });

  test('a refusal is a reason to stop', async () => {
    const { client } = await start({ script: () => refuse() });
    expect((await client.chat.completions.create(CHAT)).choices[0].finish_reason).toBe('content_filter');
  });

  test('a program without tools has its conversation in calls without tools', async () => {
    const { server, client } = await start({ script: () => fail('internal'), sideScript: ({ lastUserText }) => say(`${lastUserText}: done`), models: [MODEL] });
    expect((await client.chat.completions.create({ ...CHAT, tools: undefined })).choices[0].message.content).toBe('Fix it: done');
    expect((await client.models.list()).data).toMatchObject([{ id: MODEL }]);
    expect(server.sideTurns).toHaveLength(1);
  });

  test.each([
    ['a call without a result', { messages: [...CHAT.messages, { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } }] }] }, 'must be followed by tool messages'],
    ['a result without a call', { messages: [{ role: 'tool', tool_call_id: 'c1', content: 'x' }] }, 'must be a response'],
    ['a message without content', { messages: [{ role: 'user', content: null }] }, 'expected a string, got null'],
  ])('fails for %s', async (_, change, message) => {
    const { client } = await start({ script: () => say('Never') });
    await expect(client.chat.completions.create({ ...CHAT, ...change } as OpenAI.ChatCompletionCreateParamsNonStreaming)).rejects.toThrow(message);
  });
});
