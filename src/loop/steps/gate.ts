import { afterFailure } from './after-failure';
import { GATE_VERDICTS, LOOP_ERRORS, LOOP_LIMITS, NEXT, PASSING } from './constants';
import { LoopError } from './errors';
import { count, GateConfig, judge, Judgement } from './judge';
import { GateBefore, GateRecord } from './records';
import { defined } from './results';
import { failedBefore, LoopState } from './state';
import { settled, StepRequest, stillRunning, StepTools } from './step';
import { VERDICTS } from '../../jobs/constants';

export interface GateRequest extends StepRequest {
  readonly gate: GateConfig;
  readonly maxRepairs: number;
  /** True for the last gate of a loop whose gates also run before the first turn. */
  readonly lastBefore?: boolean;
}

/**
 * Runs one gate on the recorded tree, and decides where the run continues.
 *
 * `PASSED` needs both: the command passed, and the files still are that tree. Everything else leads to a repair or to the run's end, or, if a
 * microVM was lost, to another try.
 */
export async function gate(request: GateRequest, tools: StepTools): Promise<LoopState> {
  const { run } = request.state;
  const loop = settled(request.state.loop);
  const { gate: config, maxRepairs } = request;
  const judgement = await judge(request, tools, config);
  if ('running' in judgement) return stillRunning(request, judgement.running);
  if (loop.baseline) return noted(request, loop, judgement);
  const { verdict, result } = judgement;
  count(request, tools, verdict);
  if (verdict === VERDICTS.LOST) {
    if (loop.losses >= LOOP_LIMITS.losses) throw new LoopError(LOOP_ERRORS.LOST, `the gate "${config.name}" was lost ${loop.losses + 1} times (${result.lostReason})`);
    return { ...loop, losses: loop.losses + 1, next: NEXT.AGAIN };
  }
  const isFlaky = verdict === VERDICTS.PASSED && failedBefore(loop, config.name);
  const said = judgement.record;
  // If nothing has changed, this is the gate's result on the files that the run started from.
  const before = loop.unchanged && loop.base === run.base ? withBefore(loop, said) : loop.before;
  const known = before?.find(({ name }) => name === config.name) ?? loop.baseCheck?.gates.find(({ name }) => name === config.name);
  const greenBefore = known && isGreen(known);
  const record: GateRecord = { ...said, ...(isFlaky ? { verdict: GATE_VERDICTS.FLAKY } : {}), ...defined({ greenBefore }) };
  const seen = { ...loop, ...defined({ before }), gates: [...loop.gates, record] };
  if (verdict === VERDICTS.PASSED) return { ...seen, next: NEXT.PASSED };
  return afterFailure().red({ gate: config, maxRepairs, judgement }, seen);
}

/** Determines whether a gate passed by itself, and not because its failure is known from the base. */
export function isGreen({ verdict, knownFailure }: Pick<GateBefore, 'verdict' | 'knownFailure'>): boolean {
  return PASSING.includes(verdict) && !knownFailure;
}

/** Notes the result of a gate before the first turn, and goes on in any case. A gate that is lost is not repeated: its result stays unknown. */
function noted({ lastBefore }: GateRequest, loop: LoopState, { verdict, record }: Judgement): LoopState {
  const before = verdict === VERDICTS.LOST ? loop.before : withBefore(loop, record);
  if (!lastBefore) return { ...loop, before, next: NEXT.PASSED };
  const { baseline: _, tree: __, ...first } = loop;
  return { ...first, before, next: NEXT.BEGIN };
}

/** Adds a result, and shortens the others: a state has no room for more. */
function withBefore({ before = [] }: LoopState, said: GateRecord): GateBefore[] {
  return [...before.filter(({ name }) => name !== said.name).map(({ name, verdict }) => ({ name, verdict })), said];
}
