import { createHash } from 'crypto';
import { LOOP_ERRORS } from './constants';
import { LoopError } from './errors';
import { isAllowedRepository, isRef, isRepositoryUrl } from './git-names';
import { LoopInput } from './records';
import { isExecutionName, isSessionId } from './sessions';
import { RunIdentity } from './state';
import { counted } from '../../handler/counted';
import { hasSecret } from '../../handler/mask';
import { LIMITS } from '../../jobs/constants';

interface Rule {
  readonly field: string;
  readonly broken: (input: LoopInput) => boolean;
  readonly message: string;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const unknownField = (value: unknown, known: readonly string[]) => isObject(value) && Object.keys(value).some((key) => !known.includes(key));

export const jsonBytes = (text: string) => Buffer.byteLength(JSON.stringify(text));

const ENDPOINT_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,47}$/;

/** The fields of an input, by object. docs/run.md lists them, with `RULES`. */
export const INPUT_FIELDS = {
  input: ['prompt', 'taskId', 'repository', 'issue', 'session'],
  repository: ['url', 'ref'],
  // The fields of a record's session, and the options of a resumed run. The last three are not read.
  session: ['id', 'endpointName', 'execution', 'update', 'onTop', 'workspace', 'stopped', 'error'],
} as const;

export const RULES: readonly Rule[] = [
  {
    field: 'prompt',
    broken: ({ prompt }) => typeof prompt !== 'string' || prompt.trim() === '',
    message: 'must be text that is not empty: describe the task for the agent',
  },
  {
    field: 'prompt',
    broken: ({ prompt }) => typeof prompt === 'string' && prompt.includes('\0'),
    message: 'must not contain a NUL character: remove it',
  },
  {
    field: 'taskId',
    broken: ({ taskId }) => typeof taskId !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(taskId),
    message: 'must be 1 to 64 characters of A-Z, a-z, 0-9, ".", "_" and "-"',
  },
  {
    field: 'repository',
    broken: ({ repository }) => repository !== undefined && (!isObject(repository) || unknownField(repository, INPUT_FIELDS.repository)),
    message: 'must be an object with no other fields than "url" and "ref"',
  },
  {
    field: 'repository.url',
    broken: ({ repository }) => isObject(repository) && repository.url !== undefined
      && (!isRepositoryUrl(repository.url) || hasSecret(repository.url)),
    message: 'must be an https, http, ssh, git, file or codecommit URL, without a password, "?", "#" or "\\\\", and without a user unless the scheme is ssh or codecommit: credentials come from the image\'s credential helper or the execution role',
  },
  {
    field: 'repository.ref',
    broken: ({ repository }) => isObject(repository) && repository.ref !== undefined && (!isRef(repository.ref) || hasSecret(repository.ref)),
    message: 'must be the name of a branch or tag, or a commit',
  },
  {
    field: 'issue',
    broken: ({ issue }) => issue !== undefined && !(Number.isSafeInteger(issue) && issue > 0),
    message: 'must be the number of an issue or a pull request',
  },
  {
    field: 'session',
    broken: ({ session }) => session !== undefined && (!isObject(session) || unknownField(session, INPUT_FIELDS.session)),
    message: 'must be the "session" of an earlier record',
  },
  {
    field: 'session.id',
    broken: ({ session }) => isObject(session) && !isSessionId(session.id),
    message: `must be ${LIMITS.sessionId.min} to ${LIMITS.sessionId.max} letters, digits, "-" and "_", beginning with a letter or digit`,
  },
  {
    field: 'session.endpointName',
    broken: ({ session }) => isObject(session) && session.endpointName !== undefined
      && !(typeof session.endpointName === 'string' && ENDPOINT_PATTERN.test(session.endpointName)),
    message: 'must be the name of an endpoint',
  },
  {
    field: 'session.execution',
    broken: ({ session }) => isObject(session) && session.execution !== undefined && !isExecutionName(session.execution),
    message: 'must be the name of an execution',
  },
  {
    field: 'session.update',
    broken: ({ session }) => isObject(session) && session.update !== undefined && typeof session.update !== 'boolean',
    message: 'must be true or false',
  },
  {
    field: 'session.onTop',
    broken: ({ session }) => isObject(session) && session.onTop !== undefined && typeof session.onTop !== 'boolean',
    message: 'must be true or false',
  },
];

