import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { request as httpRequest } from 'http';
import { createConnection } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { AgentDefinition } from '../../src/agent/constants';
import { serve } from '../../src/agent/runner/serve';

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
}

const root = mkdtempSync(join(tmpdir(), 'serve-'));
const environment = { PATH: process.env.PATH };
const GO = join(root, 'go');
// The agent begins, says so, and waits for the file before it ends.
const WAITING: AgentDefinition = {
  program: 'custom',
  name: 'fixer',
  command: `cat > "${root}/prompt"; echo begun; until [ -e "${GO}" ]; do sleep 0.02; done; echo done`,
};

let stop: AbortController;
let port: number;
let closed: Promise<void>;

beforeAll(() => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
beforeEach(() => rmSync(GO, { force: true }));
afterEach(async () => {
  stop.abort();
  await closed;
});
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true });
});

async function start(definition: AgentDefinition) {
  stop = new AbortController();
  ({ port, closed } = await serve(definition, { environment, port: 0, signal: stop.signal, temporary: root }));
}

function send(method: string, path: string, body?: string | Buffer, headers: { readonly [name: string]: string } = {}) {
  const events = { seen: '', waiting: () => {} };
  const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers: { 'content-type': 'application/json', ...headers }, agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        events.seen += text;
        events.waiting();
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, type: response.headers['content-type'], text: events.seen }));
    });
  });
  outgoing.end(body);
  const saw = async (text: string) => {
    while (!events.seen.includes(text)) await new Promise<void>((resolve) => events.waiting = resolve);
  };
  return { answer, saw, leave: () => outgoing.destroy() };
}

const ask = (payload: unknown, headers = {}) => send('POST', '/invocations', typeof payload === 'string' ? payload : JSON.stringify(payload), headers);
const ping = async () => JSON.parse((await send('GET', '/ping').answer).text) as { readonly status: string; readonly time_of_last_update: number };
const lastEvent = ({ text }: Answer) => JSON.parse(/data: (.*)\n\n$/.exec(text)![1]) as unknown;
const TASK = { prompt: 'Mend it', taskId: 'task-1', round: 0, workspace: root };

