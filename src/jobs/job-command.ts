import { createHash } from 'crypto';
import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors';
import { JOB_SCRIPT } from './job-script.generated';
import { listWords, quoteWords } from './quote';
import { fixedWord, namedWord } from './wire';

/** Whether a call may start the job, only attaches to it, or ends it. */
export type JobMode = 'start' | 'attach' | 'cancel';

/** One call of the job protocol. Documented in `job.sh`. */
export interface JobCall {
  readonly mode: JobMode;
  readonly job: string;
  readonly nonce: string;
  readonly mount: string;
  /** A shell line; or else `words`. */
  readonly command?: string;
  /** A program and its arguments. */
  readonly words?: readonly string[];
  /** Lines of our own that the command's shell runs first; they do not count as the command's. */
  readonly prologue?: string;
  readonly workingDirectory: string;
  readonly environment: readonly string[];
  /** A file in the session that the command reads as its standard input. */
  readonly input?: string;
  readonly timeoutSeconds: number;
  readonly budgetSeconds: number;
  readonly offset: number;
  readonly logBytes: number;
  readonly marker?: string;
}

/** A name that is a folder's, recognizable, and different for every run, round and name. */
export function jobId(run: string, round: number, name: string): string {
  const slug = name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'job';
  const digest = createHash('sha256').update(JSON.stringify([run, round, name])).digest('hex').slice(0, 12);
  return `${slug}-${round}-${digest}`;
}

/** Parts of the log that are kept at the most: the first, three before the newest, the newest, and what overshoots. */
const LOG_PARTS = 6;

/** The text for InvokeAgentRuntimeCommand. Fails, with nothing sent, if it is too long or holds a NUL character. */
export function jobCommand(call: JobCall): string {
  try {
    const text = line(call);
    if (Buffer.byteLength(text) <= LIMITS.execCommandBytes) return text;
    throw new RangeError(`the command and its environment have ${Buffer.byteLength(text)} bytes as they are sent, ${LIMITS.execCommandBytes} are allowed; shorten the environment`);
  } catch (error) {
    throw new SessionError(ERRORS.VALIDATION, (error as Error).message, { cause: error });
  }
}

function line(call: JobCall): string {
  const start: readonly Named[] = call.mode === 'start'
    ? [
      ['cwd', call.workingDirectory],
      ['timeout', call.timeoutSeconds],
      ['part', Math.floor(call.logBytes / LOG_PARTS)],
      ['input', call.input],
      ...call.environment.map((pair) => ['env', pair] as const),
      ['command', [call.prologue, commandLine(call)].filter((part) => part !== undefined).join('\n')],
    ]
    : [];
  const words: readonly Named[] = [
    ['mode', call.mode],
    ['mount', call.mount],
    ['job', call.job],
    ['nonce', call.nonce],
    ['budget', call.budgetSeconds],
    ['offset', call.offset],
    ['marker', call.marker],
    ...start,
  ];
  return [
    '/bin/bash', '-c', fixedWord(JOB_SCRIPT), 'workbench',
    ...words.flatMap(([name, value]) => value === undefined ? [] : [namedWord(name, String(value))]),
  ].join(' ');
}

type Named = readonly [name: string, value: string | number | undefined];

/** What the job's bash reads, of a length that fits in base64 whatever is in it. */
function commandLine({ command, words = [] }: JobCall): string {
  const bytes = Buffer.byteLength(command ?? words.join(' '));
  if (bytes > LIMITS.commandBytes) {
    throw new RangeError(`the command has ${bytes} bytes, ${LIMITS.commandBytes} are allowed; put it in a script in the repository or the image, and run that`);
  }
  if (command !== undefined) return command;
  const quoted = quoteWords(words);
  return Buffer.byteLength(quoted) <= LIMITS.commandBytes ? quoted : listWords(words);
}
