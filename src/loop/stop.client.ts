import { LOOP_ERRORS, LOOP_METRICS, NEXT, OUTCOMES } from './constants';
import { runIdOf, sessionOf } from './input.client';
import { LoopError, LoopRecord, RunOutput, RunRecord } from './records.client';
import { inWorkspace, LoopConfig, StepRequest, StepTools } from './step.client';
import { stopSession } from '../session/stop-session.client';

/** A state as it may be at any point: a failed first step leaves only the input. */
interface AnyState {
  readonly taskId?: string;
  readonly session?: unknown;
  readonly run?: RunRecord;
  readonly loop?: LoopRecord;
  readonly error?: { readonly Error?: string; readonly Cause?: string };
}

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

/** Why a run that no step threw for has failed. */
const FAILURES: { readonly [next: string]: { readonly name: string; readonly message: string } } = {
  [NEXT.RED]: { name: LOOP_ERRORS.RED, message: 'the gates did not pass within the repairs' },
  [NEXT.STUCK]: { name: LOOP_ERRORS.STUCK, message: 'the agent does not get on: the same files, or the same failure, twice in a row' },
  [NEXT.INERT]: { name: LOOP_ERRORS.INERT, message: 'the command of a gate is not in the image' },
};

export interface StopResult {
  readonly output: RunOutput;
  /** Empty for a run that did its work. */
  readonly failure: { readonly name: string; readonly cause: string };
}

/** Last step, on every path: gives the workspace free, stops the session, and says what became of the run. */
export async function stop(request: StopRequest, tools: StepTools): Promise<StopResult> {
  const { state, execution, config } = request;
  const session = state.run?.session ?? sessionOf(execution, state, config.endpointName);
  const holder = state.run && await released({ ...request, state: { prompt: '', taskId: '', loop: FIRST, ...state, run: state.run } }, tools);
  let stopped = false;
  let problem = holder === undefined || holder === state.run?.id ? undefined : `left running: the run ${holder} is at work in it`;
  if (request.stop && problem === undefined) {
    try {
      const address = { runtimeArn: request.runtimeArn, qualifier: session.endpointName, sessionId: session.id };
      await stopSession(tools.client, address, tools.clock, tools.backoffSeconds);
      stopped = true;
    } catch (error) {
      problem = `${(error as Error).name}: ${(error as Error).message}`.slice(0, 1_000);
    }
  }
  const output = outputOf(state, { ...session, stopped, ...(problem === undefined ? {} : { error: problem }) });
  const startedAt = state.run?.startedAt;
  const dimensions = { [LOOP_METRICS.dimension]: config.name, [LOOP_METRICS.outcomeDimension]: output.outcome };
  tools.measure(LOOP_METRICS.names.RUNS, 1, 'Count', dimensions);
  tools.measure(LOOP_METRICS.names.ROUNDS, output.rounds, 'Count', dimensions);
  if (startedAt !== undefined) tools.measure(LOOP_METRICS.names.RUN_SECONDS, Math.max(0, tools.clock.now() / 1_000 - startedAt), 'Seconds', dimensions);
  const failure = { name: output.error?.name ?? '', cause: causeOf(output) };
  if (request.green && output.error !== undefined) throw new LoopError(LOOP_ERRORS.COMMIT_FAILED, output.error.message);
  return { output, failure };
}

const FIRST: LoopRecord = { next: NEXT.GO_ON, round: 0, losses: 0, rebases: 0, base: '', gates: [] };

/**
 * Gives the workspace free and returns who holds it, if that can be known.
 *
 * One that cannot be given free, such as one that is lost, is free when the run's time is up.
 */
async function released(request: StepRequest, tools: StepTools): Promise<string | undefined> {
  try {
    const holder = (await inWorkspace(request, tools, 'release', LOOP_ERRORS.WORKSPACE_LOST, {}, { unclaimed: true })).get('holder')?.[0];
    return holder === 'nobody' ? undefined : holder;
  } catch {
    return undefined;
  }
}

function outputOf(state: AnyState, session: RunOutput['session']): RunOutput {
  const { loop, run } = state;
  const failure = failureOf(state);
  const outcome = failure?.name ?? (loop?.next === NEXT.NO_CHANGES ? OUTCOMES.NO_CHANGES : OUTCOMES.COMMITTED);
  return {
    outcome,
    taskId: state.taskId ?? '',
    rounds: loop === undefined ? 0 : loop.round + 1,
    ...(outcome === OUTCOMES.COMMITTED && loop?.commit !== undefined && run !== undefined
      ? { commit: { id: loop.commit, branch: run.branch, pushed: loop.pushed === true } } : {}),
    gates: loop?.gates ?? [],
    session,
    ...(failure === undefined ? {} : { error: failure, ...(loop?.feedback === undefined ? {} : { feedback: loop.feedback }) }),
  };
}

/** What failed: an error that a step threw, a decision, or a state that no path leads here with. Unknown is never success. */
function failureOf({ error, loop }: AnyState): RunOutput['error'] {
  if (error?.Error !== undefined) return { name: error.Error, message: messageOf(error.Cause) };
  if (loop === undefined) return { name: 'States.Runtime', message: 'the run ended before its first step did' };
  if (FAILURES[loop.next]) return FAILURES[loop.next];
  if (loop.next === NEXT.NO_CHANGES || (loop.next === NEXT.GO_ON && loop.commit !== undefined)) return undefined;
  return { name: 'States.Runtime', message: `the run ended at a point that no run should end at (${loop.next})` };
}

/** Lambda's cause is a JSON of its own. */
function messageOf(cause: string | undefined): string {
  try {
    return String(JSON.parse(cause ?? '').errorMessage ?? cause);
  } catch {
    return cause ?? '';
  }
}

/** Step Functions keeps 32,768 characters of a cause. */
function causeOf(output: RunOutput): string {
  const whole = JSON.stringify(output);
  if (whole.length <= 32_000) return whole;
  const { feedback, ...rest } = output;
  return JSON.stringify(rest).slice(0, 32_000);
}

export interface CleanUpRequest {
  readonly runtimeArn: string;
  readonly config: LoopConfig;
  /** The detail of the event "Step Functions Execution Status Change". */
  readonly detail: { readonly executionArn: string; readonly input?: string | null; readonly status: string };
}

/** For an execution that Step Functions ended without its last step: the session is known from the execution alone. */
export async function cleanUp(request: CleanUpRequest, tools: StepTools): Promise<{ readonly status: string; readonly sessionId: string }> {
  const { detail, config } = request;
  let input: { session?: unknown } | undefined;
  try {
    input = JSON.parse(detail.input ?? '');
  } catch {
    input = undefined; // too long for an event
  }
  const session = sessionOf(detail.executionArn, input, config.endpointName);
  const run = { id: runIdOf(detail.executionArn), mount: config.mount, workspace: config.mount, session, repository: { url: '' }, branch: '', taskId: '' };
  const seconds = Math.floor(tools.clock.now() / 1_000);
  const state = { prompt: '', taskId: '', loop: FIRST, run: { ...run, startedAt: seconds, deadline: seconds + 600 } };
  const holder = await released({ runtimeArn: request.runtimeArn, execution: detail.executionArn, config, state }, tools);
  if (holder !== undefined && holder !== run.id) return { status: `HELD_BY ${holder}`, sessionId: session.id };
  const address = { runtimeArn: request.runtimeArn, qualifier: session.endpointName, sessionId: session.id };
  return stopSession(tools.client, address, tools.clock, tools.backoffSeconds);
}
