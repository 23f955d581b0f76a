import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors';
import { CACHES_ON_EPHEMERAL_DISK, Job } from './job';
import { JOB_SCRIPT } from './job-script.generated';
import { listWords, PLAIN, quoteWords } from '../private/quote';

/** Determines whether a call may start the job, only attaches to it, or ends it. */
export type JobMode = 'start' | 'attach' | 'cancel';

/** One call of the job protocol, which `job.sh` documents: the job, and the state of the caller. */
export interface JobCall extends Pick<Job, 'command' | 'words' | 'prologue' | 'mount' | 'workingDirectory' | 'environment' | 'input' | 'user' | 'timeoutSeconds' | 'logBytes' | 'marker'> {
  readonly mode: JobMode;
  /** The job's id. */
  readonly job: string;
  readonly nonce: string;
  readonly budgetSeconds: number;
  readonly offset: number;
}

/** The maximum number of parts of a log: the first, three before the newest, the newest, and the overshoot. */
const LOG_PARTS = 6;

/** Returns the text for InvokeAgentRuntimeCommand. Fails, with nothing sent, if the text is too long or holds a NUL character. */
export function jobCommand(call: JobCall): string {
  try {
    const text = textOf(call);
    if (Buffer.byteLength(text) <= LIMITS.execCommandBytes) return text;
    throw new RangeError(`the command and its environment must be at most ${LIMITS.execCommandBytes} bytes as they are sent, not ${Buffer.byteLength(text)}: shorten the environment`);
  } catch (error) {
    throw new SessionError(ERRORS.VALIDATION, (error as Error).message, { cause: error });
  }
}

type Named = readonly [name: string, value: string | number | undefined];

function textOf(call: JobCall): string {
  const start: readonly Named[] = call.mode === 'start'
    ? [
      ['cwd', call.workingDirectory ?? call.mount],
      ['timeout', call.timeoutSeconds],
      ['part', Math.floor((call.logBytes ?? LIMITS.logBytes.default) / LOG_PARTS)],
      ['input', call.input],
      ['user', call.user],
      ...Object.entries({ ...CACHES_ON_EPHEMERAL_DISK, ...call.environment }).map(([name, value]) => ['env', `${name}=${value}`] as const),
      ['command', [call.prologue, lineOf(call)].filter((part) => part !== undefined).join('\n')],
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

/** Returns the line for the job's bash, short enough to fit in base64 whatever it holds. */
function lineOf({ command, words = [] }: JobCall): string {
  const bytes = Buffer.byteLength(command ?? words.join(' '));
  if (bytes > LIMITS.commandBytes) {
    throw new RangeError(`the command must be at most ${LIMITS.commandBytes} bytes, not ${bytes}: put it in a script in the repository or the image, and run that`);
  }
  if (command !== undefined) return command;
  const line = quoteWords(words);
  return Buffer.byteLength(line) <= LIMITS.commandBytes ? line : listWords(words);
}

// It is not documented how the service interprets a command: by a shell, by splitting words as POSIX specifies, or by splitting at
// spaces, with `'…'` taken literally and not joined to adjacent text. So each word means the same in all three: it has plain characters only, or is a
// whole `'…'` without an apostrophe. Anything else is sent as base64, and the job's script decodes it.

/** Part of a JavaScript string that no program can be given. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function asWord(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  return text.includes("'") || LONE_SURROGATE.test(text) ? undefined : `'${text}'`;
}

/** Returns one of our own words. Fails if it cannot be written. */
function fixedWord(text: string): string {
  const word = asWord(text);
  if (word === undefined) throw new RangeError('a fixed word of a command must not contain an apostrophe');
  return word;
}

/** Returns one `name=value` for the job's script, literally or as `name:base64=…`. Everything but NUL arrives unchanged. */
function namedWord(name: string, value: string): string {
  if (value.includes('\0')) throw new RangeError('a command must not contain a NUL character');
  return asWord(`${name}=${value}`) ?? `${name}:base64=${Buffer.from(value).toString('base64')}`;
}
