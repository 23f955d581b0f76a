import { randomUUID } from 'crypto';
import { afterFailure } from './after-failure';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT, NOTHING_TO_STOP, STEPS, WORKSPACES } from './constants';
import { LoopError } from './errors';
import { LoopConfig, VerificationConfig } from './loop-config';
import { costRecord, metered } from './meter';
import { occupantOf } from './occupant';
import { RunRecord, SessionRecord } from './records';
import type { AnyState } from './run-failure';
import { measureEnd, measureLeftOver, outputOf } from './run-record';
import { DEFAULT_ENDPOINT, LoopSession, ownSession, runIdOf, sessionOf, verificationSession } from './sessions';
import { LoopState } from './state';
import { inWorkspace, StepTools } from './step';
import { isTransient } from '../../jobs/errors';
import { SessionAddress } from '../../jobs/session-address';
import { StopResult as SessionStop, stopSession } from '../../jobs/stop-session';

export interface StopRequest {
  readonly runtimeArn: string;
  readonly execution: string;
  readonly config: LoopConfig;
  readonly state: AnyState;
  /** True to stop the session, false to leave it to its idle timeout. */
  readonly stop: boolean;
  /** True on the path of a run that did its work; no other run may take that path. */
  readonly green: boolean;
}

export interface StopResult {
  readonly output: RunRecord;
  /** Empty for a run that did its work. */
  readonly failure: { readonly name: string; readonly cause: string };
}

/** Last step, on every path: stops the session and returns the run's record. */
export async function stop(request: StopRequest, tools: StepTools): Promise<StopResult> {
  const { state } = request;
  const begunAt = tools.clock.now();
  const where = placeOf(request);
  let stopped = false;
  let notStopped = 0;
  let problem = await othersWork(where, request, tools);
  if (request.config.shared && problem === undefined) await release(request, where.session, tools);
  if (request.stop && problem === undefined) {
    try {
      const address = { runtimeArn: request.runtimeArn, qualifier: where.session.endpointName, sessionId: where.session.id };
      await stopping(tools)(address);
      stopped = true;
    } catch (error) {
      problem = `${(error as Error).name}: ${(error as Error).message}`.slice(0, 1_000);
      notStopped = 1;
    }
  }
  const { verification, failures } = await stopVerifications(request, tools);
  // The record names the endpoint: a run that continues in the session finds its workspace there, even if the loop's own endpoint changes.
  const output = outputOf(state, {
    endpointName: DEFAULT_ENDPOINT, ...where.session, ...workspaceOf(state), stopped, ...(problem === undefined ? {} : { error: problem }),
  }, request.green, {
    verification,
    cost: costUntil(begunAt, request, tools),
    isBeforeTurns: request.config.checkBase === true && state.loop?.baseCheck === undefined,
  });
  measureEnd(tools, request.config, output, state.run, state.loop?.meter?.since);
  measureLeftOver(tools, request.config, notStopped + failures);
  const failure = output.error === undefined ? { name: '', cause: '' } : { name: output.error.name, cause: afterFailure().causeOf(output) };
  if (request.green && output.error !== undefined) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'a run that failed took the path of a successful one', output.error.message);
  return { output, failure };
}

/** Returns the cost of the run up to now, if the first step has ended. */
function costUntil(begunAt: number, { config, state }: StopRequest, { clock }: StepTools): RunRecord['cost'] {
  const { meter, agent } = state.loop ?? {};
  return meter && costRecord(metered({ operation: STEPS.STOP, state }, begunAt, clock.now()), config, agent?.costUsd);
}

/** Returns the run's session. The state may hold an input that no step has checked: the session must be the loop's all the same. */
function placeOf({ execution, state, config }: Pick<StopRequest, 'execution' | 'state' | 'config'>): LoopSession {
  const { run, session } = state;
  const named = { session: run === undefined ? session : run.session };
  return sessionOf(execution, named, config.endpointName) ?? ownPlace(execution, config.endpointName);
}

function workspaceOf({ run }: AnyState): Pick<SessionRecord, 'workspace'> {
  const known = Object.values(WORKSPACES).find((workspace) => workspace === run?.session.workspace);
  return known === undefined ? {} : { workspace: known };
}

function ownPlace(execution: string, endpointName: string | undefined): LoopSession {
  return { session: ownSession(execution, endpointName), maker: execution };
}

/**
 * Returns why the session must not be stopped, if that is so.
 *
 * No other run enters the session of a run that is in progress. That leaves a run that never entered the session that its input names, and one
 * whose workspace was taken over after its execution had ended, and that was redriven.
 */
