import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { BasicCredential, basicCredential } from './access';
import type { ForgeFault, ForgeFaultKind, ForgeFaults, ForgeOperation } from './faults';
import type { ForgeRepository, ForgeStore } from './store';

/** A request to the forge, from its side. It has no credential. */
export interface ForgeRequest {
  /** Undefined if it is none that the forge knows. */
  readonly operation?: ForgeOperation;
  /** Such as `POST /octo/shop.git/git-receive-pack`. */
  readonly name: string;
  /** The name of the user, if a repository was reached. */
  login?: string;
  /** Bytes of the body that arrived. */
  received: number;
  /** The status of the reply; undefined if the connection was cut before. */
  status?: number;
  /** The faults that struck. */
  readonly faults: ForgeFaultKind[];
}

/** The connection was cut by a fault. */
class Cut extends Error {}

/** One request to the forge with its reply, and the faults that strike on the way. */
export class ForgeExchange {
  readonly record: ForgeRequest;
  repository?: ForgeRepository;
  /** A fault has cut the request, or is about to. */
  private isCut = false;

  constructor(
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    readonly operation: ForgeOperation | undefined,
    private readonly forge: { readonly faults: ForgeFaults; readonly store: ForgeStore },
  ) {
    this.record = { operation, name: `${request.method} ${request.url}`, received: 0, faults: [] };
    response.on('error', () => undefined); // the client has gone
  }

  credential(): BasicCredential | undefined {
    return basicCredential(this.request.headers.authorization);
  }

  /** Returns true if the request is answered, or cut. */
  async strikeBeforeStart(): Promise<boolean> {
    return this.strikeAround('beforeStart');
  }

  /** Returns the body of the request, up to the point at which a fault strikes. */
  body(): Readable {
    return Readable.from(this.pieces(), { objectMode: false });
  }

  /** Reads the whole body of the request. */
  async read(limit: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.pieces()) {
      if (this.record.received > limit) throw new Error(`a request has at most ${limit} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  async text(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    this.request.resume(); // a client that is still sending a pack reads the answer afterwards
    await this.send(status, { 'content-type': 'text/plain; charset=UTF-8', ...headers }, [Buffer.from(text)]);
  }

  async reply(status: number, headers: Readonly<Record<string, string>>, body: Readable | string): Promise<void> {
    const pieces = typeof body === 'string' ? [Buffer.from(body)] : body as AsyncIterable<Buffer>;
    const fault = this.forge.faults.strike(this.operation!, this.record.name, 'beforeReply');
    if (fault === undefined) return this.send(status, headers, pieces);
    // The work is done when git has said everything.
    const kept: Buffer[] = [];
    for await (const piece of pieces) kept.push(piece);
    if (!await this.carryOut(fault)) await this.send(status, headers, kept);
  }

  /** The request cannot be answered, or is not to be. */
  fail(error: unknown): void {
    if (error instanceof Cut) return;
    if (this.response.headersSent) return void this.request.socket.destroy();
    this.record.status = 500;
    this.response.writeHead(500, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.stack : String(error));
  }

  private async send(status: number, headers: Readonly<Record<string, string>>, pieces: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    const { faults } = this.forge;
    const middle = this.operation && faults.strike(this.operation, this.record.name, 'midReply');
    let left = middle === undefined ? Infinity : middle.spec.afterBytes ?? 1;
    if (!this.isGone) {
      this.record.status = status;
      this.response.writeHead(status, headers);
    }
    for await (const piece of pieces) {
      // Git goes on to its end whether or not the client reads: a push that has arrived is not undone.
      if (this.isGone || left <= 0) continue;
      const part = piece.subarray(0, left);
      left -= part.length;
      if (!this.response.write(part)) await this.drained();
    }
    if (this.isGone || (middle !== undefined && await this.carryOut(middle))) return;
    if (this.operation !== undefined) await this.strikeAround('afterReply');
    this.response.end();
  }

  /** Nothing may be sent any more. */
  private get isGone(): boolean {
    return this.isCut || this.response.destroyed;
  }

  private async drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        this.response.off('drain', done).off('close', done);
        resolve();
      };
      this.response.on('drain', done).on('close', done);
    });
  }

  private async* pieces(): AsyncGenerator<Buffer> {
    const fault = this.operation && this.forge.faults.strike(this.operation, this.record.name, 'midRequest');
    let left = fault?.spec.afterBytes ?? 1;
    for await (const piece of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      this.record.received += piece.length;
      if (fault === undefined) {
        yield piece;
        continue;
      }
      this.isCut = piece.length >= left;
      yield piece.subarray(0, left);
      left -= piece.length;
      if (left <= 0) break;
    }
    this.isCut = fault !== undefined; // a request that is shorter is cut at its end
    if (fault !== undefined && await this.carryOut(fault)) throw new Cut();
  }

  private async strikeAround(at: 'beforeStart' | 'afterReply'): Promise<boolean> {
    const fault = this.operation && this.forge.faults.strike(this.operation, this.record.name, at);
    return fault !== undefined && this.carryOut(fault);
  }

  /** Returns true if the request is answered, or cut, by this. */
  private async carryOut({ spec }: ForgeFault): Promise<boolean> {
    const { kind } = spec;
    this.record.faults.push(kind);
    if (typeof kind === 'number') {
      this.request.resume();
      this.record.status = kind;
      const pause = spec.retryAfter === undefined ? {} : { 'retry-after': `${spec.retryAfter}` };
      this.response.writeHead(kind, { 'content-type': 'text/plain; charset=UTF-8', ...pause }).end(`injected: ${kind}\n`);
      return true;
    }
    switch (kind) {
      case 'reset':
        // Data that was sent before arrives before: Node.js hands it to the kernel at the end of a turn.
        await new Promise((resolve) => setImmediate(resolve));
        this.request.socket.resetAndDestroy();
        return true;
      case 'hang':
        await new Promise((resolve) => this.response.once('close', resolve));
        return true;
      case 'end':
        this.response.end();
        return true;
      case 'expireToken': {
        const token = this.forge.store.tokens.get(this.credential()?.password ?? /^(?:bearer|token) (.+)$/i.exec(this.request.headers.authorization ?? '')?.[1] ?? '');
        if (token !== undefined) token.expiresAt = this.forge.store.now();
        return false;
      }
      default:
        await this.changeBranch(spec.branch!, kind === 'moveBranch');
        return false;
    }
  }

  private async changeBranch(branch: string, moves: boolean): Promise<void> {
    const { store } = this.forge;
    const [, fullName] = /^\/(?:api\/v3\/repos\/)?([^/]+\/[^/?]+?)(?:\.git)?(?:\/|\?|$)/.exec(this.request.url!) ?? [];
    const repository = this.repository ?? store.repository(fullName ?? '');
    if (repository === undefined) return;
    if (moves) await store.moveBranch(repository, branch);
    else await store.git(repository, 'update-ref', '-d', `refs/heads/${branch}`);
  }
}
