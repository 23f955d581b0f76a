import { createHmac } from 'crypto';
import { ERRORS, LIMITS, LOST_REASONS, STATUSES, VERDICTS } from './constants';
import { SessionError } from './errors';
import { JobEnd } from './job-stream';
import { ADDRESS_RULES, SessionAddress } from './session-address';
import { CACHE_DIRECTORIES } from '../image/constants';
import { faultsOf, Rule } from '../private/rule';

/** A command that runs at most once in its session. `RunCommand` sends it to the driver; the steps of a loop and smoke tests make their own. */
export interface Job extends SessionAddress {
  /** The execution, or the run of a loop. Together with `round` and `name`, it identifies the job. */
  readonly run: string;
  readonly round?: number;
  readonly name: string;
  /** A secret of the driver that makes the job's id unpredictable. @default - the id follows from the run, the round and the name */
  readonly key?: string;
  /** `attach` never starts the command: for callers that cannot know whether it has begun. */
  readonly mode?: 'start' | 'attach';
  /** Determines whether the session is known to have answered, so that a failure of its container is final. */
  readonly answered?: boolean;
  /** A shell line. A job has either a line or words. */
  readonly command?: string;
  /** A program and its arguments, which reach the program unchanged. */
  readonly words?: readonly string[];
  /** Lines of the driver's own that the shell runs before the command. They do not count towards the limit of the command. */
  readonly prologue?: string;
  /** The session's persistent directory, which holds the records. */
  readonly mount: string;
  /** @default - the mount */
  readonly workingDirectory?: string;
  readonly environment?: { readonly [name: string]: string };
  /** A file in the session that is the command's standard input. */
  readonly input?: string;
  /**
   * The number of the user and the group that the command runs as, without a way to more rights. It needs root, and `setpriv`.
   * @default - the container's user
   */
  readonly user?: number;
  readonly timeoutSeconds: number;
  readonly failFast?: readonly string[];
  readonly tailBytes?: number;
  /** Determines whether the command is one of the driver's own: only the driver reads its tail, so secrets are not masked. */
  readonly isOurs?: boolean;
  readonly logBytes?: number;
  /** The result of an earlier invocation, for a job that was still running. The result of another job is ignored. */
  readonly previous?: { readonly job?: string; readonly overtimeAt?: number; readonly timeoutSeconds?: number };
  /** The run that the call belongs to, as W3C Baggage. The service passes it on, and logs it. */
  readonly baggage?: string;
  /** The content that the workspace's marker must have if the workspace belongs to the run. */
  readonly marker?: string;
}

export type Verdict = typeof VERDICTS[keyof typeof VERDICTS];
export type LostReason = typeof LOST_REASONS[keyof typeof LOST_REASONS];

/** The state of a job: far below the 256 KiB of a state, whatever the command prints. */
export interface JobResult {
  /** `RUNNING`: ask again, with mode `attach`. */
  readonly status: typeof STATUSES[keyof typeof STATUSES];
  /** Absent while the job runs. */
  readonly verdict?: Verdict;
  readonly lostReason?: LostReason;
  /** The exit code of the command; null while it runs and if it is lost. */
  readonly exitCode: number | null;
  /** The pattern that ended the command. */
  readonly failFast?: string;
  readonly job: string;
  /** Path of the whole output in the session. */
  readonly logPath: string;
  readonly outputBytes: number;
  readonly seconds: number;
  /** The end of the output, as text. */
  readonly tail: string;
  /** The number of calls that attached to the job after the first call. */
  readonly attaches: number;
  /** The run of the job, which the caller needs again to attach. */
  readonly run: string;
  /** While the job runs: the time at which the driver ends it, in milliseconds since the epoch. The caller returns it in `previous`. */
  readonly overtimeAt?: number;
  /** While the job runs: the timeout that it was started with, if that is known. */
  readonly timeoutSeconds?: number;
}

/**
 * Returns the name of the job's directory: recognizable, and different for every run, round and name.
 *
 * @param key a secret of the driver, which keeps others from predicting the directory of a job and creating it in advance
 */
export function jobId(run: string, round: number, name: string, key = ''): string {
  const slug = name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'job';
  const digest = createHmac('sha256', key).update(JSON.stringify([run, round, name])).digest('hex').slice(0, 12);
  return `${slug}-${round}-${digest}`;
}

/** The directory of tool caches on ephemeral disk. */
const CACHE_ROOT = '/tmp/.cache';

/** Returns the variables that move the caches of tools into a directory. */
export function cachesBelow(root: string): { readonly [name: string]: string } {
  return {
    XDG_CACHE_HOME: root,
    ...Object.fromEntries(CACHE_DIRECTORIES.map(([variable, directory]) => [variable, `${root}/${directory}`])),
    MISE_CACHE_DIR: `${root}/mise`,
  };
}