describe('an invocation', () => {
  test('is a stream of progress, and its last event is the report', async () => {
    await start({ program: 'custom', name: 'fixer', command: 'echo "I got: $(cat)"; echo done' });
    const answer = await ask({ ...TASK, instructions: 'Be brief.', feedback: { gate: 'test' } }).answer;
    expect(answer).toMatchObject({ status: 200, type: 'text/event-stream' });
    expect(answer.text).toMatch(/^event: progress\ndata: \{"progress":"I got: Be brief\."\}\n\n/);
    expect(answer.text).toContain('event: progress\ndata: {"progress":"Mend it"}\n\n');
    expect(answer.text).toMatch(/event: report\ndata: .*\n\n$/);
    expect(lastEvent(answer)).toEqual({ name: 'fixer', summary: 'I got: Be brief.\n\nMend it\ndone' });
  });

  test('may have null in place of what is left out', async () => {
    await start({ program: 'custom', name: 'fixer', command: 'cat' });
    const answer = await ask({ prompt: 'Mend it', taskId: null, round: null, workspace: null, instructions: null, feedback: null }).answer;
    expect(lastEvent(answer)).toEqual({ name: 'fixer', summary: 'Mend it' });
  });

  test('that fails has the error in its report', async () => {
    await start({ program: 'custom', command: 'echo broken >&2; exit 3' });
    const error = { name: 'Agent.Failed', message: expect.stringMatching(/exit code 3\. broken — /) };
    expect(lastEvent(await ask(TASK).answer)).toMatchObject({ error });
    const answer = await ask(TASK, { accept: 'application/json' }).answer;
    expect({ ...answer, text: JSON.parse(answer.text) }).toMatchObject({ status: 500, type: 'application/json', text: { error } });
  });

  test('is one JSON document for a client that accepts nothing else', async () => {
    await start({ program: 'custom', name: 'fixer', command: 'echo done' });
    const answer = await ask(TASK, { accept: 'application/json' }).answer;
    expect({ ...answer, text: JSON.parse(answer.text) }).toEqual({ status: 200, type: 'application/json', text: { name: 'fixer', summary: 'done' } });
  });

  test.each<[string, string | object, number, string]>([
    ['no JSON', '{"prompt": ', 400, 'the body must be JSON ('],
    ['nothing', '', 400, 'the body must be JSON ('],
    ['a list', '[]', 400, 'the body must be a JSON object such as {"prompt": '],
    ['no prompt', {}, 400, '"prompt" must be text that is not empty'],
    ['an empty prompt', { prompt: ' ' }, 400, '"prompt" must be text that is not empty'],
    ['a task that is no text', { ...TASK, taskId: 7 }, 400, '"taskId" must be text that is not empty, or left out'],
    ['a round below 0', { ...TASK, round: -1 }, 400, '"round" must be a whole number from 0'],
    ['a relative workspace', { ...TASK, workspace: 'repo' }, 400, '"workspace" must be the absolute path of the clone'],
    ['no workspace', { ...TASK, workspace: `${root}/not` }, 400, 'clone the repository before the turn'],
    ['instructions that are no text', { ...TASK, instructions: [] }, 400, '"instructions" must be text of at most 65536 bytes without NUL, or left out'],
    ['instructions that no argument can be', { ...TASK, instructions: 'a\0b' }, 400, '"instructions" must be text of at most 65536 bytes'],
    ['instructions that are larger than an argument', { ...TASK, instructions: 'ü'.repeat(40_000) }, 400, '"instructions" must be text of at most 65536 bytes'],
    ['a workspace that cannot exist', { ...TASK, workspace: '/a\0b' }, 400, '"workspace" must be the absolute path of the clone'],
    ['a prompt of more than 1 MiB', { ...TASK, prompt: 'x'.repeat(1024 * 1024 + 1) }, 413, 'shorten it to 1048576'],
    ['a body of more than 4 MiB', { ...TASK, more: 'x'.repeat(4 * 1024 * 1024) }, 413, 'the body is larger than 4194304 bytes'],
  ])('fails for %s, and says what to change', async (_, payload, status, message) => {
    await start({ program: 'custom', command: 'true' });
    const answer = await ask(payload).answer;
    expect(answer).toMatchObject({ status, type: 'application/json' });
    expect((JSON.parse(answer.text) as { readonly error: string }).error).toContain(message);
    expect((await ping()).status).toBe('Healthy');
  });

  test('fails for a body without a length that does not end', async () => {
    await start({ program: 'custom', command: 'true' });
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST /invocations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const piece = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 70; count++) socket.write(`10000\r\n${piece}\r\n`);
    const first = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(first).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test.each([
    ['GET', '/invocations', 405],
    ['POST', '/ping', 405],
    ['GET', '/', 404],
    ['GET', '/constructor', 404],
    ['GET', '/ping?x=1', 200],
  ])('%s %s is answered with %i', async (method, path, status) => {
    await start({ program: 'custom', command: 'true' });
    expect((await send(method, path).answer).status).toBe(status);
  });
});

describe('while a turn is at work', () => {
  test('the session is busy, and the time of the last update does not move with pings', async () => {
    await start(WAITING);
    const idle = await ping();
    expect(idle).toEqual({ status: 'Healthy', time_of_last_update: expect.any(Number) });
    const { answer, saw } = ask(TASK);
    await saw('begun');
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    const busy = await ping();
    expect(busy.status).toBe('HealthyBusy');
    expect(busy.time_of_last_update - idle.time_of_last_update).toBeLessThan(60);
    writeFileSync(GO, '');
    await answer;
    const over = await ping();
    expect(over.status).toBe('Healthy');
    expect(over.time_of_last_update - idle.time_of_last_update).toBeGreaterThanOrEqual(60);
    clock.mockRestore();
  });

  test('another invocation is refused, and the same one joins it', async () => {
    await start(WAITING);
    const first = ask(TASK);
    await first.saw('begun');
    const other = await ask({ ...TASK, round: 1 }).answer;
    expect({ ...other, text: JSON.parse(other.text) }).toMatchObject({ status: 409, text: { error: expect.stringContaining('a turn is at work in this session') } });
    const same = ask(TASK);
    const joined = ask(TASK, { accept: 'application/json' });
    await ping();
    writeFileSync(GO, '');
    expect(lastEvent(await same.answer)).toEqual(lastEvent(await first.answer));
    expect(JSON.parse((await joined.answer).text)).toMatchObject({ name: 'fixer', summary: 'begun\ndone' });
  });

  test('it goes on when its client is gone', async () => {
    await start(WAITING);
    const { answer, saw, leave } = ask(TASK);
    const gone = answer.catch((error: unknown) => error);
    await saw('begun');
    leave();
    expect(await gone).toMatchObject({ code: 'ECONNRESET' });
    expect((await ping()).status).toBe('HealthyBusy');
    const again = ask(TASK);
    writeFileSync(GO, '');
    expect(lastEvent(await again.answer)).toEqual({ name: 'fixer', summary: 'begun\ndone' });
  });

  test('the end of the server ends it, and its client hears of it', async () => {
    await start(WAITING);
    const { answer, saw } = ask(TASK);
    await saw('begun');
    stop.abort();
    expect(lastEvent(await answer)).toMatchObject({ error: { message: expect.stringContaining('ended from outside') } });
    await closed;
  });
});

test('the clone is the current directory of the agent', async () => {
  await start({ program: 'custom', command: 'pwd' });
  expect(lastEvent(await ask(TASK).answer)).toMatchObject({ summary: root });
});
