import { randomUUID } from 'crypto';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT, NOTHING_TO_STOP } from './constants';
import { runIdOf, sessionOf } from './input.client';
import { LoopError, LoopRecord, RunOutput, RunRecord } from './records.client';
import { AnyState, causeOf, measureEnd, outputOf } from './run-output.client';
import { inWorkspace, LoopConfig, StepRequest, StepTools } from './step.client';
import { isTransient } from '../session/errors.client';
import { SessionAddress } from '../session/exec.client';
import { StopResult as SessionStop, stopSession } from '../session/stop-session.client';

export interface StopRequest {
  readonly runtimeArn: string;
  readonly execution: string;
  readonly config: LoopConfig;
  readonly state: AnyState;
  /** Whether the session is stopped, or left to its idle timeout. */
  readonly stop: boolean;
  /** On the path of a run that did its work; nothing else may take it. */
  readonly green: boolean;
}

export interface StopResult {
  readonly output: RunOutput;
  /** Empty for a run that did its work. */
  readonly failure: { readonly name: string; readonly cause: string };
}

/** Last step, on every path: gives the workspace free, stops the session, and says what became of the run. */
export async function stop(request: StopRequest, tools: StepTools): Promise<StopResult> {
  const { state, execution, config } = request;
  const session = state.run?.session ?? sessionOf(execution, state, config.endpointName);
  let stopped = false;
  let problem = await othersWork(request, execution, session, state, tools);
  if (request.stop && problem === undefined) {
    try {
      const address = { runtimeArn: request.runtimeArn, qualifier: session.endpointName, sessionId: session.id };
      await stopSession(tools.client, address, tools.clock, tools.backoffSeconds);
      stopped = true;
    } catch (error) {
      problem = `${(error as Error).name}: ${(error as Error).message}`.slice(0, 1_000);
    }
  }
  // Whoever goes on in it does so where its workspace is, whatever the loop's endpoint is then.
  const output = outputOf(state, { endpointName: 'DEFAULT', ...session, stopped, ...(problem === undefined ? {} : { error: problem }) });
  measureEnd(tools, config, output, state.run?.startedAt);
  const failure = { name: output.error?.name ?? '', cause: causeOf(output) };
  if (request.green && output.error !== undefined) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, 'a run that did not commit came to the end of those that did', output.error.message);
  return { output, failure };
}

/** Gives the workspace free, and says why its session must not be stopped, if that is so. */
async function othersWork(
  { runtimeArn, config }: Pick<StopRequest, 'runtimeArn' | 'config'>, execution: string, session: RunRecord['session'], state: AnyState, tools: StepTools,
): Promise<string | undefined> {
  const id = runIdOf(execution);
  const holder = await released({ runtimeArn, execution, config, state: releasing(id, config, session, state, tools) }, tools);
  if (holder === UNKNOWN) {
    // Ours by its name, or since we had taken it.
    return state.run !== undefined || session.id === sessionOf(execution, undefined).id ? undefined : 'left running: it cannot be known whether another run is at work in it';
  }
  return holder === NOBODY || holder === id ? undefined : `left running: the run ${holder} is at work in it`;
}

/** A state that is enough to give the workspace free, however far the run came; with time of its own for that. */
function releasing(id: string, config: LoopConfig, session: RunRecord['session'], { loop = FIRST }: AnyState, tools: StepTools): StepRequest['state'] {
  const startedAt = Math.floor(tools.clock.now() / 1_000);
  const run = { id, key: randomUUID(), taskId: '', mount: config.mount, workspace: config.mount, session, repository: { url: '' }, branch: '', startedAt };
  return { prompt: '', taskId: '', loop, run: { ...run, deadline: startedAt + LOOP_LIMITS.gitSeconds } };
}

/** A microVM that answers gives its workspace free in a second or two, after the two minutes in which it may come up. */
const RELEASE_SECONDS = 180;

/** What all tries of one stop may take: seven of 20 seconds, and the waits between them. */
const STOP_SECONDS = 210;

const NOBODY = 'nobody';
const UNKNOWN = '';
const FIRST: LoopRecord = { next: NEXT.GO_ON, round: 0, losses: 0, rebases: 0, base: '', gates: [] };

/**
 * Gives the workspace free and returns who holds it: a run, `NOBODY`, or `UNKNOWN`.
 *
 * One that cannot be given free, such as one that is lost, is free when the run's time is up.
 */
async function released(request: StepRequest, tools: StepTools): Promise<string> {
  try {
    // Under a new name each time: who holds it may have changed since an earlier try. The stop needs time too.
    const options = { unclaimed: true, label: String(tools.clock.now()) };
    const until = Math.min(tools.until, tools.clock.now() + RELEASE_SECONDS * 1_000);
    return (await inWorkspace(request, { ...tools, until }, 'release', LOOP_ERRORS.WORKSPACE_LOST, {}, options)).holder;
  } catch {
    return UNKNOWN;
  }
}

export interface CleanUpRequest {
  readonly runtimeArn: string;
  readonly config: LoopConfig;
  /** Whether the session is stopped, or left to its idle timeout. */
  readonly stop: boolean;
  /** The detail of the event "Step Functions Execution Status Change". */
  readonly detail: {
    readonly executionArn: string;
    /** Not there if it is too long for an event. */
    readonly input?: string | null;
    readonly status: string;
    readonly error?: string | null;
    readonly cause?: string | null;
  };
}

/** Whether a failed execution came to an end of its own, which has done all that is to do: `RunOutput` is its cause, maybe cut. */
function endedInOrder({ status, error, cause }: CleanUpRequest['detail']): boolean {
  return status === 'FAILED' && (NOTHING_TO_STOP.includes(error ?? '') || (cause ?? '').startsWith('{"outcome":'));
}

/** For an execution that Step Functions ended without its last step: the session is known from the execution alone. */
export async function cleanUp(request: CleanUpRequest, tools: StepTools): Promise<{ readonly status: string; readonly sessionId: string }> {
  const { detail, config } = request;
  if (endedInOrder(detail)) return { status: 'ended in order', sessionId: '' };
  let input: { session?: unknown } | undefined;
  try {
    input = JSON.parse(detail.input ?? '');
  } catch {
    input = undefined; // too long for an event
  }
  const session = sessionOf(detail.executionArn, input, config.endpointName);
  const problem = await othersWork(request, detail.executionArn, session, {}, tools);
  if (problem !== undefined || !request.stop) return { status: problem ?? 'left to its idle timeout', sessionId: session.id };
  const address = { runtimeArn: request.runtimeArn, qualifier: session.endpointName, sessionId: session.id };
  return untilStopped(address, tools);
}

/** Nobody asks a second time for what a rule has asked for: tries until the function's time is up. */
async function untilStopped(address: SessionAddress, tools: StepTools): Promise<SessionStop> {
  for (;;) {
    try {
      return await stopSession(tools.client, address, tools.clock, tools.backoffSeconds);
    } catch (error) {
      if (!isTransient(error) || tools.clock.now() >= tools.until - STOP_SECONDS * 1_000) throw error;
    }
  }
}