/** Moves caches that need file locks, or waste space and time on the mount, to ephemeral disk. The job's own environment overrides them. */
export const CACHES_ON_EPHEMERAL_DISK = cachesBelow(CACHE_ROOT);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isPath = (value: unknown) => isText(value) && value.startsWith('/');
const isOutside = (value: unknown, min: number, max: number) => !Number.isSafeInteger(value) || (value as number) < min || (value as number) > max;
const isName = (name: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

function mustBe(prop: keyof Job, what: string, isBroken: (value: unknown) => boolean): Rule<Job> {
  return { broken: (job) => isBroken(job[prop]), message: (job) => `"${prop}" must be ${what}, not ${JSON.stringify(job[prop])}` };
}

function optional(isBroken: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value !== undefined && isBroken(value);
}

const RULES: readonly Rule<Job>[] = [
  ...ADDRESS_RULES,
  mustBe('run', 'text', (value) => !isText(value)),
  mustBe('name', 'text', (value) => !isText(value)),
  mustBe('round', 'a whole number from 0', optional((value) => isOutside(value, 0, 1_000_000))),
  mustBe('mode', '"start" or "attach"', optional((value) => value !== 'start' && value !== 'attach')),
  {
    broken: ({ command, words }) => isText(command) === (Array.isArray(words) && words.length > 0),
    message: () => '"command" must be given if "words" is not, and only then',
  },
  {
    broken: ({ words }) => words !== undefined && !(Array.isArray(words) && words.every((word) => typeof word === 'string')),
    message: () => '"words" must be a list of strings',
  },
  mustBe('mount', 'an absolute path', (value) => !isPath(value)),
  mustBe('workingDirectory', 'an absolute path', optional((value) => !isPath(value))),
  mustBe('user', 'the number of a user', optional((value) => isOutside(value, 1, 2 ** 32 - 2))),
  mustBe('timeoutSeconds', `1 to ${LIMITS.sessionSeconds}`, (value) => isOutside(value, 1, LIMITS.sessionSeconds)),
  mustBe('tailBytes', `${LIMITS.tailBytes.min} to ${LIMITS.tailBytes.max}`, optional((value) => isOutside(value, LIMITS.tailBytes.min, LIMITS.tailBytes.max))),
  mustBe('logBytes', `${LIMITS.logBytes.min} to ${LIMITS.logBytes.max}`, optional((value) => isOutside(value, LIMITS.logBytes.min, LIMITS.logBytes.max))),
  {
    broken: ({ environment = {} }) => !Object.keys(environment).every(isName),
    message: ({ environment = {} }) => `"environment" must have names of letters, digits and "_", not ${JSON.stringify(Object.keys(environment).find((name) => !isName(name)))}`,
  },
  {
    broken: ({ environment = {} }) => Object.values(environment).some((value) => typeof value !== 'string'),
    message: () => '"environment" must have values that are strings',
  },
  {
    broken: ({ failFast = [] }) => !failFast.every(isPattern),
    message: () => '"failFast" must have regular expressions that are not empty',
  },
];

function isPattern(source: string): boolean {
  try {
    return isText(source) && new RegExp(source) !== undefined;
  } catch {
    return false;
  }
}

/** Fails with all faults of a job, before anything is sent. */
export function checkJob(job: Job): void {
  const faults = faultsOf(job, RULES);
  if (faults.length > 0) throw new SessionError(ERRORS.VALIDATION, faults.join('; '));
}

/** The protocol's words for a lost job. */
const LOST: { readonly [detail: string]: LostReason } = {
  microvm: LOST_REASONS.MICROVM,
  supervisor: LOST_REASONS.SUPERVISOR,
  unstarted: LOST_REASONS.UNSTARTED,
  absent: LOST_REASONS.ABSENT,
  workspace: LOST_REASONS.WORKSPACE,
};

/**
 * Returns the verdict of a job that has ended. `PASSED` needs proof: an exit code of 0, in a record of the end, within the timeout.
 *
 * @param timeoutSeconds the timeout that the job was started with, if it is known
 */
export function verdictOf(end: JobEnd, timeoutSeconds = Infinity): Verdict {
  switch (end.state) {
    case 'EXITED':
      if ((end.end ?? 0) - (end.begin ?? 0) > timeoutSeconds) return VERDICTS.TIMED_OUT;
      if (end.exitCode === 0) return VERDICTS.PASSED;
      // The exit codes of a shell that cannot run, or cannot find, a command.
      return end.exitCode === 126 || end.exitCode === 127 ? VERDICTS.INERT : VERDICTS.FAILED;
    case 'TIMED_OUT':
      return VERDICTS.TIMED_OUT;
    case 'CANCELLED':
      return VERDICTS.FAILED;
    default:
      return VERDICTS.LOST;
  }
}

/** Returns the reason why a job is lost, or `undefined` if it is not. */
export function lostReasonOf(end: JobEnd): LostReason | undefined {
  return end.state === 'LOST' ? LOST[end.detail ?? ''] ?? LOST_REASONS.SUPERVISOR : undefined;
}
