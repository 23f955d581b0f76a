import { mkdirSync } from 'node:fs';
import { createServer, IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { admit, Refusal } from './access';
import { ForgeFaults, ForgeOperation } from './faults';
import { ForgeExchange, ForgeRequest } from './forge-exchange';
import { answerGit } from './git-http';
import { installHook } from './rules-hook';
import { ForgeStore } from './store';

/** A request to the API of the forge. */
export interface ApiRequest {
  readonly method: string;
  /** The path with its query, such as `/api/v3/repos/octo/shop`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ApiReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ForgeServerProps {
  /** The directory of the bare repositories, `OWNER/NAME.git`. */
  readonly root: string;
  /** The port to listen on, if it is free. @default - any */
  readonly port?: number;
  /** Answers requests to `/api/v3`, `/api/v4` and `/api/graphql`. @default - they are not found */
  readonly api?: (store: ForgeStore, origin: string) => (request: ApiRequest) => Promise<ApiReply>;
}

/** The maximum size of a request to the API, in bytes. */
const API_BYTES = 41_943_040;

/**
 * A forge on loopback: git's smart HTTP with real git behind it, tokens, rules and faults. FEATURES.md lists what is emulated and what is not.
 */
export class ForgeServer {
  static async start(props: ForgeServerProps): Promise<ForgeServer> {
    const root = resolve(props.root);
    mkdirSync(root, { recursive: true });
    const server = new ForgeServer(new ForgeStore(root), installHook(root));
    await server.listen(props.port ?? 0).catch(async () => server.listen(0));
    server.api = props.api?.(server.store, server.origin);
    return server;
  }

  readonly faults = new ForgeFaults();
  /** The requests so far, in their order. */
  readonly requests: ForgeRequest[] = [];
  /** Answers requests to the API. */
  api?: (request: ApiRequest) => Promise<ApiReply>;
  private readonly http: Server;

  private constructor(readonly store: ForgeStore, private readonly configuration: Readonly<Record<string, string>>) {
    this.http = createServer((request, response) => void this.handle(request, response));
    this.http.requestTimeout = 0; // a push takes as long as it takes
    this.http.keepAliveTimeout = 0; // a request that comes just when its idle connection is closed would look cut off
  }

  /** The scheme, the host and the port, such as `http://127.0.0.1:40123`. */
  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Returns the URL of a repository. @param fullName `owner/name` */
  url(fullName: string): string {
    return `${this.origin}/${fullName}.git`;
  }

  /** Ends all connections. Repositories stay. */
  async close(): Promise<void> {
    const closed = new Promise((done) => this.http.close(done)); // calls back when it is closed already, too
    this.http.closeAllConnections();
    await closed;
  }

  private async listen(port: number): Promise<void> {
    await new Promise<void>((started, failed) => this.http.once('error', failed).listen(port, '127.0.0.1', () => {
      this.http.off('error', failed);
      started();
    }));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query = ''] = request.url!.split('?');
    const operation = operationOf(request.method!, path, query);
    const exchange = new ForgeExchange(request, response, operation, { faults: this.faults, store: this.store });
    this.requests.push(exchange.record);
    try {
      if (await exchange.strikeBeforeStart()) return;
      if (operation === 'api') await this.answerApi(exchange);
      else if (operation === undefined) await exchange.text(404, 'Not Found');
      else await this.answerGit(exchange, path, query);
    } catch (error) {
      if (error instanceof Refusal) await exchange.text(error.status, error.message, error.headers);
      else exchange.fail(error);
    }
  }

  private async answerGit(exchange: ForgeExchange, path: string, query: string): Promise<void> {
    const { request } = exchange;
    const [, fullName, rest] = GIT_PATH.exec(path)!;
    const moved = this.store.movedTo(fullName);
    if (moved !== undefined) {
      const to = moved.includes('://') ? moved : this.url(moved);
      return exchange.text(301, '', { location: `${to}${rest}${query === '' ? '' : `?${query}`}` });
    }
    const isPush = exchange.operation === 'announce' || exchange.operation === 'push';
    const { repository, login } = admit(this.store, fullName, exchange.credential(), isPush, request.socket.remoteAddress);
    exchange.record.login = login;
    exchange.repository = repository;
    const reply = await answerGit(repository, {
      method: request.method!, path: rest, query, headers: request.headers, body: exchange.body(), login, url: this.url(fullName).replace(/\.git$/, ''),
    }, this.configuration);
    await exchange.reply(reply.status, { ...reply.headers, 'cache-control': 'no-cache' }, reply.body);
  }

  private async answerApi(exchange: ForgeExchange): Promise<void> {
    const { method, url, headers } = exchange.request;
    const body = await exchange.read(API_BYTES);
    if (this.api === undefined) return exchange.text(404, 'Not Found');
    const reply = await this.api({ method: method!, path: url!, headers, body });
    await exchange.reply(reply.status, reply.headers ?? {}, reply.body ?? '');
  }
}

const GIT_PATH = /^\/([^/]+(?:\/[^/]+?)+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

function operationOf(method: string, path: string, query: string): ForgeOperation | undefined {
  if (/^\/api\/(?:v3|v4|graphql)(?:\/|$)/.test(path)) return 'api';
  const [, , rest] = GIT_PATH.exec(path) ?? [];
  switch (`${method} ${rest}${rest === '/info/refs' ? `?${query}` : ''}`) {
    case 'GET /info/refs?service=git-upload-pack': return 'list';
    case 'GET /info/refs?service=git-receive-pack': return 'announce';
    case 'POST /git-upload-pack': return 'fetch';
    case 'POST /git-receive-pack': return 'push';
    default: return undefined;
  }
}
