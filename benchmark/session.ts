/**
 * Measures the cost of the driver: following 100 MB of output, loading its bundle, and running a trivial command as a job.
 *
 * Usage: npx projen bundle && npx ts-node --transpile-only --project tsconfig.dev.json benchmark/session.ts
 *
 * The driver is its own bundle in a separate process, and the session is real bash behind the real wire format. Fails if a limit of
 * the design is exceeded.
 */
import { execFileSync, spawn } from 'child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'fs';
import { createServer } from 'http';
import { AddressInfo } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { buildSync } from 'esbuild';
import { AgentCoreServer } from '../rehearsal/agentcore';

const ROOT = join(__dirname, '..');
const BUNDLE = join(ROOT, 'assets/driver/session-driver.lambda/index.js');
const LIMITS = { memoryMb: 64, bundleBytes: 400_000, load: 1.2 };
const OUTPUT_BYTES = 100_000_000;
const LOADS = 15;
const CALLS = 60;

const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));

/** Runs a program in a separate Node process and returns the JSON that it prints last. */
async function measure<T>(program: string, environment: Record<string, string> = {}): Promise<T> {
  const child = spawn(process.execPath, ['-e', program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      POWERTOOLS_METRICS_DISABLED: 'true',
      NODE_NO_WARNINGS: '1',
      ...environment,
    },
  });
  let text = '';
  child.stdout.on('data', (data) => { text += data; });
  await new Promise((resolve, reject) => child.on('close', (code) => (code === 0 ? resolve(code) : reject(new Error(`the program ended with ${code}`)))));
  return JSON.parse(text.trim().split('\n').at(-1)!) as T;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The process's peak memory beyond its memory after a first, small call. */
const MEMORY = `
  const idle = () => { global.gc?.(); return process.memoryUsage().rss; };
  const watched = async (work) => {
    const before = idle();
    let peak = before;
    const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage().rss); }, 10);
    const began = performance.now();
    const result = await work();
    clearInterval(timer);
    return { seconds: (performance.now() - began) / 1e3, memoryMb: (peak - before) / 1e6, result };
  };
`;

interface Watched {
  readonly seconds: number;
  readonly memoryMb: number;
  readonly result: { readonly verdict?: string; readonly outputBytes?: number; readonly attaches?: number };
}

