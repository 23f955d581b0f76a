import { STEPS } from './constants';
import { LoopConfig } from './loop-config';
import { RunRecord } from './records';
import { LoopState, Meter } from './state';
import { costOf, Prices, PRICES, Usage } from '../../prices/constants';

/** A request of a step, as far as it is metered. */
interface MeteredRequest {
  readonly operation: string;
  readonly state?: unknown;
}

/**
 * Returns the consumption of a run up to the end of a step.
 *
 * A turn, and the session of a verification, last from the end of the step before them: this includes calls that failed and were retried. A turn
 * whose result comes with a task token has no end of its own, so the step after it counts it.
 *
 * The number of transitions is an estimate: two for each step, which are its task and the choice after it, and one for a step without a choice.
 * Retries are not counted.
 */
export function metered({ operation, state }: MeteredRequest, begunAt: number, now: number): Meter {
  // The state of the first step is the unchecked input.
  const loop = operation === STEPS.PREPARE ? undefined : (state as { readonly loop?: LoopState | null } | undefined)?.loop;
  const {
    since = begunAt, at = begunAt, agentSeconds = 0, verificationSeconds = 0, functionSeconds = 0, transitions = 0, turn,
  } = loop?.meter ?? {} as Partial<Meter>;
  const isTurn = operation === STEPS.TURN;
  const ofAgent = isTurn ? now - at : operation === STEPS.SNAPSHOT && turn !== loop?.round ? begunAt - at : 0;
  const { verification } = loop ?? {};
  const isVerifying = operation === STEPS.VERIFY || operation === STEPS.CHECK_BASE || (verification !== undefined && !verification.isOver);
  const isAlone = operation === STEPS.PREPARE || operation === STEPS.STOP;
  return {
    since,
    agentSeconds: sum(agentSeconds, ofAgent),
    verificationSeconds: sum(verificationSeconds, isVerifying ? now - at : 0),
    functionSeconds: sum(functionSeconds, now - begunAt),
    transitions: transitions + (isAlone ? 1 : 2),
    at: now,
    ...isTurn ? { turn: loop?.round } : turn === undefined ? {} : { turn },
  };
}

/** Returns the result of a step with the consumption of the run up to its end: in the loop's state, if it is or has one. */
export function withMeter<T extends object>(request: MeteredRequest, result: T, begunAt: number, now: number): T {
  const meter = metered(request, begunAt, now);
  if ('next' in result) return { ...result, meter };
  return 'loop' in result ? { ...result, loop: { ...result.loop as LoopState, meter } } : result;
}

/** Returns the result of a step with the time in which its files were written: the function's, and none of the agent's next turn. */
export function withKeeping<T extends object>(result: T, now: number): T {
  if ('loop' in result) return { ...result, loop: withKeeping(result.loop as LoopState, now) };
  const { meter, verification } = result as Partial<LoopState>;
  if (meter === undefined) return result;
  const { at, functionSeconds, verificationSeconds } = meter;
  const isVerifying = verification !== undefined && !verification.isOver;
  return {
    ...result,
    meter: {
      ...meter,
      functionSeconds: sum(functionSeconds, now - at),
      verificationSeconds: sum(verificationSeconds, isVerifying ? now - at : 0),
      at: now,
    },
  };
}

/** Adds milliseconds to seconds. A clock that was set back takes nothing away. */
function sum(seconds: number, milliseconds: number): number {
  return Math.round(seconds * 1_000 + Math.max(0, milliseconds)) / 1_000;
}

/** Returns the consumption that a run pays for, up to a time. */
export function usageOf({ since, verificationSeconds, functionSeconds, transitions }: Meter, now: number): Usage {
  return { sessionSeconds: sum(0, now - since), verificationSeconds, functionSeconds, transitions };
}

/** Returns the prices of a loop: those of its budget, and the library's for the rest. */
export function pricesOf({ operate }: LoopConfig): Prices {
  return { ...PRICES, ...operate?.budget?.prices };
}

/** Returns the cost of a run for its record. */
export function costRecord(meter: Meter, config: LoopConfig, agentUsd: number | undefined): NonNullable<RunRecord['cost']> {
  const usage = usageOf(meter, meter.at);
  const prices = pricesOf(config);
  return { usd: Math.round(costOf(usage, prices) * 1e6) / 1e6, ...agentUsd === undefined ? {} : { agentUsd }, ...usage, pricesAsOf: prices.asOf };
}
