import { ERRORS } from './constants';
import { SessionError } from './errors';

/** The state of a job, from the last record of a call. */
export interface JobEnd {
  readonly kind: 'end';
  readonly state: 'EXITED' | 'TIMED_OUT' | 'CANCELLED' | 'RUNNING' | 'LOST' | 'REFUSED';
  /** The reason, for RUNNING, LOST and REFUSED. */
  readonly detail?: string;
  readonly exitCode?: number;
  /** Seconds since the epoch, by the session's clock. */
  readonly begin?: number;
  readonly end?: number;
  /** The size of the output, including the parts that are no longer kept. */
  readonly bytes?: number;
}

export type JobRecord =
  | { readonly kind: 'job'; readonly attached: boolean }
  | { readonly kind: 'alive' }
  | { readonly kind: 'out'; readonly offset: number; readonly data: Buffer }
  | JobEnd;

const STATES: readonly string[] = ['EXITED', 'TIMED_OUT', 'CANCELLED', 'RUNNING', 'LOST', 'REFUSED'];
/** A record is short; more than this without a line's end is none. */
const LONGEST_RECORD = 1_024;

/**
 * Reads what a call of the job protocol prints, however it is cut into pieces.
 *
 * Strict: whatever is not as `job.sh` writes it ends in an error, so that nothing unknown can be taken for success.
 */
export class JobStreamParser {
  private record = '';
  private inRecord = false;
  private out?: { offset: number; left: number };
  private base64 = '';

  constructor(private readonly job: string, private readonly nonce: string) {}

  public push(text: string): JobRecord[] {
    const records: JobRecord[] = [];
    let position = 0;
    while (position < text.length) {
      if (this.inRecord) {
        const end = text.indexOf('\n', position);
        this.record += text.slice(position, end < 0 ? text.length : end);
        if (this.record.length > LONGEST_RECORD) throw broken('a record without an end', this.record);
        if (end < 0) break;
        position = end + 1;
        this.inRecord = false;
        const record = this.parse(this.record);
        if (record) records.push(record);
      } else {
        const next = text.indexOf('@', position);
        const data = this.decode(text.slice(position, next < 0 ? text.length : next));
        if (data) records.push(data);
        if (next < 0) break;
        position = next + 1;
        this.inRecord = true;
        this.record = '';
      }
    }
    return records;
  }

  private decode(text: string): JobRecord | undefined {
    const clean = this.base64 + text.replaceAll('\n', '');
    if (clean === '') return undefined;
    if (!this.out || !/^[A-Za-z0-9+/]*={0,2}$/.test(clean)) throw broken('output outside of a record', clean);
    const whole = clean.length - clean.length % 4;
    this.base64 = clean.slice(whole);
    const data = Buffer.from(clean.slice(0, whole), 'base64');
    if (data.length === 0) return undefined;
    if (data.length > this.out.left) throw broken('more output than announced', clean);
    const { offset } = this.out;
    this.out = { offset: offset + data.length, left: this.out.left - data.length };
    return { kind: 'out', offset, data };
  }

  private parse(line: string): JobRecord | undefined {
    if (this.base64 !== '') throw broken('output cut within a group', this.base64);
    const [kind, ...words] = line.split(' ');
    // If there is less output than announced, a part of the log was dropped between the check and the copy: a gap, not an error.
    this.out = undefined;
    switch (kind) {
      case 'out': {
        const [offset, bytes] = words.map(natural);
        if (offset === undefined || bytes === undefined || words.length !== 2) throw broken('a record', line);
        this.out = { offset, left: bytes };
        return undefined;
      }
      case 'alive':
        return { kind };
      case 'job':
        if (words[0] !== this.nonce || words[1] !== this.job || !['started', 'attached'].includes(words[2])) throw broken('a record', line);
        return { kind, attached: words[2] === 'attached' };
      case 'end':
        return this.end(line, words);
      default:
        throw broken('a record', line);
    }
  }

  private end(line: string, words: string[]): JobEnd {
    const [nonce, job, state, detail, exitCode, begin, end, bytes] = words;
    if (words.length !== 8 || nonce !== this.nonce || (job !== this.job && state !== 'REFUSED') || !STATES.includes(state)) throw broken('an end record', line);
    const final = ['EXITED', 'TIMED_OUT', 'CANCELLED'].includes(state);
    const numbers = [exitCode, begin, end, bytes].map(natural);
    if (final && numbers.some((number) => number === undefined)) throw broken('an end record', line);
    return {
      kind: 'end',
      state: state as JobEnd['state'],
      ...(detail === '-' ? {} : { detail }),
      ...(final ? { exitCode: numbers[0], begin: numbers[1], end: numbers[2], bytes: numbers[3] } : {}),
    };
  }
}

function natural(word: string): number | undefined {
  return /^\d{1,15}$/.test(word) ? Number(word) : undefined;
}

function broken(what: string, text: string): SessionError {
  return new SessionError(ERRORS.STREAM_CUT, `the session's reply is not one of the job protocol: ${what}`, { quote: JSON.stringify(text.slice(0, 100)) });
}
