import type { BudgetConfig } from '../../operate/constants';
import { costOf } from '../../prices/constants';
import type { LoopDescription } from '../loop-description';

/** Seconds that a call of the driver waits for a command at least, before it hands over to the next. */
const CALL_SECONDS = 600;

/** Rounds that a run may have in addition to its repairs: those that a lost microVM or a moved branch repeats. */
const REPEATED_ROUNDS = 4;

/**
 * Returns what a run costs at most by the timeouts of its definition, in US dollars, without the model: as if the session and the verifications
 * took all of that time.
 *
 * @returns undefined if the definition has no timeout
 */
export function costBoundOf({ definition, maxRepairs }: Pick<LoopDescription, 'definition' | 'maxRepairs'>, budget: BudgetConfig = {}): number | undefined {
  const { TimeoutSeconds: seconds, States } = definition;
  if (seconds === undefined) return undefined;
  const sessions = Math.min(2 * seconds, budget.sessionSeconds ?? Infinity);
  const rounds = Math.min(maxRepairs + 1, budget.turns ?? Infinity) + REPEATED_ROUNDS;
  const usd = costOf({
    sessionSeconds: sessions,
    verificationSeconds: 0,
    functionSeconds: seconds,
    transitions: rounds * Object.keys(States).length + 2 * Math.ceil(seconds / CALL_SECONDS),
  });
  return Math.min(usd, budget.usd ?? Infinity);
}
