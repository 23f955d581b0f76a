import { AgentRequest, AgentSession } from '../../../rehearsal/agentcore';
import { ServerFixture } from '../../support/agentcore';

/** A program with the container contract. `fail` is answered with that status, `stream` with events, the rest with what was asked. */
const PROGRAM = `
const http = require('http');
http.createServer((request, response) => {
  if (request.url === '/ping') return response.end(JSON.stringify({ status: 'Healthy' }));
  let body = '';
  request.on('data', chunk => body += chunk).on('end', () => {
    const input = JSON.parse(body);
    if (input.fail) return response.writeHead(input.fail).end('{}');
    if (input.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < input.stream; i++) response.write('data: ' + i + '\\n\\n');
      return response.end();
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ input, session: request.headers['x-amzn-bedrock-agentcore-runtime-session-id'], cwd: process.cwd() }));
  });
}).listen(process.env.PORT);
`;

describe('InvokeAgentRuntime with a program as agent', () => {
  let fixture: ServerFixture;
  beforeAll(async () => {
    fixture = await ServerFixture.start({ agent: { command: ['node', '-e', PROGRAM], workingDirectory: '/mnt/workspace' } });
  });
  afterAll(() => fixture.close());

  test('hands the payload to the container contract and its reply back', async () => {
    const reply = await fixture.invoke({ prompt: 'fix it' });
    expect(reply).toMatchObject({ statusCode: 200, contentType: 'application/json', runtimeSessionId: fixture.sessionId });
    expect(JSON.parse(await reply.text())).toEqual({ input: { prompt: 'fix it' }, session: fixture.sessionId, cwd: '/mnt/workspace' });
  });

  test('streams server-sent events', async () => {
    const reply = await fixture.invoke({ stream: 3 });
    expect(reply.contentType).toBe('text/event-stream');
    expect(await reply.text()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n');
  });

  test.each([400, 500])('fails with RuntimeClientError when the container answers %d', async status => {
    await expect(fixture.invoke({ fail: status })).rejects.toMatchObject({ name: 'RuntimeClientError', $metadata: { httpStatusCode: 424 } });
  });
});

describe('InvokeAgentRuntime with a scripted agent', () => {
  test('runs the handler with commands in the session\'s sandbox', async () => {
    const handler = async (request: AgentRequest, session: AgentSession) => {
      const { stdout } = await session.exec('echo changed >/mnt/workspace/file; cat /mnt/workspace/file');
      return { prompt: request.json(), stdout, session: session.id };
    };
    const fixture = await ServerFixture.start({ agent: { handler } });
    const reply = await fixture.invoke('hello');
    expect(JSON.parse(await reply.text())).toEqual({ prompt: 'hello', stdout: 'changed\n', session: fixture.sessionId });
    expect((await fixture.command('cat /mnt/workspace/file')).stdout).toBe('changed\n');
    await fixture.close();
  });
});
