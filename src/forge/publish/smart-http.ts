import * as http from 'http';
import * as https from 'https';
import { ObjectFormat } from './git-object';
import { FLUSH, lineOf, listsOf, packetOf, ProtocolError } from './pkt-line';
import { FORGE_ERRORS } from '../../loop/steps/constants';

/** A repository that is reached by git's smart HTTP protocol. */
export interface Remote {
  /** The URL of the repository, without credentials. */
  readonly url: string;
  /** The value of the header `authorization`. */
  readonly authorization?: string;
  /** The maximum time without a byte from the remote, in milliseconds. @default 60000 */
  readonly silence?: number;
}

/** A forge refused a request, or did not answer it. */
export class ForgeError extends Error {
  constructor(
    readonly name: typeof FORGE_ERRORS[keyof typeof FORGE_ERRORS],
    /** The reason, in our own words. */
    readonly summary: string,
    /** The words of the forge. */
    readonly quote = '',
    /** The pause that the forge asks for, in seconds. */
    readonly retryAfter?: number,
  ) {
    super(quote === '' ? summary : `${summary}: ${quote}`);
  }
}

/** The references of a remote, as it announces them before a push. */
export interface Announced {
  /** The URL that answered: a remote may have moved to another path of its host. */
  readonly url: string;
  readonly references: ReadonlyMap<string, string>;
  readonly capabilities: ReadonlySet<string>;
  readonly format: ObjectFormat;
}

/** An update of one reference. */
export interface Update {
  readonly reference: string;
  /** The object ID that the reference must have; undefined if it must not exist. */
  readonly from?: string;
  readonly to: string;
}

/** The result of a push. */
export interface Pushed {
  /** Undefined if the reference was updated, else the reason of the remote. */
  readonly rejected?: string;
  /** The messages of the remote. */
  readonly said: string;
}

/** The maximum size of a reply, in bytes: a million references. */
const REPLY_BYTES = 67_108_864;

/** The maximum number of redirects. */
const REDIRECTS = 3;

const ADVERTISEMENT = 'application/x-git-receive-pack-advertisement';
const RESULT = 'application/x-git-receive-pack-result';

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a remote for its references, with the right to push. */
export async function announced(remote: Remote): Promise<Announced> {
  let url = remote.url.replace(/\/+$/, '');
  for (let redirects = 0; ; redirects++) {
    const reply = await send(remote, `${url}/info/refs?service=git-receive-pack`, 'GET', {});
    const { location } = reply.headers;
    if (reply.status >= 300 && reply.status < 400 && location !== undefined) {
      url = redirected(url, location, redirects);
      continue;
    }
    throwUnlessOk(reply, ADVERTISEMENT);
    const [service, packets = service] = listsOf(reply.body);
    if (service === undefined || lineOf(service[0] ?? Buffer.alloc(0)) !== '# service=git-receive-pack') throw new ProtocolError('the remote does not announce git-receive-pack');
    return { url, ...referencesOf(packets) };
  }
}

/** Returns the URL of the repository to which a remote redirects. A credential does not follow to another host. */
function redirected(url: string, location: string, redirects: number): string {
  const from = new URL(url);
  const to = new URL(location, `${url}/info/refs`);
  const isSame = to.hostname === from.hostname && (to.protocol === from.protocol ? to.port === from.port : to.protocol === 'https:');
  if (!isSame || !to.pathname.endsWith('/info/refs') || redirects >= REDIRECTS) {
    throw new ForgeError(FORGE_ERRORS.UNEXPECTED, `the remote redirects from ${from.host} to ${to.host}${to.pathname}, which is not followed: use the URL of the repository itself`);
  }
  return `${to.origin}${to.pathname.slice(0, -'/info/refs'.length)}`;
}

