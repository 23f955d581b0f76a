import {
  BedrockRuntimeClient, BedrockRuntimeClientConfig, ConverseCommand, ConverseCommandInput, ConverseStreamCommand, CountTokensCommand,
  InvokeModelCommand, InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { call, cut, fail, inOrder, longText, ModelServer, ModelServerOptions, refuse, say } from '../support/models';

const MODEL = 'eu.anthropic.claude-opus-4-8';
const SCHEMA = { type: 'object', properties: { path: { type: 'string' } } };
const CONVERSE: ConverseCommandInput = {
  modelId: MODEL,
  messages: [{ role: 'user', content: [{ text: 'Fix it' }] }],
  toolConfig: { tools: [{ toolSpec: { name: 'read', inputSchema: { json: SCHEMA } } }] },
};
const BODY = {
  anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages: [{ role: 'user', content: 'Fix it' }], tools: [{ name: 'read', input_schema: SCHEMA }],
};

const servers: ModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options: ModelServerOptions, config: BedrockRuntimeClientConfig = {}) {
  const server = await ModelServer.start(options);
  servers.push(server);
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const requestHandler = new NodeHttpHandler();
  const client = new BedrockRuntimeClient({ endpoint: server.url, region: 'eu-central-1', maxAttempts: 1, credentials, requestHandler, ...config });
  return { server, client };
}

/** Returns all events of a stream of `ConverseStream`. */
async function converse(client: BedrockRuntimeClient, input: ConverseCommandInput = CONVERSE) {
  const { stream } = await client.send(new ConverseStreamCommand(input));
  const events = [];
  for await (const event of stream!) {
    events.push(event);
  }
  return events;
}

/** Returns all events of a stream of `InvokeModelWithResponseStream`. */
async function invoke(client: BedrockRuntimeClient, body: object = BODY, modelId = MODEL) {
  const { body: stream } = await client.send(new InvokeModelWithResponseStreamCommand({ modelId, contentType: 'application/json', body: JSON.stringify(body) }));
  const events = [];
  for await (const { chunk } of stream!) {
    events.push(JSON.parse(Buffer.from(chunk!.bytes!).toString('utf8')));
  }
  return events;
}

describe('Converse, read by the client of Bedrock Runtime', () => {
  test('a tool is called in a stream, and its result comes back to the script', async () => {
    const { server, client } = await start({ script: inOrder([say('I look.'), call('read', { path: 'ä.txt' })], say('Fixed.')) });
    const events = await converse(client);
    const { toolUseId } = events.find(({ contentBlockStart }) => contentBlockStart)!.contentBlockStart!.start!.toolUse!;
    expect(events.map(({ contentBlockDelta }) => contentBlockDelta?.delta?.toolUse?.input ?? '').join('')).toBe('{"path":"ä.txt"}');
    expect(events.at(-2)).toEqual({ messageStop: { stopReason: 'tool_use' } });
    expect(events.at(-1)!.metadata!.usage).toMatchObject({ inputTokens: 1_000, outputTokens: 50, cacheReadInputTokens: 200 });
    const answer = await client.send(new ConverseCommand({
      ...CONVERSE,
      messages: [
        ...CONVERSE.messages!,
        { role: 'assistant', content: [{ text: 'I look.' }, { toolUse: { toolUseId, name: 'read', input: { path: 'ä.txt' } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId, content: [{ text: 'Hello' }], status: 'error' } }] },
      ],
    }));
    expect(answer).toMatchObject({ stopReason: 'end_turn', output: { message: { content: [{ text: 'Fixed.' }] } } });
    expect(server.turns).toMatchObject([
      { wire: 'bedrock-converse', model: MODEL, callNumber: 1, stream: true, lastUserText: 'Fix it' },
      { callNumber: 2, stream: false, toolResults: [{ id: toolUseId, text: 'Hello', isError: true }] },
    ]);
    expect(server.credentials).toEqual(['AKIDEXAMPLE']);
  });

  test.each([
    ['rateLimit', 'ThrottlingException', 429],
    ['overloaded', 'ServiceUnavailableException', 503],
    ['unauthorized', 'UnrecognizedClientException', 403],
    ['expired', 'ExpiredTokenException', 403],
    ['modelNotAllowed', 'AccessDeniedException', 403],
    ['modelUnknown', 'ValidationException', 400],
    ['modelRetired', 'ResourceNotFoundException', 404],
    ['contextFull', 'ValidationException', 400],
    ['internal', 'InternalServerException', 500],
  ] as const)('fails with %s as %s', async (failure, name, httpStatusCode) => {
    const { client } = await start({ script: () => fail(failure) });
    await expect(converse(client)).rejects.toMatchObject({ name, $metadata: { httpStatusCode }, message: expect.stringMatching(/\w+ \w+/) });
  });

  test('fails in the middle of a stream', async () => {
    const { client } = await start({ script: () => [say('I begin'), fail('rateLimit')] });
    await expect(converse(client)).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Too many requests, please wait before trying again.' });
  });

  test('a stream that is cut has no end', async () => {
    const { client } = await start({ script: () => [say('I begin'), cut()] });
    await expect(converse(client)).rejects.toThrow();
  });

  test('a refusal is a reason to stop', async () => {
    const { client } = await start({ script: () => refuse() });
    expect(await converse(client)).toContainEqual({ messageStop: { stopReason: 'content_filtered' } });
  });

  test.each([
    ['a text of spaces', { messages: [{ role: 'user', content: [{ text: ' ' }] }] }, 'is blank'],
    ['the first message from the model', { messages: [{ role: 'assistant', content: [{ text: 'Hi' }] }] }, 'must start with a user message'],
    ['two messages of the user', { messages: [...CONVERSE.messages!, ...CONVERSE.messages!] }, 'must alternate'],
    ['a call without a result', {
      messages: [
        ...CONVERSE.messages!,
        { role: 'assistant', content: [{ toolUse: { toolUseId: 't1', name: 'read', input: {} } }] },
        { role: 'user', content: [{ text: 'Well?' }] },
      ],
    }, 'Expected toolResult blocks at messages.2.content for the following Ids: t1'],
    ['a result without a call', { messages: [{ role: 'user', content: [{ toolResult: { toolUseId: 't1', content: [{ text: 'x' }] } }] }] }, 'exceeds'],
    ['a model that nobody can name', { modelId: 'no model' }, 'The provided model identifier is invalid.'],
    ['a newer model without a profile', { modelId: 'anthropic.claude-opus-4-8' }, 'inference profile that contains this model'],
  ] as [string, Partial<ConverseCommandInput>, string][])('fails for %s', async (_, change, message) => {
    const { client } = await start({ script: () => say('Never') });
    await expect(client.send(new ConverseCommand({ ...CONVERSE, ...change }))).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining(message) });
  });
});