async function othersWork(
  where: LoopSession, { execution, state }: Pick<StopRequest, 'execution' | 'state'>, tools: StepTools,
): Promise<string | undefined> {
  const isOwn = where.maker === execution;
  if ((isOwn || state.run !== undefined) && state.error?.Error !== LOOP_ERRORS.WORKSPACE_LOST) return undefined;
  return occupied(where, execution, tools);
}

/** Asks Step Functions, never the workspace. If Step Functions cannot be asked, only the execution that made the session stops it. */
async function occupied(where: LoopSession, execution: string, tools: StepTools): Promise<string | undefined> {
  try {
    const occupant = await occupantOf(where, execution, tools);
    return occupant === undefined ? undefined : `left running: the run ${occupant} is using it`;
  } catch (error) {
    return where.maker === execution ? undefined : `left running: it is not known whether another run is using it (${(error as Error).name})`;
  }
}

/** Stops the sessions of the run's verifications. A step that failed may have started one more than the state knows of. */
async function stopVerifications(
  { runtimeArn, execution, config, state, green }: StopRequest, tools: StepTools,
): Promise<{ readonly verification?: RunRecord['verification']; readonly failures: number }> {
  const { run } = state;
  if (config.verification === undefined || run === undefined) return { failures: 0 };
  const known = state.loop?.verification;
  const more = green || state.error === undefined ? 0 : 1;
  const count = (known?.attempt ?? 0) + more;
  const addresses = addressesOf(config.verification, { runtimeArn, execution, endpointName: run.session.endpointName }, count);
  if (known === undefined && more === 0) return { failures: 0 };
  const stops = await Promise.all(addresses.map((address) => stopping(tools)(address)
    .catch((error: Error) => ({ status: `${address.sessionId}: ${error.name}: ${error.message}`.slice(0, 500), sessionId: address.sessionId }))));
  const failed = stops.filter(({ status }) => status !== 'STOPPED' && status !== 'ALREADY_STOPPED');
  const started = stops.filter(({ status }, index) => index < (known?.attempt ?? 0) || status !== 'ALREADY_STOPPED');
  if (started.length === 0) return { failures: 0 };
  return {
    verification: {
      sessions: started.map(({ sessionId }) => sessionId),
      ...(known?.separate === undefined ? {} : { separateUser: known.separate }),
      gates: known?.gates ?? [],
      stopped: failed.length === 0,
      ...(failed.length === 0 ? {} : { error: failed[0].status }),
    },
    failures: failed.length,
  };
}

/** Returns the function that stops a session. */
function stopping({ client, clock, backoffSeconds }: StepTools) {
  return (address: SessionAddress) => stopSession(client, address, clock, backoffSeconds);
}

/** Returns the addresses of the sessions of the first verifications of a run. */
function addressesOf(
  { runtimeArn: own, endpointName: ownEndpoint }: VerificationConfig,
  { runtimeArn, execution, endpointName }: { readonly runtimeArn: string; readonly execution: string; readonly endpointName?: string },
  count: number,
): SessionAddress[] {
  const qualifier = own === undefined ? endpointName : ownEndpoint;
  return Array.from({ length: count }, (_, index) => (
    { runtimeArn: own ?? runtimeArn, qualifier, sessionId: verificationSession(execution, qualifier, index + 1).id }
  ));
}

/** The time limit of a release, in seconds: a microVM that answers needs one or two, after the two minutes in which it may start. */
const RELEASE_SECONDS = 180;

/** The duration of all tries of one stop, in seconds: seven tries of 20 seconds, and the waits between them. */
const STOP_SECONDS = 210;

const FIRST: LoopState = { next: NEXT.GO_ON, round: 0, losses: 0, rebases: 0, base: '', gates: [] };

/**
 * Removes the run's marker from a workspace that may be shared with other loops, which cannot ask whether the run is over.
 *
 * Best effort: without it, they wait until the run's deadline.
 */
async function release({ runtimeArn, execution, config, state: { loop } }: Omit<StopRequest, 'stop' | 'green'>, session: SessionRecord, tools: StepTools): Promise<void> {
  const startedAt = Math.floor(tools.clock.now() / 1_000);
  // Independent of the progress of the run, and with time of its own.
  const run = {
    id: runIdOf(execution), key: randomUUID(), taskId: '', mount: config.mount, clone: config.mount, session, repository: { url: '' }, branch: '', startedAt, deadline: startedAt + LOOP_LIMITS.gitSeconds,
  };
  const until = Math.min(tools.until, tools.clock.now() + RELEASE_SECONDS * 1_000);
  const options = { unclaimed: true, label: String(tools.clock.now()) };
  await inWorkspace({ runtimeArn, execution, config, state: { prompt: '', taskId: '', loop: loop ?? FIRST, run } }, { ...tools, until }, 'release', LOOP_ERRORS.WORKSPACE_LOST, {}, options)
    .catch(() => undefined);
}

