import { LOOP_ERRORS, STEPS } from './constants';
import type { LoopRequest, Refusal } from './loop-request';
import { usageOf } from './meter';
import type { LoopState } from './state';
import type { StepTools } from './step';
import type { BudgetConfig } from '../../operate/constants';
import { costOf, Prices, PRICES, sessionSecond } from '../../prices/constants';

/** The consumption of a run, as far as a budget limits it. */
export interface Spent {
  /** The number of turns, with the one that is to begin. */
  readonly turns: number;
  readonly agentSeconds: number;
  readonly sessionSeconds: number;
  readonly usd: number;
}

/** Steps without a limit: the first step, because nothing is spent yet; the commit of a change that passed all gates; and the stop of the session. */
const UNLIMITED: readonly string[] = [STEPS.PREPARE, STEPS.COMMIT, STEPS.STOP, STEPS.CLEAN_UP];

/** Returns the reason why a step must not begin, or the limits of the turn that begins. */
export function budgeted(request: LoopRequest, budget: BudgetConfig, now: number): Refusal | Pick<StepTools, 'turnSeconds' | 'turnLimit'> {
  if (UNLIMITED.includes(request.operation)) return {};
  const { loop } = (request as { readonly state: { readonly loop: LoopState } }).state;
  const prices = { ...PRICES, ...budget.prices };
  const spent = spentBy(loop, prices, now);
  const isTurn = request.operation === STEPS.TURN;
  const over = overBudget(budget, spent, isTurn);
  if (over !== undefined) return { refusal: { name: LOOP_ERRORS.OVER_BUDGET, message: `the budget of the run is used up: ${over}` } };
  return isTurn ? turnLimitOf(budget, spent, prices) : {};
}

function spentBy({ meter, agent, round }: LoopState, prices: Prices, now: number): Spent {
  // The run may have begun before its loop had a budget.
  if (meter === undefined) return { turns: round + 1, agentSeconds: 0, sessionSeconds: 0, usd: agent?.costUsd ?? 0 };
  const usage = usageOf(meter, now);
  return {
    turns: round + 1,
    agentSeconds: meter.agentSeconds,
    sessionSeconds: usage.sessionSeconds + usage.verificationSeconds,
    usd: costOf(usage, prices) + (agent?.costUsd ?? 0),
  };
}

/** Returns the limit that is exceeded, with the name of its prop. Limits are inclusive: a run may use up to the limit. */
export function overBudget({ turns, agentSeconds, sessionSeconds, usd }: BudgetConfig, spent: Spent, isTurn: boolean): string | undefined {
  // A turn needs at least a second.
  const least = isTurn ? 1 : 0;
  if (isTurn && turns !== undefined && spent.turns > turns) return `"turns" allows ${turns}, and this would be turn ${spent.turns}`;
  if (agentSeconds !== undefined && spent.agentSeconds + least > agentSeconds) {
    return `"agentMinutes" allows ${shown(agentSeconds / 60)}, and ${shown(spent.agentSeconds / 60)} are used`;
  }
  if (sessionSeconds !== undefined && spent.sessionSeconds + least > sessionSeconds) {
    return `"sessionHours" allows ${shown(sessionSeconds / 3_600)}, and ${shown(spent.sessionSeconds / 3_600)} are used`;
  }
  if (usd !== undefined && (isTurn ? spent.usd >= usd : spent.usd > usd)) return `"usd" allows ${shown(usd)}, and ${shown(spent.usd)} are spent`;
  return undefined;
}

/** Returns the time that the budget leaves for a turn, and the limit that sets it. The model cost of a turn is known only when the turn ends. */
export function turnLimitOf(
  { agentSeconds = Infinity, sessionSeconds = Infinity, usd = Infinity }: BudgetConfig, spent: Spent, prices: Prices,
): Pick<StepTools, 'turnSeconds' | 'turnLimit'> {
  const second = sessionSecond(prices);
  const [[turnSeconds, turnLimit]] = ([
    [agentSeconds - spent.agentSeconds, `"agentMinutes" allows ${shown(agentSeconds / 60)}`],
    [sessionSeconds - spent.sessionSeconds, `"sessionHours" allows ${shown(sessionSeconds / 3_600)}`],
    [second > 0 ? (usd - spent.usd) / second : Infinity, `"usd" allows ${shown(usd)}`],
  ] as [number, string][]).sort(([a], [b]) => a - b);
  return turnSeconds === Infinity ? {} : { turnSeconds: Math.max(1, Math.floor(turnSeconds)), turnLimit };
}

/** Returns a number with at most four decimal places. */
function shown(value: number): string {
  return String(Math.round(value * 1e4) / 1e4);
}
