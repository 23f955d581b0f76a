import { spawn } from 'node:child_process';
import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';

/** The fate of a request: normal handling, an HTTP status from the server itself, or a connection cut before or after git handles the request. */
export type Fate = undefined | number | 'cut before' | 'cut after';

/** A remote that speaks git's smart HTTP: git's `http-backend` behind a small server that can fail as networks and hosts do. */
export class GitHttpServer {
  static async start(root: string): Promise<GitHttpServer> {
    const server = new GitHttpServer(root);
    await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** The requests so far, such as `POST /remote.git/git-receive-pack`. */
  readonly requests: string[] = [];
  private readonly server: Server;

  private constructor(private readonly root: string) {
    this.server = createServer((request, response) => this.answer(request, response));
  }

  /** Called for each request. */
  fate: (request: string) => Fate = () => undefined;

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const name = `${request.method} ${request.url}`;
    this.requests.push(name);
    const fate = this.fate(name);
    if (fate === 'cut before') return void request.socket.destroy();
    if (typeof fate === 'number') return void response.writeHead(fate).end('the host says no\n');
    const [path, query = ''] = request.url!.split('?');
    const header = (word: string) => String(request.headers[word] ?? '');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: this.root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        REMOTE_USER: 'someone',
        REMOTE_ADDR: '127.0.0.1',
        REQUEST_METHOD: request.method!,
        PATH_INFO: path,
        QUERY_STRING: query,
        CONTENT_TYPE: header('content-type'),
        HTTP_CONTENT_ENCODING: header('content-encoding'),
        ...request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: header('content-length') },
        ...request.headers['git-protocol'] === undefined ? {} : { GIT_PROTOCOL: header('git-protocol') },
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(backend.stdin);
    backend.stdin.on('error', () => {}); // git may have read enough before the end of the input
    const pieces: Buffer[] = [];
    backend.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    backend.on('close', () => {
      if (fate === 'cut after') return void request.socket.destroy();
      const whole = Buffer.concat(pieces);
      const end = whole.indexOf('\r\n\r\n');
      let status = 200;
      for (const line of whole.subarray(0, end).toString().split('\r\n')) {
        const [word, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()];
        if (word === 'Status') status = Number(value.slice(0, 3));
        else response.setHeader(word, value);
      }
      response.writeHead(status).end(whole.subarray(end + 4));
    });
  }
}