function referencesOf(packets: readonly Buffer[]): Omit<Announced, 'url'> {
  const references = new Map<string, string>();
  const capabilities = new Set<string>();
  for (const [index, packet] of packets.entries()) {
    const [reference, words = ''] = lineOf(packet).split('\0');
    if (index === 0) words.split(' ').filter((word) => word !== '').forEach((word) => capabilities.add(word));
    const [, id, name] = /^([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/.exec(reference) ?? [];
    if (id === undefined) throw new ProtocolError(`the remote announces ${JSON.stringify(reference.slice(0, 100))}`);
    // An empty repository has no reference that could carry the capabilities.
    if (name !== 'capabilities^{}') references.set(name, id);
  }
  return { references, capabilities, format: capabilities.has('object-format=sha256') ? 'sha256' : 'sha1' };
}

/**
 * Pushes a pack, and updates one reference if it still is what it is expected to be.
 *
 * A connection that breaks leaves it open whether the push arrived: then the references tell.
 */
export async function pushed(remote: Remote, to: Announced, update: Update, pack: AsyncIterable<Buffer>): Promise<Pushed> {
  const none = '0'.repeat(update.to.length);
  const wanted = ['report-status', 'side-band-64k', 'quiet'].filter((name) => to.capabilities.has(name));
  const words = [...wanted, ...(to.format === 'sha256' ? ['object-format=sha256'] : []), 'agent=git/2.0-workbench'].join(' ');
  async function* body() {
    yield packetOf(`${update.from ?? none} ${update.to} ${update.reference}\0 ${words}`);
    yield FLUSH;
    yield* pack;
  }
  const reply = await send(remote, `${to.url}/git-receive-pack`, 'POST', { 'content-type': 'application/x-git-receive-pack-request', 'accept': RESULT }, body());
  throwUnlessOk(reply, RESULT);
  return resultOf(reply.body, to.capabilities.has('side-band-64k'), update.reference);
}

/** Reads the report of a push. Only `unpack ok` with `ok` for the reference is a success. */
function resultOf(body: Buffer, hasBands: boolean, reference: string): Pushed {
  let report = body;
  let said = '';
  if (hasBands) {
    const bands: Buffer[] = [];
    for (const packet of listsOf(body).flat()) {
      const [band, data] = [packet[0], packet.subarray(1)];
      if (band === 1) bands.push(data);
      else if (band === 2 || band === 3) said += data.toString();
      else throw new ProtocolError(`the reply has a packet of band ${band}`);
      if (band === 3) return { rejected: data.toString().trim(), said };
    }
    report = Buffer.concat(bands);
  }
  const lines = listsOf(report).flat().map(lineOf);
  const unpacked = lines.find((line) => line.startsWith('unpack '));
  if (unpacked === undefined) throw new ProtocolError('the remote does not report whether it unpacked the objects');
  if (unpacked !== 'unpack ok') return { rejected: unpacked.slice('unpack '.length), said };
  const refused = lines.find((line) => line.startsWith(`ng ${reference} `));
  if (refused !== undefined) return { rejected: refused.slice(`ng ${reference} `.length), said };
  if (!lines.includes(`ok ${reference}`)) throw new ProtocolError(`the remote does not report on ${reference}`);
  return { said };
}

function throwUnlessOk({ status, headers, body }: Reply, type: string): void {
  const quote = /^text\/plain|json/.test(headers['content-type'] ?? '') ? body.subarray(0, 2_000).toString().trim() : '';
  const retryAfter = pauseOf(headers['retry-after']);
  const failed = (name: ForgeError['name'], summary: string) => new ForgeError(name, `${summary} (HTTP ${status})`, quote, retryAfter);
  if (status === 429 || (status === 403 && retryAfter !== undefined)) throw failed(FORGE_ERRORS.RATE_LIMITED, 'the forge asks for a pause');
  if (status === 401) throw failed(FORGE_ERRORS.UNAUTHORIZED, 'the forge does not accept the credential');
  if (status === 403) throw failed(FORGE_ERRORS.FORBIDDEN, 'the credential may not push to the repository');
  if (status === 404) throw failed(FORGE_ERRORS.NOT_FOUND, 'the forge has no such repository for this credential');
  if (status >= 500) throw failed(FORGE_ERRORS.UNAVAILABLE, 'the forge cannot handle the request now');
  if (status !== 200) throw failed(FORGE_ERRORS.UNEXPECTED, 'the forge does not answer as a git remote does');
  if (headers['content-type'] !== type) {
    throw new ForgeError(FORGE_ERRORS.UNEXPECTED, `the remote does not speak git's smart HTTP protocol: it answers with ${headers['content-type'] ?? 'no content type'}`);
  }
}

/** Returns the seconds of a header `retry-after`, which is a number or a date. */
function pauseOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1_000));
}

/** Sends a request on a connection of its own: one that was kept may be closed by the other side at any time. */
async function send(
  { authorization, silence = 60_000 }: Remote, url: string, method: string, headers: http.OutgoingHttpHeaders, body?: AsyncIterable<Buffer>,
): Promise<Reply> {
  const { protocol } = new URL(url);
  const { request } = protocol === 'https:' ? https : http;
  const lost = (error: Error) => new ForgeError(FORGE_ERRORS.UNAVAILABLE, `the connection to the forge failed (${(error as NodeJS.ErrnoException).code ?? error.name})`, error.message);
  const call = request(url, { method, agent: false, headers: { 'user-agent': 'git/2.0-workbench', ...headers, ...(authorization === undefined ? {} : { authorization }) } });
  call.setTimeout(silence, () => call.destroy(new Error(`the forge was silent for ${silence / 1_000} seconds`)));
  const replied = new Promise<Reply>((resolve, reject) => {
    call.once('error', (error) => reject(lost(error)));
    call.once('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > REPLY_BYTES) response.destroy(new Error(`the reply has more than ${REPLY_BYTES} bytes`));
        else parts.push(part);
      });
      response.once('error', (error) => reject(lost(error)));
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }));
    });
  });
  replied.catch(() => undefined); // it is awaited below, after the body
  try {
    for await (const part of body ?? []) {
      // A host may refuse, and close, before it has read everything.
      if (call.destroyed) break;
      if (!call.write(part)) await Promise.race([new Promise((resolve) => call.once('drain', resolve)), replied.catch(() => undefined)]);
    }
  } catch (error) {
    call.destroy();
    throw error;
  }
  call.end();
  return replied;
}
