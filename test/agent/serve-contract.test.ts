import { spawn } from 'child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { createServer } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { serve } from '../../src/agent/runner/serve';
import { pythonPackages, SYSTEM_PATH } from '../support/python-packages';

const root = mkdtempSync(join(tmpdir(), 'contract-'));
const GO = join(root, 'go');

/** An agent on the official SDK that does what the command of ours does. */
const APP = `
import asyncio, os, socket, sys
from bedrock_agentcore import BedrockAgentCoreApp

app = BedrockAgentCoreApp()

@app.entrypoint
async def invoke(payload):
    task = app.add_async_task("turn")
    yield {"progress": "begun"}
    while not os.path.exists(sys.argv[1]):
        await asyncio.sleep(0.02)
    app.complete_async_task(task)
    yield {"name": "fixer", "summary": "begun"}

app.run(port=int(sys.argv[2]), host="127.0.0.1")
`;

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const SERVERS: { readonly [name: string]: () => Promise<Server> } = {
  'our server': async () => {
    const stop = new AbortController();
    const command = `echo begun; until [ -e "${GO}" ]; do sleep 0.02; done`;
    const environment = { PATH: process.env.PATH };
    const { port, closed } = await serve({ program: 'custom', name: 'fixer', command }, { environment, port: 0, signal: stop.signal, temporary: root });
    return {
      url: `http://127.0.0.1:${port}`,
      stop: async () => {
        stop.abort();
        await closed;
      },
    };
  },
  'the server of the official SDK': async () => {
    const packages = pythonPackages('bedrock-agentcore');
    writeFileSync(join(root, 'app.py'), APP);
    const port = await freePort();
    const child = spawn('python3', [join(root, 'app.py'), GO, `${port}`], { env: { PATH: SYSTEM_PATH, PYTHONPATH: packages, HOME: root }, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (text: Buffer) => log += text.toString());
    const url = `http://127.0.0.1:${port}`;
    for (let isReady = false; !isReady;) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${log}`);
      isReady = await fetch(`${url}/ping`).then(({ ok }) => ok, () => new Promise((resolve) => setTimeout(() => resolve(false), 50)));
    }
    const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
    return {
      url,
      stop: async () => {
        child.kill('SIGKILL');
        await ended;
      },
    };
  },
};

beforeAll(() => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true });
});

describe.each(Object.keys(SERVERS))('the contract, and %s', (name) => {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await SERVERS[name]();
  }, 120_000);
  afterAll(async () => server?.stop());
  beforeEach(() => rmSync(GO, { force: true }));

  const ask = async (body: string) => fetch(`${server!.url}/invocations`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const payload = JSON.stringify({ prompt: 'Mend it', taskId: 'task-1', round: 0, workspace: root });

  test('a ping is answered with the status and the time of the last update, in seconds', async () => {
    const response = await fetch(`${server!.url}/ping`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const body = await response.json() as { readonly time_of_last_update: number };
    expect(body).toEqual({ status: 'Healthy', time_of_last_update: expect.any(Number) });
    expect(Number.isSafeInteger(body.time_of_last_update)).toBe(true);
    expect(Math.abs(body.time_of_last_update - Date.now() / 1_000)).toBeLessThan(600);
  });

  test('an invocation streams events of JSON, and the session is busy meanwhile', async () => {
    const response = await ask(payload);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = eventsOf(response);
    expect(await events.next()).toEqual({ progress: 'begun' });
    expect(await (await fetch(`${server!.url}/ping`)).json()).toMatchObject({ status: 'HealthyBusy' });
    writeFileSync(GO, '');
    expect(await events.next()).toEqual({ name: 'fixer', summary: 'begun' });
    expect(await events.next()).toBeUndefined();
    expect(await (await fetch(`${server!.url}/ping`)).json()).toMatchObject({ status: 'Healthy' });
  });

  test.each(['{"prompt": ', ''])('fails with 400 and an error in JSON for a body that is none: %j', async (body) => {
    const response = await ask(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/JSON/) });
  });

  test.each([['GET', '/invocations', 405], ['POST', '/ping', 405], ['GET', '/other', 404]])('%s %s is answered with %i', async (method, path, status) => {
    expect((await fetch(`${server!.url}${path}`, { method })).status).toBe(status);
  });
});

/** Reads the data of one event after the other. */
function eventsOf(response: Response) {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const next = async (): Promise<unknown> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      const event = end < 0 ? '' : text.slice(0, end);
      if (end >= 0) text = text.slice(end + 2);
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) return JSON.parse(data);
      if (end >= 0) continue;
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  };
  return { next };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { readonly port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