describe('InvokeModel, read by the client of Bedrock Runtime', () => {
  test('the events of a stream are those of Anthropic Messages, with the metrics of the service', async () => {
    const { server, client } = await start({ script: () => [say('I look.'), call('read', { path: 'x' })] });
    const events = await invoke(client);
    expect(events.map(({ type }) => type)).toEqual([
      'message_start', 'content_block_start', 'content_block_delta', 'content_block_stop',
      'content_block_start', 'content_block_delta', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop',
    ]);
    expect(events.at(-1)['amazon-bedrock-invocationMetrics']).toMatchObject({ inputTokenCount: 1_000 });
    expect(server.turns).toMatchObject([{ wire: 'bedrock-invoke', model: MODEL, stream: true, lastUserText: 'Fix it' }]);
  });

  test('an answer without a stream is one message, for the ARN of a profile too', async () => {
    const modelId = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123';
    const { server, client } = await start({ script: () => say('Done.') });
    const { body } = await client.send(new InvokeModelCommand({ modelId, body: JSON.stringify(BODY) }));
    expect(JSON.parse(Buffer.from(body).toString('utf8'))).toMatchObject({ content: [{ text: 'Done.' }], stop_reason: 'end_turn' });
    expect(server.turns).toMatchObject([{ model: modelId }]);
  });

  test('an enormous text arrives whole', async () => {
    const text = longText(1_000_000);
    const { client } = await start({ script: () => say(text) });
    expect((await invoke(client)).map(({ delta }) => delta?.text ?? '').join('')).toBe(text);
  });

  test('a bearer token takes the place of a signature', async () => {
    const { server, client } = await start({ script: () => say('Done.') }, { token: { token: 'bedrock-api-key' }, authSchemePreference: ['httpBearerAuth'] });
    await invoke(client);
    expect(server.credentials).toEqual(['bedrock-api-key']);
  });

  test('fails for a body without the version of Bedrock', async () => {
    const { client } = await start({ script: () => say('Never') });
    await expect(invoke(client, { ...BODY, anthropic_version: undefined })).rejects.toThrow('anthropic_version: Field required');
  });

  test('fails for a body with the model of the other API', async () => {
    const { client } = await start({ script: () => say('Never') });
    await expect(invoke(client, { ...BODY, model: MODEL })).rejects.toThrow('model: Extra inputs are not permitted');
  });

  test('fails for a request without a signature', async () => {
    const { server } = await start({ script: () => say('Never') });
    const response = await fetch(`${server.url}/model/${MODEL}/invoke`, { method: 'POST', body: '{}' });
    expect(response.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    expect(response.status).toBe(403);
  });

  test('fails for a temporary key without its token', async () => {
    const { client } = await start({ script: () => say('Never') }, { credentials: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret' } });
    await expect(invoke(client)).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  test('tokens are counted beside the conversation', async () => {
    const { server, client } = await start({ script: () => fail('internal') });
    const input = { invokeModel: { body: Buffer.from(JSON.stringify(BODY)) } };
    await expect(client.send(new CountTokensCommand({ modelId: MODEL, input }))).resolves.toMatchObject({ inputTokens: expect.any(Number) });
    expect(server.turns).toEqual([]);
  });
});
