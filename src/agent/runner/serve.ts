import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { Invocation, InvocationError, parseInvocation } from './invocation';
import { RUNNER_LIMITS } from './limits';
import { Environment } from './programs/program';
import { boundedReport } from './report';
import { Audience, Work } from './work';
import { AgentDefinition } from '../constants';

export interface ServeOptions {
  readonly environment: Environment;
  /** @default 8080 - the port of the contract */
  readonly port?: number;
  /** Ends the turn that is at work, and the server. */
  readonly signal?: AbortSignal;
  readonly temporary?: string;
}

export interface Served {
  readonly port: number;
  readonly closed: Promise<void>;
}

/**
 * Serves the container contract of AgentCore: `GET /ping` and `POST /invocations`.
 *
 * A turn belongs to the session, not to the connection: it goes on when its client is gone, because the service cuts long streams and a turn that
 * was paid for is worth its result, and the session answers `HealthyBusy` until it is over. An invocation with the same task, round and prompt
 * joins it; any other is refused with 409 while a turn is at work, because two agents in one clone would disturb each other. Stop the session to
 * end a turn.
 */
export async function serve(definition: AgentDefinition, options: ServeOptions): Promise<Served> {
  const { environment, port = Number(environment.PORT || 8080), signal, temporary } = options;
  const work = new Work(definition, environment, signal, temporary);
  const server = createServer((request, response) => {
    void answer(request, response, work).catch((error: Error) => refuse(response, 500, error.message));
  });
  // The contract has no limit for an invocation: a turn takes hours.
  server.requestTimeout = 0;
  server.timeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '0.0.0.0', resolve);
  });
  const stop = async () => {
    server.close();
    await work.idle();
    server.closeAllConnections();
  };
  if (signal?.aborted) void stop();
  signal?.addEventListener('abort', () => void stop(), { once: true });
  return { port: (server.address() as AddressInfo).port, closed: new Promise((resolve) => void server.on('close', resolve)) };
}

async function answer(request: IncomingMessage, response: ServerResponse, work: Work): Promise<void> {
  const path = (request.url ?? '/').replace(/\?.*$/s, '');
  const methods: { readonly [path: string]: string } = { '/ping': 'GET', '/invocations': 'POST' };
  if (methods[path] === undefined) return refuse(response, 404, `there is no ${path}: use GET /ping or POST /invocations`);
  if (request.method !== methods[path]) {
    response.setHeader('allow', methods[path]);
    return refuse(response, 405, `${path} is for ${methods[path]}`);
  }
  if (path === '/ping') return json(response, 200, { status: work.isBusy ? 'HealthyBusy' : 'Healthy', time_of_last_update: work.changedAt });
  try {
    const invocation = parseInvocation(await bodyOf(request));
    return await perform(invocation, request, response, work);
  } catch (error) {
    if (!(error instanceof InvocationError)) throw error;
    // What is left of a body that is too large is not read.
    if (error.status === 413) response.setHeader('connection', 'close');
    return refuse(response, error.status, error.message);
  }
}

/** Performs a turn, or joins it, and answers with a stream of events; with one JSON document if the client accepts nothing else. */
async function perform(invocation: Invocation, request: IncomingMessage, response: ServerResponse, work: Work): Promise<void> {
  const streams = (request.headers.accept ?? '*/*').split(',').some((type) => /^\s*(text\/event-stream|text\/\*|\*\/\*)/i.test(type));
  const stream = new EventStream(response);
  const report = work.perform(invocation, streams ? stream : { progress: () => {} });
  if (!streams) {
    const result = boundedReport(await report);
    return json(response, result.error === undefined ? 200 : 500, result);
  }
  stream.open();
  try {
    stream.end(boundedReport(await report));
  } finally {
    stream.close();
  }
}

/** A stream of server-sent events. The last one is the report. */
class EventStream implements Audience {
  private alive?: NodeJS.Timeout;

  constructor(private readonly response: ServerResponse) {}

  public open() {
    this.response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    this.response.flushHeaders();
    this.alive = setInterval(() => this.response.write(': at work\n\n'), RUNNER_LIMITS.keepAlive);
  }

  public progress(text: string) {
    // A client that does not read would make the server hold everything.
    if (!this.response.headersSent || this.response.writableLength > RUNNER_LIMITS.backlogBytes) return;
    this.event('progress', { progress: text });
  }

  public end(report: unknown) {
    this.event('report', report);
  }

  public close() {
    clearInterval(this.alive);
    this.response.end();
  }

  private event(name: string, data: unknown) {
    this.response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const limit = RUNNER_LIMITS.bodyBytes;
  const tooLarge = new InvocationError(413, `the body is larger than ${limit} bytes: send files through the repository, not through the prompt`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limit) throw tooLarge;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function refuse(response: ServerResponse, status: number, error: string) {
  if (response.headersSent) return void response.end();
  json(response, status, { error });
}

function json(response: ServerResponse, status: number, value: unknown) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
