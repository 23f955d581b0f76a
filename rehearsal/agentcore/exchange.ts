import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call, CallLog, CallOutcome } from './calls';
import type { Clock } from './clock';
import { ServiceError, StreamCut, validation } from './errors';
import type { Fault, FaultPoint, Faults } from './faults';

export const SESSION_HEADER = 'x-amzn-bedrock-agentcore-runtime-session-id';
/** The headers for distributed tracing that an invocation hands to the agent, and their maximum lengths by the API's model. */
export const TRACE_HEADERS = { traceparent: 1_024, tracestate: 512, baggage: 8_192 } as const;
export const USER_HEADER = 'x-amzn-bedrock-agentcore-runtime-user-id';

/** One request with its reply, and the faults that may strike on the way. */
export class Exchange {
  private isFinished = false;
  private readonly disconnected: Promise<void>;

  constructor(
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    readonly call: Call,
    private readonly faults: Faults,
    private readonly calls: CallLog,
    private readonly clock: Clock,
  ) {
    this.disconnected = new Promise(resolve => response.once('close', () => resolve()));
    calls.record('received', call);
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Determines whether the client still reads the reply. */
  get open(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  /** Determines whether the reply has started. */
  get started(): boolean {
    return this.response.headersSent;
  }

  /** Settles when the client has gone or the reply is over. */
  get closed(): Promise<void> {
    return this.disconnected;
  }

  bytesLeft(): number | undefined {
    return this.faults.bytesLeft(this.call);
  }

  awaits(at: FaultPoint): boolean {
    return this.faults.awaits(this.call, at);
  }

  /** The fault that strikes at this point, for the caller to carry out. */
  strike(at: FaultPoint): Fault | undefined {
    return this.faults.strike(this.call, at);
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(status, headers);
    this.response.flushHeaders();
    this.calls.record('responding', this.call);
  }

  /** At the client's pace: settles when more may be sent. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.open) {
      throw new StreamCut();
    }
    if (!this.response.write(bytes)) {
      await Promise.race([once(this.response, 'drain'), this.disconnected]);
    }
  }

  finish(outcome: CallOutcome): void {
    this.response.end();
    this.settle(outcome);
  }

  json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const text = body === undefined ? '' : Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const entity = text.length === 0 ? {} : { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(text)}` };
    this.response.writeHead(status, { ...entity, ...headers });
    this.response.end(text);
    this.settle({ statusCode: status });
  }

  bytes(status: number, bytes: Buffer, headers: Readonly<Record<string, string>> = {}): void {
    this.response.writeHead(status, headers);
    this.response.end(bytes);
    this.settle({ statusCode: status });
  }

  async error(error: unknown): Promise<void> {
    const known = error instanceof ServiceError
      ? error
      : new ServiceError('InternalServerException', error instanceof Error ? error.stack ?? error.message : String(error));
    if (this.response.headersSent) {
      await this.reset();
      return;
    }
    const text = JSON.stringify({ message: known.message, ...known.details });
    this.response.writeHead(known.status, { 'content-type': 'application/json', 'x-amzn-errortype': known.code, 'content-length': `${Buffer.byteLength(text)}` });
    this.response.end(text);
    this.settle({ statusCode: known.status, error: known.code });
  }

  /** The client sees a reset connection. */
  async reset(): Promise<void> {
    // Data that was sent before arrives before: Node.js hands it to the kernel at the end of a turn.
    await new Promise(resolve => setImmediate(resolve));
    this.request.socket.resetAndDestroy();
    this.settle({ cut: true });
  }

  /** The reply ends as if it were complete. */
  cut(): void {
    this.response.end();
    this.settle({ statusCode: this.response.statusCode, cut: true });
  }

  /** Sends nothing more until the client gives up. */
  async hang(): Promise<never> {
    await this.disconnected;
    this.settle({ cut: true });
    throw new StreamCut();
  }

  settle(outcome: CallOutcome): void {
    if (!this.isFinished) {
      this.isFinished = true;
      this.call.outcome = outcome;
      this.call.finishedAt = this.clock.now();
      this.calls.record('finished', this.call);
    }
  }
}

/** Notes the headers of a call for distributed tracing. */
export function noteTraceHeaders(exchange: Exchange): void {
  exchange.call.traceHeaders = Object.fromEntries(Object.entries(TRACE_HEADERS).flatMap(([name, max]) => {
    const value = exchange.header(name);
    if (value !== undefined && value.length > max) throw validation(`${name} must have at most ${max} characters, not ${value.length}`);
    return value === undefined ? [] : [[name, value]];
  }));
}
