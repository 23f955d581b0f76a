import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors';
import { ADDRESS_RULES, SessionAddress } from './exec';
import { CACHE_DIRECTORIES } from '../image/constants';

/** What `RunCommand` asks of the driver: one command, at most once in its session. */
export interface RunRequest extends SessionAddress {
  /** The execution, or the run of a loop. With `round` and `name` it makes the job's identity. */
  readonly run: string;
  readonly round?: number;
  readonly name: string;
  /** `attach` never starts the command: for whoever cannot know whether it has begun. */
  readonly mode?: 'start' | 'attach';
  /** The session is known to have answered, so that a container that fails is broken. */
  readonly answered?: boolean;
  /** A shell line, or words that reach the program unchanged. */
  readonly command?: string;
  /** Lines of the driver's own, which the command's shell runs first. */
  readonly prologue?: string;
  readonly words?: readonly string[];
  /** The session's persistent directory, where the records are kept. */
  readonly mount: string;
  readonly workingDirectory?: string;
  readonly environment?: { readonly [name: string]: string };
  /** A file in the session that is the command's standard input. */
  readonly input?: string;
  readonly timeoutSeconds: number;
  readonly failFast?: readonly string[];
  readonly tailBytes?: number;
  /** The command is one of the driver's own, which reads the tail, and shows it nowhere as it is. */
  readonly isOurs?: boolean;
  readonly logBytes?: number;
  /** What an earlier invocation came back with, for a job that was still running. That of another job is not looked at. */
  readonly previous?: { readonly job?: string; readonly overtimeAt?: number; readonly timeoutSeconds?: number };
  /** What the workspace's marker has to hold, for the workspace to be the run's own. */
  readonly marker?: string;
}

/** The directory of tool caches on ephemeral disk. */
const CACHE_ROOT = '/tmp/.cache';

/** Moves caches that need file locks, or waste space and time on the mount, to ephemeral disk. The command's own environment overrides them. */
export const CACHES_ON_EPHEMERAL_DISK: { readonly [name: string]: string } = {
  XDG_CACHE_HOME: CACHE_ROOT,
  ...Object.fromEntries(CACHE_DIRECTORIES.map(([variable, directory]) => [variable, `${CACHE_ROOT}/${directory}`])),
  MISE_CACHE_DIR: `${CACHE_ROOT}/mise`,
};

type Rule = readonly [broken: (request: RunRequest) => boolean, message: (request: RunRequest) => string];

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isPath = (value: unknown) => isText(value) && value.startsWith('/');
const outside = (value: unknown, min: number, max: number) => !Number.isSafeInteger(value) || (value as number) < min || (value as number) > max;

const RULES: readonly Rule[] = [
  ...ADDRESS_RULES,
  [(r) => !isText(r.run), () => '"run" is missing'],
  [(r) => !isText(r.name), () => '"name" is missing'],
  [(r) => r.round !== undefined && outside(r.round, 0, 1_000_000), (r) => `"round" is ${JSON.stringify(r.round)}, a whole number from 0 is needed`],
  [(r) => !['start', 'attach', undefined].includes(r.mode), (r) => `"mode" is ${JSON.stringify(r.mode)}, "start" or "attach" is needed`],
  [(r) => isText(r.command) === (Array.isArray(r.words) && r.words.length > 0), () => 'one of "command" and "words" is needed, and not both'],
  [(r) => r.words !== undefined && !(Array.isArray(r.words) && r.words.every((word) => typeof word === 'string')), () => '"words" is not a list of strings'],
  [(r) => !isPath(r.mount), (r) => `"mount" is ${JSON.stringify(r.mount)}, an absolute path is needed`],
  [(r) => r.workingDirectory !== undefined && !isPath(r.workingDirectory), (r) => `"workingDirectory" is ${JSON.stringify(r.workingDirectory)}, an absolute path is needed`],
  [(r) => outside(r.timeoutSeconds, 1, LIMITS.sessionSeconds), (r) => `"timeoutSeconds" is ${JSON.stringify(r.timeoutSeconds)}, 1 to ${LIMITS.sessionSeconds} are allowed`],
  [(r) => r.tailBytes !== undefined && outside(r.tailBytes, LIMITS.tailBytes.min, LIMITS.tailBytes.max),
    (r) => `"tailBytes" is ${JSON.stringify(r.tailBytes)}, ${LIMITS.tailBytes.min} to ${LIMITS.tailBytes.max} are allowed`],
  [(r) => r.logBytes !== undefined && outside(r.logBytes, LIMITS.logBytes.min, LIMITS.logBytes.max),
    (r) => `"logBytes" is ${JSON.stringify(r.logBytes)}, ${LIMITS.logBytes.min} to ${LIMITS.logBytes.max} are allowed`],
  [(r) => Object.keys(r.environment ?? {}).some((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)),
    (r) => `"environment" has a name that no shell takes: ${Object.keys(r.environment!).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))}`],
  [(r) => Object.values(r.environment ?? {}).some((value) => typeof value !== 'string'), () => '"environment" has a value that is not a string'],
  [(r) => (r.failFast ?? []).some((pattern) => !isPattern(pattern)), () => '"failFast" has a pattern that is not a regular expression'],
];

function isPattern(source: string): boolean {
  try {
    return isText(source) && new RegExp(source) !== undefined;
  } catch {
    return false;
  }
}

/** Fails, with everything that is wrong, before anything is sent. */
export function checkRunRequest(request: RunRequest): void {
  const complaints = RULES.filter(([broken]) => broken(request)).map(([, message]) => message(request));
  if (complaints.length > 0) throw new SessionError(ERRORS.VALIDATION, complaints.join('; '));
}

/** The environment of a request, over the defaults. */
export function environmentOf(request: RunRequest): string[] {
  return Object.entries({ ...CACHES_ON_EPHEMERAL_DISK, ...request.environment }).map(([name, value]) => `${name}=${value}`);
}