async function follow(server: AgentCoreServer, request: object): Promise<{ job: Watched; plain: Watched }> {
  const job = await measure<Watched>(`${MEMORY}
    const { handler } = require(${JSON.stringify(BUNDLE)});
    const request = ${JSON.stringify(request)};
    const context = { getRemainingTimeInMillis: () => 900_000 };
    (async () => {
      await handler({ ...request, name: 'first', command: 'true', timeoutSeconds: 60 }, context);
      const command = 'head -c ${OUTPUT_BYTES} /dev/zero | tr "\\\\0" x | fold -w 99';
      console.log(JSON.stringify(await watched(() => handler({ ...request, command, name: 'large', timeoutSeconds: 600, logBytes: 268_435_456 }, context))));
    })();
  `, { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: server.endpoint });

  const chunk = Buffer.alloc(65_536, 'x');
  const http = createServer(async (_, response) => {
    for (let sent = 0; sent < OUTPUT_BYTES; sent += chunk.length) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const plain = await measure<Watched>(`${MEMORY}
    const http = require('http');
    const read = () => new Promise((resolve) => http.get('http://127.0.0.1:${(http.address() as AddressInfo).port}', async (response) => {
      let bytes = 0;
      for await (const piece of response) bytes += piece.length;
      resolve({ outputBytes: bytes });
    }));
    (async () => console.log(JSON.stringify(await watched(read))))();
  `);
  http.close();
  return { job, plain };
}

async function load(): Promise<{ driver: number; bare: number; bytes: number; bareBytes: number }> {
  const entry = join(scratch, 'bare.ts');
  const bare = join(scratch, 'bare.js');
  writeFileSync(entry, `import { BedrockAgentCoreClient, InvokeAgentRuntimeCommand, InvokeAgentRuntimeCommandCommand, StopRuntimeSessionCommand }
    from '@aws-sdk/client-bedrock-agentcore';
    const client = new BedrockAgentCoreClient({});
    export const handler = async (request) => client.send(request.a ? new InvokeAgentRuntimeCommand(request)
      : request.b ? new InvokeAgentRuntimeCommandCommand(request) : new StopRuntimeSessionCommand(request));`);
  buildSync({
    entryPoints: [entry],
    outfile: bare,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    absWorkingDir: ROOT,
    nodePaths: [join(ROOT, 'node_modules')],
  });
  const sample = (file: string) => Number(execFileSync(process.execPath, ['-e', `
    const began = performance.now();
    require(${JSON.stringify(file)});
    console.log(performance.now() - began);`], { encoding: 'utf8', env: { ...process.env, AWS_REGION: 'us-east-1', NODE_NO_WARNINGS: '1' } }));
  const taken = Array.from({ length: LOADS }, () => ({ bare: sample(bare), driver: sample(BUNDLE) }));
  return {
    driver: median(taken.map(({ driver }) => driver)),
    bare: median(taken.map((each) => each.bare)),
    bytes: statSync(BUNDLE).size,
    bareBytes: statSync(bare).size,
  };
}

async function callsPerSecond(server: AgentCoreServer, request: { runtimeArn: string; sessionId: string }): Promise<{ job: number; bare: number }> {
  const rate = (setUp: string, call: string) => measure<number>(`
    ${setUp}
    (async () => {
      for (let i = -3; i < 0; i++) await (${call})(i);
      const began = performance.now();
      for (let i = 0; i < ${CALLS}; i++) await (${call})(i);
      console.log(${CALLS} / (performance.now() - began) * 1e3);
    })();`, { AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: server.endpoint });
  const job = await rate(`const { handler } = require(${JSON.stringify(BUNDLE)});`, `(i) => handler(
    { ...${JSON.stringify(request)}, command: 'true', name: 'call' + i, timeoutSeconds: 60 }, { getRemainingTimeInMillis: () => 900_000 })`);
  const bare = await rate(`
    const { BedrockAgentCoreClient, InvokeAgentRuntimeCommandCommand } = require('@aws-sdk/client-bedrock-agentcore');
    const client = new BedrockAgentCoreClient({});`, `async () => {
      const { stream } = await client.send(new InvokeAgentRuntimeCommandCommand({
        agentRuntimeArn: ${JSON.stringify(request.runtimeArn)}, runtimeSessionId: ${JSON.stringify(request.sessionId)}, body: { command: "/bin/bash -c 'true'" },
      }));
      for await (const event of stream) void event;
    }`);
  return { job, bare };
}

async function main(): Promise<void> {
  const server = await AgentCoreServer.start({ stateDirectory: join(scratch, 'state') });
  try {
    const { arn: runtimeArn } = server.createRuntime({ name: 'coder', mounts: ['/mnt/workspace'] });
    const request = { operation: 'run', runtimeArn, sessionId: `benchmark-${'0'.repeat(40)}`, run: 'benchmark', mount: '/mnt/workspace' };
    const { job, plain } = await follow(server, request);
    const loaded = await load();
    const calls = await callsPerSecond(server, request);
    const megabytes = OUTPUT_BYTES / 1e6;
    console.table({
      'following 100 MB, MB/s': { driver: megabytes / job.seconds, bare: megabytes / plain.seconds },
      'following 100 MB, MB above idle': { driver: job.memoryMb, bare: plain.memoryMb },
      'bundle, kB': { driver: loaded.bytes / 1e3, bare: loaded.bareBytes / 1e3 },
      'load, ms': { driver: loaded.driver, bare: loaded.bare },
      'trivial commands per second': { driver: calls.job, bare: calls.bare },
    });
    console.log(`${job.result.verdict}, ${job.result.outputBytes} bytes, ${job.result.attaches} attaches`);
    const exceeded = [
      job.memoryMb > LIMITS.memoryMb && 'memory', loaded.bytes > LIMITS.bundleBytes && 'bundle', loaded.driver / loaded.bare > LIMITS.load && 'load time',
    ].filter(Boolean);
    if (exceeded.length > 0) throw new Error(`over the limit: ${exceeded.join(', ')}`);
  } finally {
    await server.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

void main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