const FIELDS: readonly string[] = INPUT_FIELDS.input;
/** The field that Step Functions adds to the input of an execution that another execution started. */
const SERVICE_FIELD = 'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID';

/**
 * Returns everything that is wrong with a run's input, one message per fault.
 *
 * @param promptBytes the maximum length of the prompt as JSON
 */
export function inputFaults(input: LoopInput, promptBytes: number): string[] {
  const unknown = Object.keys(input).filter((key) => !FIELDS.includes(key) && key !== SERVICE_FIELD).map((key) => `"${key}" is not a field of the input: use ${FIELDS.join(', ')}`);
  const faults = RULES.filter(({ broken }) => broken(input)).map(({ field, message }) => `"${field}" ${message}`);
  if (typeof input.prompt === 'string' && jsonBytes(input.prompt) > promptBytes) {
    faults.push(`"prompt" must have at most ${promptBytes} bytes as JSON: put long text into a file of the repository`);
  }
  return [...unknown, ...faults];
}

/** Throws one error with everything that is wrong with a run's input. */
export function checkInput(input: LoopInput, promptBytes: number): void {
  if (!isObject(input)) throw new LoopError(LOOP_ERRORS.BAD_INPUT, 'the input must be an object with "prompt" and "taskId"');
  const faults = inputFaults(input, promptBytes);
  if (faults.length > 0) throw new LoopError(LOOP_ERRORS.BAD_INPUT, `the input has ${counted(faults.length, 'fault')}`, faults.join('; '));
}

/**
 * Throws if the loop does not allow the repository that an input names: git would send the session's credentials there.
 *
 * @param rules the loop's own repository, and the patterns of others; a loop with neither allows every https URL
 */
export function checkRepositoryOfInput(url: unknown, { repository, allow }: RepositoryRules): void {
  if (url === undefined || url === repository?.url || isAllowedRepository(url, repository === undefined ? allow : allow ?? [])) return;
  const anyHost = allow === undefined && repository === undefined;
  const others = allow?.length ? `those that match ${allow.join(', ')}` : anyHost ? 'plain https URLs' : 'no other';
  const allowed = repository === undefined ? others : `its own, and ${others}`;
  throw new LoopError(LOOP_ERRORS.BAD_INPUT, `"repository.url" must be a repository that the loop allows: ${allowed}`);
}

interface RepositoryRules {
  readonly repository?: { readonly url: string };
  readonly allow?: readonly string[];
}

/** Throws if a run's repository breaks the rules for an input's: the URL of the loop's own may not have been known until it was deployed. */
export function checkRepository(repository: RunIdentity['repository']): void {
  const faults = RULES.filter(({ field, broken }) => field.startsWith('repository.') && broken({ repository } as LoopInput));
  if (faults.length > 0) {
    throw new LoopError(LOOP_ERRORS.BAD_INPUT, 'the loop\'s own repository is invalid', faults.map(({ field, message }) => `"${field}" ${message}`).join('; '));
  }
}

/**
 * Returns the branch for a task: recognizable, always a valid name for git, and never that of another task. An id that git refuses is
 * changed and gets a digest; so does an id that looks like such a name.
 */
export function branchOf(prefix: string, taskId: string): string {
  const safe = taskId.replace(/\.{2,}/g, '.').replace(/^[.-]+/, '').replace(/\.+$/, '').replace(/\.lock$/i, '-lock');
  if (safe === taskId && !/-[0-9a-f]{8}$/.test(taskId)) return `${prefix}${taskId}`;
  return `${prefix}${safe === '' ? 'task' : safe}-${createHash('sha256').update(taskId).digest('hex').slice(0, 8)}`;
}
