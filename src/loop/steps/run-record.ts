import { afterFailure } from './after-failure';
import { BOOTSTRAP_ENDED, LOOP_ERRORS, LOOP_METRICS, NEXT, OUTCOMES, PASSING, RECORD_SCHEMA, TURN_NOT_BEGUN } from './constants';
import { LoopConfig } from './loop-config';
import { BaseGate, GateRecord, RunRecord } from './records';
import { defined } from './results';
import type { AnyState } from './run-failure';
import { LoopState, RunIdentity } from './state';
import { StepTools } from './step';

/**
 * Returns the record of a run that has ended.
 *
 * @param green true if the run ended on the path of those that did their work; on any other path it failed, whatever its state says
 */
export function outputOf(
  state: AnyState, session: RunRecord['session'], green = true, more: Pick<Partial<RunRecord>, 'verification' | 'cost'> & { readonly isBeforeTurns?: boolean } = {},
): RunRecord {
  const { run } = state;
  const { verification, cost, isBeforeTurns } = more;
  const loop = state.loop ?? undefined;
  const failed = green && isDone(state) ? undefined : afterFailure().failureOfRun(state);
  const outcome = failed?.name ?? (loop?.next === NEXT.NO_CHANGES ? OUTCOMES.NO_CHANGES : OUTCOMES.COMMITTED);
  return {
    outcome,
    taskId: typeof state.taskId === 'string' ? state.taskId : '',
    rounds: loop === undefined || loop.baseline === true || isBeforeTurns || isOfBootstrap(failed) ? 0
      : loop.round + (isBeforeItsTurn(failed) ? 0 : 1),
    ...(outcome === OUTCOMES.COMMITTED && loop?.commit !== undefined && run !== undefined ? {
      commit: { id: loop.commit, branch: run.branch, pushed: loop.pushed === true, ...(loop.found === true ? { found: true } : {}) },
      ...defined({ pullRequest: loop.pullRequest }),
    } : {}),
    verified: (outcome === OUTCOMES.COMMITTED) && loop !== undefined && isVerified(loop),
    ...defined({ verification, upstream: loop?.upstream, setAside: loop?.setAside }),
    ...(loop?.branchMoves === undefined ? {} : { branchMoves: loop.branchMoves }),
    ...defined({ agent: loop?.agent }),
    gates: loop?.gates ?? [],
    ...defined({ baseCheck: loop?.baseCheck && { ...loop.baseCheck, gates: loop.baseCheck.gates.map(shown) } }),
    ...defined({ putBack: loop?.putBack, findings: loop?.findings, leftOut: loop?.leftOut }),
    ...defined({ judgingFiles: loop?.judgingFiles, protectedFiles: loop?.protectedFiles }),
    session,
    ...(failed === undefined ? {} : { error: failed, ...(loop?.feedback === undefined ? {} : { feedback: loop.feedback }) }),
    ...defined({ cost }),
    schemaVersion: RECORD_SCHEMA,
  };
}

/** Returns the record of a gate on the base, without what only later gates read. */
function shown({ failure: _, known: __, ...record }: BaseGate): GateRecord {
  return record;
}

/** Determines whether a run did its work. The unknown is never a success. */
function isDone({ error, silence, loop }: AnyState): boolean {
  if (error !== undefined || silence !== undefined || loop === undefined || loop === null) return false;
  if (loop.next === NEXT.NO_CHANGES) return loop.gates.length > 0 && loop.gates.every(({ verdict }) => PASSING.includes(verdict));
  return loop.next === NEXT.GO_ON && loop.commit !== undefined;
}

/** Determines whether the recorded tree has passed a verification, on the commit that it is based on now. */
export function isVerified({ tree, base, verification }: LoopState): boolean {
  return verification?.passed !== undefined && verification.passed.tree === tree && verification.passed.base === base;
}

/** Determines whether the run failed in its bootstrap, before the first turn. */
function isOfBootstrap(failed: RunRecord['error']): boolean {
  return failed?.name === LOOP_ERRORS.BOOTSTRAP_FAILED || (failed?.name === LOOP_ERRORS.INERT && failed.message.startsWith(BOOTSTRAP_ENDED));
}

/** Determines whether the run ended because its next turn was refused. The message of another error may be the agent's. */
export function isBeforeItsTurn(failed: RunRecord['error']): boolean {
  return (failed?.name === LOOP_ERRORS.BRAKED || failed?.name === LOOP_ERRORS.OVER_BUDGET) && failed.message.startsWith(TURN_NOT_BEGUN);
}

/** Emits the metrics of a run that has ended, with those of its outcome and those of the loop alone. */
export function measureEnd(
  { measure, clock }: Pick<StepTools, 'measure' | 'clock'>,
  { name }: LoopConfig,
  { outcome, rounds, cost }: Pick<RunRecord, 'outcome' | 'cost'> & { readonly rounds?: number },
  run?: Pick<RunIdentity, 'startedAt' | 'deadline'>,
  /** The time at which the run took its session, in milliseconds: it may have waited for others before. */
  since = 0,
): void {
  const { names, dimension, outcomeDimension } = LOOP_METRICS;
  const loop = { [dimension]: name };
  const ofOutcome = { ...loop, [outcomeDimension]: outcome };
  const green = Object.values<string>(OUTCOMES).includes(outcome) ? 1 : 0;
  measure(names.RUNS, 1, 'Count', ofOutcome);
  measure(names.GREEN_RUNS, green, 'Count', loop);
  measure(names.FAILED_RUNS, 1 - green, 'Count', loop);
  if (rounds !== undefined) measure(names.ROUNDS, rounds, 'Count', ofOutcome);
  if (run !== undefined) {
    const seconds = Math.max(0, clock.now() / 1_000 - run.startedAt);
    measure(names.RUN_SECONDS, seconds, 'Seconds', ofOutcome);
    const waited = Math.max(0, since / 1_000 - run.startedAt);
    measure(names.TIME_USED, 100 * Math.max(0, seconds - waited) / (run.deadline - run.startedAt - waited), 'Percent', loop);
  }
  if (cost !== undefined) measure(names.COST, cost.usd + (cost.agentUsd ?? 0), 'NoUnit', loop);
}

/** Emits the number of sessions that a run had to stop, and did not, if there are any. */
export function measureLeftOver({ measure }: Pick<StepTools, 'measure'>, { name }: LoopConfig, count: number): void {
  if (count > 0) measure(LOOP_METRICS.names.LEFT_OVER, count, 'Count', { [LOOP_METRICS.dimension]: name });
}
