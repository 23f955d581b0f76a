import { FORGE_ERRORS, LOOP_ERRORS, NEXT, OUTCOMES } from './constants';
import type { GateRecord, RunRecord } from './records';
import { defined } from './results';
import type { LoopState, RunIdentity } from './state';
import { counted } from '../../handler/counted';
import { maskSecrets } from '../../handler/mask';
import { ERRORS } from '../../jobs/constants';

/** The failure of a run, for its record. A part of its own with `repair.ts`, which only runs that fail load. */

/** A state at any point of a run: a failed first step leaves only the input. */
export interface AnyState {
  readonly taskId?: unknown;
  readonly session?: unknown;
  readonly run?: RunIdentity;
  /** Null if a step answered with nothing. */
  readonly loop?: LoopState | null;
  /** An error that a step threw or an agent reported. `SendTaskFailure` omits fields that it did not receive, or sets them to null. */
  readonly error?: Caught | null;
  /** The same for an agent that did not report in time. */
  readonly silence?: Caught | null;
}

interface Caught {
  readonly Error?: string | null;
  readonly Cause?: string | null;
}

type Failure = NonNullable<RunRecord['error']>;

/** Returns why a run failed if no step threw an error. */
function decided({ next, feedback, agentError }: LoopState): Failure | undefined {
  // Findings before the gates have no log.
  const gate = feedback === undefined || feedback.logPath === '' ? undefined : `gate "${feedback.gate}"`;
  const nothing = feedback?.unchanged ? '; the agent has changed nothing' : '';
  const where = feedback?.cleanCheckout ? ' in a clean checkout' : '';
  switch (next) {
    case NEXT.RED: return { name: LOOP_ERRORS.RED, message: `${gate === undefined ? 'the gates' : `the ${gate}`} did not pass${where}${afterRepairs(feedback?.maxRepairs)}${nothing}` };
    case NEXT.STUCK: return { name: LOOP_ERRORS.STUCK, message: `the agent is stuck${gate === undefined ? '' : ` at the ${gate}${where}`}: the same files, or the same failure, twice in a row${nothing}` };
    case NEXT.INERT: return { name: LOOP_ERRORS.INERT, message: `the command of ${gate ?? 'a gate'}, or a program that it needs, is neither in the image nor in the repository` };
    case NEXT.NO_WORK: return agentError;
    default: return undefined;
  }
}

function afterRepairs(count: number | undefined): string {
  if (count === undefined) return '';
  return count === 0 ? ', and no repairs are allowed' : ` after ${counted(count, 'repair')}`;
}

/** Returns the failure: a caught error, a decision, or a state that should not lead here. */
export function failureOfRun({ error, silence, loop }: AnyState): Failure {
  if (silence !== undefined) {
    return failure(LOOP_ERRORS.TURN_TIMED_OUT, silence ?? {}, 'the agent did not report within the turn\'s timeout, or missed a heartbeat');
  }
  if (error !== undefined) return caughtFailure(error ?? {});
  if (loop === undefined || loop === null) return { name: LOOP_ERRORS.FAILED, message: 'the run ended before its first step did' };
  return decided(loop) ?? astray(loop);
}

/** The state machine took a path that the last step did not ask for. */
function astray(loop: LoopState | undefined): Failure {
  return { name: LOOP_ERRORS.FAILED, message: `the run ended in an unexpected state (${loop?.next})` };
}

/** Our own error names, with which the last state may fail whoever threw the error. */
const OURS: readonly string[] = [...Object.values(LOOP_ERRORS), ...Object.values(FORGE_ERRORS), ...Object.values(ERRORS)];

/** Names that are reserved for Step Functions and Lambda. An engine may refuse a `Fail` state with one, and lose the record with it. */
const RESERVED = /^(States|Lambda|Sandbox|Runtime|Function|Extension)\./;

/** The pattern of an agent's own error names: the name becomes the value of a metric's dimension. */
const OF_AN_AGENT = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

function caughtFailure(caught: Caught): Failure {
  const { Error: name } = caught;
  if (typeof name !== 'string' || name === '') return failure(LOOP_ERRORS.TURN_FAILED, caught, 'the agent reported a failure without an error');
  if (OURS.includes(name)) return { name, message: messageOf(caught.Cause) };
  // The cause of a function's own error repeats its name: any other error came from an agent that reports with a task token.
  const ofLambda = RESERVED.test(name) || typeOf(caught.Cause) === name;
  if (ofLambda) return failure(LOOP_ERRORS.FAILED, caught, 'a step failed');
  const outcome = (Object.values(OUTCOMES) as string[]).includes(name);
  return outcome || !OF_AN_AGENT.test(name)
    ? failure(LOOP_ERRORS.TURN_FAILED, caught, 'the agent reported a failure')
    : { name, message: messageOf(caught.Cause) };
}

/** Returns a failure with a name of ours, and the name of the caught error. */
function failure(name: string, { Error: caught, Cause }: Caught, otherwise: string): Failure {
  const message = messageOf(Cause);
  return { name, message: message === '' ? otherwise : message, ...(typeof caught === 'string' && caught !== '' ? { caught } : {}) };
}

/** Returns the message of a cause: Lambda's is JSON, an agent's is whatever it reported. */
function messageOf(cause: string | null | undefined): string {
  return maskSecrets(String(parsed(cause)?.errorMessage ?? cause ?? ''));
}

function typeOf(cause: string | null | undefined): unknown {
  return parsed(cause)?.errorType;
}

function parsed(cause: string | null | undefined): { readonly errorType?: unknown; readonly errorMessage?: unknown } | null | undefined {
  try {
    return JSON.parse(cause ?? '');
  } catch {
    return undefined;
  }
}

/** The parts that a record that is too long does without, in this order. */
const LONG_PARTS = ['feedback', 'baseCheck', 'branchMoves', 'judgingFiles', 'findings', 'leftOut', 'putBack', 'setAside'] as const;

/** Returns the cause of a failed run. Step Functions accepts at most 32,768 characters. */
export function causeOf(output: RunRecord): string {
  let record: Partial<RunRecord> = output;
  const isLong = () => JSON.stringify(record).length > 32_000;
  if (isLong() && output.error !== undefined) record = { ...record, error: { ...output.error, message: output.error.message.slice(0, 4_000) } };
  for (const part of LONG_PARTS) {
    if (isLong()) record = { ...record, [part]: undefined };
  }
  if (isLong() && output.agent !== undefined) record = { ...record, agent: { ...output.agent, summary: undefined } };
  if (!isLong()) return JSON.stringify(record);
  const { gates, verification } = output;
  const there = verification && { ...verification, gates: verification.gates.map(inShort) };
  return JSON.stringify({ ...record, gates: gates.map(inShort), ...defined({ verification: there }) });
}

/** Returns the record of a gate without its lists. */
function inShort({ name, verdict, exitCode, seconds, logPath }: GateRecord): GateRecord {
  return { name, verdict, exitCode, seconds, logPath };
}
