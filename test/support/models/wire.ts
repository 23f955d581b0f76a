import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Answer } from './answer';
import type { Conversation, Failure, Turn, Wire } from './script';

/** A request that reached the server, with its body as JSON where it is JSON. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** The end of a request that is no answer of a model. */
export class WireError extends Error {
  public readonly name = 'WireError';

  constructor(public readonly failure: Failure, message?: string, public readonly retryAfter?: number) {
    super(message ?? '');
  }
}

/** Small requests beside conversations: lists of models, counts of tokens, probes. */
export interface SideAnswer {
  readonly status: number;
  readonly body?: unknown;
}

/** One wire format. */
export interface WireFormat {
  readonly wire: Wire;
  /** Determines whether a request is one of the model. */
  matches(request: Received): boolean;
  /** Returns what identifies the caller. Throws `WireError` without it. */
  credential(request: Received): string;
  /** Reads a request as strictly as the provider does. Throws `WireError` if it is wrong. */
  parse(request: Received): Conversation;
  sendError(response: ServerResponse, error: WireError, request: Received): void;
  /** Sends a complete answer, without a stream. */
  send(response: ServerResponse, answer: Answer, turn: Turn): void;
  /** Sends the beginning of a stream and all blocks. */
  streamBlocks(response: ServerResponse, answer: Answer, turn: Turn): void;
  /** Sends the end of a stream. */
  streamEnd(response: ServerResponse, answer: Answer, turn: Turn): void;
  /** Interrupts a stream with an error. */
  streamError(response: ServerResponse, error: WireError, answer: Answer): void;
}

/** Throws what a provider says to a request that is wrong. */
export function invalid(message: string): never {
  throw new WireError('invalid', message);
}

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Headers {
  readonly [name: string]: string;
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Headers = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(text)}`, ...headers });
  response.end(text);
}