export interface CleanUpRequest {
  readonly runtimeArn: string;
  readonly config: LoopConfig;
  /** True to stop the session, false to leave it to its idle timeout. */
  readonly stop: boolean;
  /** The detail of the event "Step Functions Execution Status Change". */
  readonly detail: {
    readonly executionArn: string;
    /** Missing if it is too long for an event. */
    readonly input?: string | null;
    readonly status: string;
    readonly error?: string | null;
    readonly cause?: string | null;
  };
}

/** Determines whether a failed execution ran its last step, which did everything that is to do: its cause is a `RunRecord`, maybe cut. */
function endedInOrder({ status, error, cause }: CleanUpRequest['detail']): boolean {
  return status === 'FAILED' && (NOTHING_TO_STOP.includes(error ?? '') || (cause ?? '').startsWith('{"outcome":'));
}

const IN_ORDER = { status: 'ended in order' };

/**
 * Stops the session of an execution that ended without its last step: the session is derived from the execution alone.
 * Returns no `sessionId` if there is nothing to do, and an empty one if the input names a session of others.
 */
export async function cleanUp(request: CleanUpRequest, tools: StepTools): Promise<{ readonly status: string; readonly sessionId?: string }> {
  const { detail, config, runtimeArn } = request;
  const execution = detail.executionArn;
  if (endedInOrder(detail)) return IN_ORDER;
  const known = await tools.executions.describe(execution).catch(() => undefined);
  if (known?.isRunning) return { status: 'running again' };
  // An event of a state machine with a key of its own has no input, no error and no cause.
  if (endedInOrder({ ...detail, error: detail.error ?? known?.error, cause: detail.cause ?? known?.cause })) return IN_ORDER;
  measureEnd(tools, config, { outcome: detail.status === 'FAILED' ? LOOP_ERRORS.FAILED : detail.status });
  // The loop may have another endpoint by now, and an event omits an input that is long or encrypted.
  const endpointName = await tools.executions.endpointNameOf(execution).catch(() => undefined) ?? config.endpointName;
  const input = known === undefined ? parsed(detail.input) : known.input;
  const where = sessionOf(execution, input, endpointName);
  if (where === undefined) return { status: 'refused: the session that its input names is not the loop\'s', sessionId: '' };
  const sessionId = where.session.id;
  // The sessions of verifications belong to this run alone: they are always stopped.
  let addresses: SessionAddress[] = [];
  if (config.verification !== undefined) {
    const run = { runtimeArn, execution, endpointName: where.session.endpointName };
    addresses = addressesOf(config.verification, run, config.verification.attempts);
    const stops = await Promise.allSettled(addresses.map(stopping(tools)));
    measureLeftOver(tools, config, stops.filter(({ status }) => status === 'rejected').length);
  }
  const problem = await occupied(where, execution, tools);
  if (problem === undefined && config.shared) await release({ ...request, execution, state: {} }, where.session, tools);
  let status = problem ?? 'left to its idle timeout';
  if (problem === undefined && request.stop) {
    const own = { runtimeArn, qualifier: where.session.endpointName, sessionId };
    try {
      ({ status } = await untilStopped(own, tools));
      addresses.push(own);
    } catch (error) {
      measureLeftOver(tools, config, 1);
      // The end of the run is still to be recorded and told.
      status = `not stopped: ${(error as Error).message}`;
      tools.log?.(status, { execution, sessionId });
    }
  }
  // A redriven run, or another one, may use the session by now.
  const isUsed = async () => (await tools.executions.describe(execution).catch(() => undefined))?.isRunning
    || await occupied(where, execution, tools) !== undefined;
  measureLeftOver(tools, config, await afterFailure().settled(addresses, stopping(tools), isUsed, tools));
  return { status, sessionId };
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** Tries until the function's time is up: nobody else retries what an event rule has started. */
async function untilStopped(address: SessionAddress, tools: StepTools): Promise<SessionStop> {
  for (;;) {
    try {
      return await stopping(tools)(address);
    } catch (error) {
      if (!isTransient(error) || tools.clock.now() >= tools.until - STOP_SECONDS * 1_000) throw error;
    }
  }
}
