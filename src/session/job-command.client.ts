import { createHash } from 'crypto';
import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors.client';
import { JOB_SCRIPT } from './job-script.generated';
import { quoteWord, quoteWords } from './quote.client';

/** Whether a call may start the job, only attaches to it, or ends it. */
export type JobMode = 'start' | 'attach' | 'cancel';

/** One call of the job protocol. Documented in `job.sh`. */
export interface JobCall {
  readonly mode: JobMode;
  readonly job: string;
  readonly nonce: string;
  readonly mount: string;
  readonly command: string;
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
  const { mode, prologue } = call;
  const bytes = Buffer.byteLength(call.command);
  if (bytes > LIMITS.commandBytes) {
    throw new SessionError(ERRORS.VALIDATION,
      `the command has ${bytes} bytes, ${LIMITS.commandBytes} are allowed; put it in a script in the repository or the image, and run that`);
  }
  const command = prologue === undefined ? call.command : `${prologue}\n${call.command}`;
  const plain = line(call, mode === 'start' ? [`command=${command}`] : []);
  // A command full of quotes grows fourfold; as base64 by a third.
  const text = Buffer.byteLength(plain) <= LIMITS.execCommandBytes
    ? plain
    : line(call, ['encoding=base64', `command=${Buffer.from(command).toString('base64')}`]);
  if (Buffer.byteLength(text) > LIMITS.execCommandBytes) {
    throw new SessionError(ERRORS.VALIDATION,
      `the command and its environment have ${Buffer.byteLength(text)} bytes as they are sent, ${LIMITS.execCommandBytes} are allowed; shorten the environment`);
  }
  return text;
}

function line(call: JobCall, command: readonly string[]): string {
  const start = call.mode === 'start'
    ? [
      `cwd=${call.workingDirectory}`,
      `timeout=${call.timeoutSeconds}`,
      `part=${Math.floor(call.logBytes / LOG_PARTS)}`,
      ...(call.input === undefined ? [] : [`input=${call.input}`]),
      ...call.environment.map((pair) => `env=${pair}`),
      ...command,
    ]
    : [];
  const words = [
    `mode=${call.mode}`,
    `mount=${call.mount}`,
    `job=${call.job}`,
    `nonce=${call.nonce}`,
    `budget=${call.budgetSeconds}`,
    `offset=${call.offset}`,
    ...(call.marker === undefined ? [] : [`marker=${call.marker}`]),
    ...start,
  ];
  try {
    return `/bin/bash -c ${quoteWord(JOB_SCRIPT)} workbench ${quoteWords(words)}`;
  } catch (error) {
    throw new SessionError(ERRORS.VALIDATION, (error as Error).message, { cause: error });
  }
}
