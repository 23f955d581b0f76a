import { createHash } from 'crypto';
import { LoopInput, SessionRecord } from './records';
import { defined } from './results';
import { LIMITS } from '../../jobs/constants';

/**
 * The ownership of sessions.
 *
 * The id of a run's own session is derived from the execution's ARN and the endpoint. So the id alone, with the name of the state machine, proves
 * whether one of its executions made the session, and through which endpoint. No other session counts as the loop's.
 */

/** The service's own endpoint, for a loop that names none. */
export const DEFAULT_ENDPOINT = 'DEFAULT';

const SESSION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
/** The length of the digest, in hexadecimal digits: 132 bits. */
const DIGEST_LENGTH = 33;

export function isSessionId(id: unknown): id is string {
  return typeof id === 'string' && SESSION_PATTERN.test(id) && id.length >= LIMITS.sessionId.min && id.length <= LIMITS.sessionId.max;
}

/** Determines whether Step Functions accepts a name for an execution; not a wildcard or a colon, which would name something else in an ARN. */
export function isExecutionName(name: unknown): name is string {
  // eslint-disable-next-line no-control-regex -- Step Functions refuses control characters, so they are named here
  return typeof name === 'string' && name.length >= 1 && name.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]/.test(name);
}

/** Returns the name of an execution, which is unique among those of its state machine for 90 days. */
export function nameOf(executionArn: string): string {
  return executionArn.split(':').pop()!;
}

/** Returns the ARN of another execution of the same state machine. */
export function siblingOf(executionArn: string, name: string): string {
  return [...executionArn.split(':').slice(0, -1), name].join(':');
}

export function stateMachineOf(executionArn: string): string {
  return executionArn.split(':').slice(0, -1).join(':').replace(':execution:', ':stateMachine:');
}

/** Returns the run's id: the execution's name, as in the console, and a digest that tells it from those of other loops. */
export function runIdOf(executionArn: string): string {
  return `${nameOf(executionArn)}-${createHash('sha256').update(executionArn).digest('hex').slice(0, 8)}`;
}

/** Returns the execution that a run's id belongs to, if it is one of the same state machine. */
export function executionOfRun(executionArn: string, runId: string): string | undefined {
  const name = runId.slice(0, -9);
  const arn = siblingOf(executionArn, name);
  return isExecutionName(name) && runIdOf(arn) === runId ? arn : undefined;
}

/** Returns the session that an execution makes if its input names none. */
export function ownSession(executionArn: string, endpointName = DEFAULT_ENDPOINT): SessionRecord {
  const execution = nameOf(executionArn);
  const name = execution.replace(/[^A-Za-z0-9_-]/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 60);
  const digest = createHash('sha256').update(JSON.stringify([executionArn, endpointName])).digest('hex').slice(0, DIGEST_LENGTH);
  return {
    id: name === '' ? digest : `${name}-${digest}`,
    // The id has the name, unless it is too long or has other characters.
    ...(name === execution ? {} : { execution }),
    ...(endpointName === DEFAULT_ENDPOINT ? {} : { endpointName }),
  };
}

/** Returns the session of a verification. Its id is no session's that a run works in, so that none can continue there. */
export function verificationSession(executionArn: string, endpointName: string | undefined, attempt: number): SessionRecord {
  const digest = createHash('sha256').update(JSON.stringify([executionArn, endpointName ?? DEFAULT_ENDPOINT, 'verification', attempt])).digest('hex').slice(0, DIGEST_LENGTH);
  return { id: `verify-${attempt}-${digest}`, ...defined({ endpointName }) };
}

/** A session of the loop, and the ARN of the execution that made it. */
export interface LoopSession {
  readonly session: SessionRecord;
  readonly maker: string;
}

/**
 * Returns the session that a record names, if an execution of the same state machine made it, through that endpoint.
 *
 * @param executionArn the ARN of any execution of the loop
 * @param endpointName the loop's own endpoint, for a record that names none
 */
export function provenSession(executionArn: string, record: NonNullable<LoopInput['session']>, endpointName = DEFAULT_ENDPOINT): LoopSession | undefined {
  const { id, execution = id.slice(0, -DIGEST_LENGTH - 1) } = record;
  if (!isSessionId(id) || !isExecutionName(execution)) return undefined;
  const maker = siblingOf(executionArn, execution);
  const session = ownSession(maker, record.endpointName ?? endpointName);
  return session.id === id ? { session, maker } : undefined;
}

/**
 * Returns the session of an execution: the one that its input names, or its own.
 *
 * @returns undefined if the input names one that is not the loop's
 */
export function sessionOf(executionArn: string, input: unknown, endpointName?: string): LoopSession | undefined {
  const given = givenSession(input);
  if (given === undefined) return { session: ownSession(executionArn, endpointName), maker: executionArn };
  return isRecord(given) ? provenSession(executionArn, given, endpointName) : undefined;
}

/** Returns the value of an input's session, whatever its type is. */
export function givenSession(input: unknown): unknown {
  return typeof input === 'object' && input !== null ? (input as { readonly session?: unknown }).session : undefined;
}

function isRecord(value: unknown): value is NonNullable<LoopInput['session']> {
  if (typeof value !== 'object' || value === null) return false;
  const { id, endpointName, execution } = value as { readonly [name: string]: unknown };
  return typeof id === 'string' && [endpointName, execution].every((field) => field === undefined || typeof field === 'string');
}
