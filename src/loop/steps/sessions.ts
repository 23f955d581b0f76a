import { createHash } from 'crypto';
import { LoopInput, SessionRecord } from './records';
import { LIMITS } from '../../jobs/constants';

/**
 * Whose a session is.
 *
 * A run's own session has an id that is made of the execution's ARN and of the endpoint, so that whoever knows the state machine can tell
 * from the id alone whether one of its executions made the session, and through which endpoint. Nothing else is taken for a session of the loop.
 */

/** The service's own endpoint, if the loop names none. */
export const DEFAULT_ENDPOINT = 'DEFAULT';

const SESSION_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
/** Of the digest, in hexadecimal digits: 132 bits. */
const DIGEST_LENGTH = 33;

export function isSessionId(id: unknown): id is string {
  return typeof id === 'string' && SESSION_PATTERN.test(id) && id.length >= LIMITS.sessionId.min && id.length <= LIMITS.sessionId.max;
}

/** What Step Functions takes for an execution's name; no wildcard and no colon, which would name something else in an ARN. */
export function isExecutionName(name: unknown): name is string {
  // eslint-disable-next-line no-control-regex -- Step Functions refuses control characters, so they are named here
  return typeof name === 'string' && name.length >= 1 && name.length <= 80 && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]/.test(name);
}

/** Unique for 90 days among the executions of its state machine. */
export function nameOf(executionArn: string): string {
  return executionArn.split(':').pop()!;
}

/** An execution of the same state machine, by its name. */
export function siblingOf(executionArn: string, name: string): string {
  return [...executionArn.split(':').slice(0, -1), name].join(':');
}

export function stateMachineOf(executionArn: string): string {
  return executionArn.split(':').slice(0, -1).join(':').replace(':execution:', ':stateMachine:');
}

/** The run's id: the execution's name, as the console shows it, and what tells it from those of other loops. */
export function runIdOf(executionArn: string): string {
  return `${nameOf(executionArn)}-${createHash('sha256').update(executionArn).digest('hex').slice(0, 8)}`;
}

/** The execution of the same state machine that a run's id says it is of, if that is true. */
export function executionOfRun(executionArn: string, runId: string): string | undefined {
  const name = runId.slice(0, -9);
  const arn = siblingOf(executionArn, name);
  return isExecutionName(name) && runIdOf(arn) === runId ? arn : undefined;
}

/** The session that an execution makes if its input names none. */
export function ownSession(executionArn: string, endpointName = DEFAULT_ENDPOINT): SessionRecord {
  const execution = nameOf(executionArn);
  const name = execution.replace(/[^A-Za-z0-9_-]/g, '-').replace(/^[^A-Za-z0-9]+/, '').slice(0, 60);
  const digest = createHash('sha256').update(JSON.stringify([executionArn, endpointName])).digest('hex').slice(0, DIGEST_LENGTH);
  return {
    id: name === '' ? digest : `${name}-${digest}`,
    // The name is in the id, unless it is too long or has other characters.
    ...(name === execution ? {} : { execution }),
    ...(endpointName === DEFAULT_ENDPOINT ? {} : { endpointName }),
  };
}

/** A session of the loop, and the execution that made it. */
export interface LoopSession {
  readonly session: SessionRecord;
  readonly maker: string;
}

/**
 * The session that a record names, if an execution of the same state machine has made it, through that endpoint.
 *
 * @param executionArn of any execution of the loop
 * @param endpointName the loop's own, for a record that names none
 */
export function provenSession(executionArn: string, record: NonNullable<LoopInput['session']>, endpointName = DEFAULT_ENDPOINT): LoopSession | undefined {
  const { id, execution = id.slice(0, -DIGEST_LENGTH - 1) } = record;
  if (!isSessionId(id) || !isExecutionName(execution)) return undefined;
  const maker = siblingOf(executionArn, execution);
  const session = ownSession(maker, record.endpointName ?? endpointName);
  return session.id === id ? { session, maker } : undefined;
}

/**
 * The session of an execution: the one that its input names, or its own.
 *
 * @returns nothing if the input names one that is not the loop's
 */
export function sessionOf(executionArn: string, input: unknown, endpointName?: string): LoopSession | undefined {
  const given = givenSession(input);
  if (given === undefined) return { session: ownSession(executionArn, endpointName), maker: executionArn };
  return isRecord(given) ? provenSession(executionArn, given, endpointName) : undefined;
}

/** What an input has in the place of a session, whatever that is. */
export function givenSession(input: unknown): unknown {
  return typeof input === 'object' && input !== null ? (input as { readonly session?: unknown }).session : undefined;
}

function isRecord(value: unknown): value is NonNullable<LoopInput['session']> {
  if (typeof value !== 'object' || value === null) return false;
  const { id, endpointName, execution } = value as { readonly [name: string]: unknown };
  return typeof id === 'string' && [endpointName, execution].every((field) => field === undefined || typeof field === 'string');
}
