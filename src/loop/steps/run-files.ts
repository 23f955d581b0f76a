import { createHash } from 'crypto';
import { keepingTime } from './keeping-time';
import { StepTools } from './step';
import { OperateConfig } from '../../operate/constants';

/** The timeout of an upload, in milliseconds: of any, and for each byte of it, which is 64 seconds for the longest log. */
const PUT_TIME = 10_000;
const BYTE_TIME = 0.0016;

/** The number of tries, with waits of 1 and 2 times the back-off. */
const TRIES = 3;

/** The least time for a try, in milliseconds. */
const ENOUGH_TIME = 1_000;

/** The files of one run in its bucket. A failure is logged and added to the record, and never fails a run. */
export class RunFiles {
  /** The location of the files, for records. */
  public readonly prefix: string;
  /** The name of the error of the first file that could not be written. */
  public error?: string;
  /** True if a file had no answer in all tries: the step does not wait as long for each of its other files. */
  private isUnreachable = false;

  constructor(private readonly place: NonNullable<OperateConfig['artifacts']>, execution: string, private readonly tools: StepTools) {
    this.prefix = `${place.prefix}${safeName(execution.split(':').pop()!)}/`;
  }

  public get bucket(): string {
    return this.place.bucket;
  }

  /** Writes a file. A file of the same name is replaced. */
  public async put(name: string, body: string | Buffer, type: string): Promise<void> {
    const { clock, backoffSeconds, log } = this.tools;
    const tries = this.isUnreachable ? 1 : TRIES;
    const content = Buffer.from(body);
    for (let failures = 1; ; failures++) {
      try {
        const left = keepingTime(this.tools);
        if (left < ENOUGH_TIME) throw named('NoTimeLeft');
        await this.send(`${this.prefix}${name}`, content, type, Math.min(left, PUT_TIME + content.length * BYTE_TIME));
        return;
      } catch (error) {
        if (failures < tries && mayPass(error as PutError)) {
          await clock.sleep(backoffSeconds * 2 ** (failures - 1));
          continue;
        }
        this.isUnreachable ||= (error as PutError).status === undefined;
        this.error ??= (error as Error).name;
        log?.('artifact not kept', { name, error: (error as Error).name });
        return;
      }
    }
  }

  private async send(key: string, body: Buffer, type: string, milliseconds: number): Promise<void> {
    const hash = createHash('sha256').update(body).digest();
    const headers = {
      'content-type': type,
      'content-length': `${body.length}`,
      'x-amz-content-sha256': hash.toString('hex'),
      // A bucket with a default retention (S3 Object Lock) refuses a file without a checksum of this kind.
      'x-amz-checksum-sha256': hash.toString('base64'),
    };
    const path = `/${this.place.bucket}/${key.split('/').map(encoded).join('/')}`;
    const { status, text } = await this.tools.requestsOf!('s3').send('PUT', path, headers, body, AbortSignal.timeout(Math.ceil(milliseconds)));
    if (status >= 300) throw Object.assign(named(/<Code>(\w{1,100})<\/Code>/.exec(text)?.[1] ?? `Status${status}`), { status });
  }
}

interface PutError extends Error {
  readonly status?: number;
}

/** Determines whether to try again: not if S3 refused the request. */
function mayPass({ name, status = 500 }: PutError): boolean {
  return name !== 'NoTimeLeft' && (status >= 500 || status === 429 || status === 408 || name === 'RequestTimeout');
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

/** Encodes a part of a key as S3 signatures require. */
function encoded(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns a name that is one part of a key, and the same part of a URL and of a file's path. Names of gates stay different. */
export function safeName(name: string): string {
  const safe = name.replace(/ /g, '.').replace(/[\p{Cc}\p{Cf}\p{Cs}/\\%?#*:"<>|]/gu, '_');
  return /^\.*$/.test(safe) ? `_${safe}` : safe;
}

/** Returns the end of a name, at most so many bytes long: a key has at most 1,024. */
export function endOfName(name: string, bytes: number): string {
  const characters = [...name];
  let at = characters.length;
  for (let left = bytes; at > 0 && (left -= Buffer.byteLength(characters[at - 1])) >= 0;) at--;
  return characters.slice(at).join('');
}
