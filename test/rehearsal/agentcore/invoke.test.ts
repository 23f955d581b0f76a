import { readdirSync, readFileSync } from 'node:fs';
import { AgentHandler, AgentSession } from '../../../rehearsal/agentcore';
import { ServerFixture } from '../../support/agentcore';

/** A program with the container contract. It answers `fail` with that status, `stream` with events, anything else with the request. */
const PROGRAM = `
const http = require('http');
http.createServer((request, response) => {
  if (request.url === '/ping') return response.end(JSON.stringify({ status: 'Healthy' }));
  let body = '';
  request.on('data', chunk => body += chunk).on('end', () => {
    const input = JSON.parse(body);
    if (input.fail) return response.writeHead(input.fail).end(JSON.stringify({ error: 'no model' }) + 'x'.repeat(input.more ?? 0));
    if (input.headers) return response.end(JSON.stringify(request.headers));
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

  test('passes the payload to the container contract and returns its reply', async () => {
    const reply = await fixture.invoke({ prompt: 'fix it' });
    expect(reply).toMatchObject({ statusCode: 200, contentType: 'application/json', runtimeSessionId: fixture.sessionId });
    expect(JSON.parse(await reply.text())).toEqual({ input: { prompt: 'fix it' }, session: fixture.sessionId, cwd: '/mnt/workspace' });
  });

  test('passes on the headers for distributed tracing, and no others', async () => {
    const reply = await fixture.invoke({ headers: true }, { baggage: 'a=b%20c', traceParent: '00-1-2-01' });
    const headers = JSON.parse(await reply.text());
    expect(headers).toMatchObject({ baggage: 'a=b%20c', traceparent: '00-1-2-01' });
    expect(headers).not.toHaveProperty('tracestate');
    expect(headers).not.toHaveProperty('authorization');
    expect(fixture.server.calls.of('InvokeAgentRuntime').at(-1)).toMatchObject({ traceHeaders: { baggage: 'a=b%20c', traceparent: '00-1-2-01' } });
  });

  test('takes baggage of 8,192 characters, and not of one more', async () => {
    expect((await fixture.invoke({}, { baggage: `a=${'b'.repeat(8_190)}` })).statusCode).toBe(200);
    await expect(fixture.invoke({}, { baggage: `a=${'b'.repeat(8_191)}` })).rejects.toThrow('baggage must have at most 8192 characters, not 8193');
  });

  test('streams server-sent events', async () => {
    const reply = await fixture.invoke({ stream: 3 });
    expect(reply.contentType).toBe('text/event-stream');
    expect(await reply.text()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n');
  });

  test.each([400, 500])('fails with RuntimeClientError when the container answers %d', async status => {
    await expect(fixture.invoke({ fail: status })).rejects.toMatchObject({ name: 'RuntimeClientError', $metadata: { httpStatusCode: 424 } });
  });

  test('the container\'s error output is in the log, in readable length', async () => {
    const sessionId = `${fixture.sessionId}-complaint`;
    await expect(fixture.invoke({ fail: 503, more: 1_000_000 }, { runtimeSessionId: sessionId })).rejects.toThrow('Received error (503) from runtime');

    const log = fixture.server.logs.read({ runtimeId: fixture.arn.split('/')[1], endpoint: 'DEFAULT', sessionId });
    expect(log).toMatch(/^the agent answered 503: {"error":"no model"}x+\n$/);
    expect(log.length).toBeLessThan(2_100);
  });
});

describe('InvokeAgentRuntime with a program that breaks the contract', () => {
  test('fails if it ends before it is healthy, with its output in the log', async () => {
    const fixture = await ServerFixture.start({ agent: { command: ['bash', '-c', 'echo no model >&2; exit 9'] } });
    await expect(fixture.invoke({})).rejects.toThrow('Received error (the agent ended with exit code 9 before it was healthy) from runtime');
    expect(fixture.server.logs.read({ runtimeId: fixture.arn.split('/')[1], endpoint: 'DEFAULT', sessionId: fixture.sessionId })).toBe('no model\n');
    await fixture.close();
  });

  test('fails if it is not healthy within 60 s', async () => {
    const long = `1000.${process.pid}`; // not a file of another test
    const fixture = await ServerFixture.start({ agent: { command: ['sleep', long] } });
    const received = fixture.server.calls.next();
    const invoking = fixture.invoke({}).catch((error: Error) => error.message);
    await received;
    while (readdirSync('/proc').every(pid => !commandLine(pid).startsWith(`sleep\x00${long}`))) {
      await new Promise(resolve => setImmediate(resolve));
    }
    await fixture.clock.advance(60_000);
    expect(await invoking).toContain('Runtime initialization time exceeded');
    await fixture.close();
  });

  test('fails if it dies during an invocation', async () => {
    const fixture = await ServerFixture.start({ agent: { command: ['node', '-e', PROGRAM.replace('input.fail', 'process.exit(1)')] } });
    await expect(fixture.invoke({})).rejects.toThrow('Received error (502) from runtime');
    await fixture.close();
  });
});

describe('InvokeAgentRuntime with a scripted agent', () => {
  let fixture: ServerFixture;
  let handler: AgentHandler;
  beforeEach(async () => {
    fixture = await ServerFixture.start({ agent: { handler: (request, session) => handler(request, session) } });
  });
  afterEach(() => fixture.close());

  test('runs the handler with commands in the session\'s sandbox', async () => {
    handler = async (request, session) => {
      const { stdout } = await session.exec('echo changed >/mnt/workspace/file; cat /mnt/workspace/file');
      return { prompt: request.json(), stdout, session: session.id, user: request.userId };
    };
    const reply = await fixture.invoke('hello', { runtimeUserId: 'someone' });
    expect(JSON.parse(await reply.text())).toEqual({ prompt: 'hello', stdout: 'changed\n', session: fixture.sessionId, user: 'someone' });
    expect((await fixture.command('cat /mnt/workspace/file')).stdout).toBe('changed\n');
  });

  test('runs words unchanged, in a directory and an environment of their own', async () => {
    handler = (_, session) => session.exec(['bash', '-c', 'pwd; echo "$1 $A"; exit 4', 'bash', '$HOME *'], { workingDirectory: '/mnt', environment: { A: 'b' } });
    expect(JSON.parse(await (await fixture.invoke({})).text())).toEqual({ exitCode: 4, stdout: '/mnt\n$HOME * b\n', stderr: '' });
  });

  test('answers with the given content type and body', async () => {
    handler = () => ({ contentType: 'text/plain', body: 'plain' });
    const reply = await fixture.invoke({});
    expect([reply.contentType, await reply.text()]).toEqual(['text/plain', 'plain']);
  });

  test('fails if the handler throws, with its error in the log', async () => {
    handler = () => {
      throw new Error('model refused');
    };
    await expect(fixture.invoke({})).rejects.toThrow('Received error (500) from runtime');
    expect(fixture.server.logs.read({ runtimeId: fixture.arn.split('/')[1], endpoint: 'DEFAULT', sessionId: fixture.sessionId })).toContain('model refused');
  });

  test('fails if an answer that is not streamed takes more than 15 minutes', async () => {
    let asked = () => {};
    const called = new Promise<void>(resolve => asked = resolve);
    handler = (_, session) => new Promise(() => {
      session.signal.addEventListener('abort', () => fixture.server.logs.append(key, 'told to stop\n'));
      asked();
    });
    const key = { runtimeId: fixture.arn.split('/')[1], endpoint: 'DEFAULT', sessionId: fixture.sessionId };
    const invoking = fixture.invoke({}).catch((error: Error) => error.message);
    await called;
    await fixture.clock.advance(900_000);
    expect(await invoking).toContain('Received error (504) from runtime');
    expect(fixture.server.logs.read(key)).toBe('told to stop\n');
  });

  test('allows a stream to exceed 15 minutes, and cuts it after 60', async () => {
    handler = () => ({ contentType: 'text/event-stream', body: forever() });
    const reply = await fixture.invoke({});
    const reading = reply.text().catch((error: Error) => error.message);
    await fixture.clock.advance(3_599_000);
    await fixture.command('true');
    expect(fixture.server.calls.of('InvokeAgentRuntime')[0].outcome).toBeUndefined();
    await fixture.clock.advance(1_000);
    expect(await reading).toBe('aborted');
  });

  test.each([['continue', 'yes'], ['kill', 'no']] as const)('when the client disconnects, an agent may %s', async (onDisconnect, wentOn) => {
    const other = await ServerFixture.start({ agent: { handler: (_, session) => ({ contentType: 'text/event-stream', body: slow(session) }) } }, { onDisconnect });
    const reply = await other.invoke({});
    for await (const chunk of reply.response as unknown as AsyncIterable<Buffer>) {
      expect(chunk.toString()).toBe('first');
      break;
    }
    other.client.destroy();
    const ended = (await other.command('touch /tmp/go; for i in {1..50}; do [ -e /tmp/went-on ] && break; sleep 0.01; done; ls /tmp/went-on')).exitCode === 0;
    expect(ended ? 'yes' : 'no').toBe(wentOn);
    await other.close();
  });

  test('fails for a runtime that has no agent, but runs commands', async () => {
    const other = await ServerFixture.start();
    await expect(other.invoke({})).rejects.toThrow('there is no agent for this runtime');
    expect((await other.command('echo fine')).stdout).toBe('fine\n');
    await other.close();
  });
});

async function* forever(): AsyncIterable<string> {
  yield 'data: 1\n\n';
  await new Promise(() => undefined);
}

async function* slow(session: AgentSession): AsyncIterable<string> {
  yield 'first';
  await session.exec('until [ -e /tmp/go ]; do sleep 0.01; done');
  yield 'second';
  await session.exec('touch /tmp/went-on');
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
