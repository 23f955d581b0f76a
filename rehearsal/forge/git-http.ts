import { spawn } from 'node:child_process';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withReasons } from './push-report';
import { rulesEnvironment } from './rules-hook';
import type { ForgeRepository } from './store';

/** A request of git for a repository. */
export interface GitRequest {
  readonly method: string;
  /** The rest of the path after the repository, such as `/info/refs`. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** The name of the user. */
  readonly login: string;
  /** The address of the repository, which words of rules name. */
  readonly url: string;
}

/** The answer of git. Its body must be read or destroyed. */
export interface GitReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** The configuration of git at hosts. Pushed objects are checked; nothing is packed in the background, where it would outlive the server. */
const CONFIGURATION = {
  'safe.directory': '*',
  'http.receivepack': 'true',
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'receive.fsckObjects': 'true',
  'receive.hideRefs': 'refs/pull',
  'receive.autogc': 'false',
  'gc.auto': '0',
} as const;

/** The maximum size of the header of a CGI answer. */
const HEADER_BYTES = 65_536;

/**
 * Answers a request with `git http-backend`, streamed in both directions.
 *
 * @param configuration configuration of git in addition to that of hosts
 */
export async function answerGit(
  repository: ForgeRepository, request: GitRequest, configuration: Readonly<Record<string, string>>,
): Promise<GitReply> {
  const header = (name: string) => String(request.headers[name] ?? '');
  const settings = Object.entries({ ...CONFIGURATION, ...configuration });
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      // Neither the configuration nor the home of the user who rehearses has anything to do with a forge.
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: `${settings.length}`,
      ...Object.fromEntries(settings.flatMap(([key, value], index) => [[`GIT_CONFIG_KEY_${index}`, key], [`GIT_CONFIG_VALUE_${index}`, value]])),
      GIT_PROJECT_ROOT: repository.directory,
      GIT_HTTP_EXPORT_ALL: '1',
      ...rulesEnvironment(repository.rules, request.url),
      REMOTE_USER: request.login,
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_METHOD: request.method,
      PATH_INFO: request.path,
      QUERY_STRING: request.query,
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      // No CONTENT_LENGTH: with it, http-backend never ends if the client goes away in the middle of a pack.
      ...request.headers['git-protocol'] === undefined ? {} : { GIT_PROTOCOL: header('git-protocol') },
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => backend.once('close', () => resolve()));
  // Git may have read enough before the end of the input; and a client that goes away ends the input early, which git takes for a failure.
  void pipeline(request.body, backend.stdin).catch(() => undefined);
  const { head, rest } = await readHead(backend.stdout);
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of head.split('\r\n').filter((text) => text !== '')) {
    const [name, value] = [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()];
    if (name === 'status') status = Number(value.slice(0, 3));
    else headers[name] = value;
  }
  if (head === '') return { status: 500, headers: {}, body: Readable.from([]) };
  const whole = afterwards(rest, backend.stdout, ended);
  const isReport = headers['content-type'] === 'application/x-git-receive-pack-result';
  return { status, headers, body: Readable.from(isReport ? withReasons(whole) : whole) };
}

async function* afterwards(first: Buffer, stream: Readable, ended: Promise<void>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  yield* stream;
  await ended;
}

/** Reads the header of a CGI answer. */
async function readHead(stream: Readable): Promise<{ readonly head: string; readonly rest: Buffer }> {
  let read = Buffer.alloc(0);
  return new Promise((resolve) => {
    const finish = (head: string, rest: Buffer) => {
      stream.off('data', onData).off('end', onEnd);
      stream.pause();
      resolve({ head, rest });
    };
    const onEnd = () => finish('', read);
    const onData = (piece: Buffer) => {
      read = Buffer.concat([read, piece]);
      const end = read.indexOf('\r\n\r\n');
      if (end >= 0) finish(read.subarray(0, end).toString(), read.subarray(end + 4));
      else if (read.length > HEADER_BYTES) finish('', read);
    };
    stream.on('data', onData).on('end', onEnd);
  });
}
