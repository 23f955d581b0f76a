import { Token } from 'aws-cdk-lib';
import { BudgetConfig } from './constants';
import { sorted } from '../private/sorted';
import { faultsOf, Rule } from '../private/validation';

/** Prices in US dollars that replace those of the library, which `docs/prices.md` lists. Each is 0 or more, and known at synth. */
export interface RunPrices {
  /**
   * The month or the day of these prices. The record of a run contains it as `cost.pricesAsOf`.
   *
   * @default - the month of the library's prices
   */
  readonly asOf?: string;

  /**
   * The price of one vCPU of a session for one hour, in US dollars.
   *
   * @default - the library's price
   */
  readonly vcpuHour?: number;

  /**
   * The price of one GB of memory of a session for one hour, in US dollars.
   *
   * @default - the library's price
   */
  readonly gbHour?: number;

  /**
   * The price of 1,000 state transitions of Step Functions, in US dollars.
   *
   * @default - the library's price
   */
  readonly thousandTransitions?: number;

  /**
   * The price of one GB of memory of a Lambda function for one second, in US dollars.
   *
   * @default - the library's price
   */
  readonly lambdaGbSecond?: number;

  /**
   * The price of 1,000,000 requests to Lambda functions, in US dollars.
   *
   * @default - the library's price
   */
  readonly millionRequests?: number;
}

/** The limits of a run's budget, known at synth. At least one of `turns`, `agentMinutes`, `sessionHours` and `usd` is required. */
export interface RunBudgetOptions {
  /**
   * The maximum number of turns, including repairs: at least 1.
   *
   * @default - the first turn and `maxRepairs` of the loop
   */
  readonly turns?: number;

  /**
   * The maximum total duration of all turns, in minutes: 1 second to 1,000,000 minutes. A turn that is a command or an invocation is stopped at this
   * limit.
   *
   * @default - no limit
   */
  readonly agentMinutes?: number;

  /**
   * The maximum total duration of all sessions of the run, in hours: 1 minute to 1,000,000 hours. It includes the session of the agent, from the
   * start of the run, and the sessions of verifications.
   *
   * @default - no limit
   */
  readonly sessionHours?: number;

  /**
   * The maximum estimated cost of the run, in US dollars, from 0.0001: the AWS charges, and the cost of the model that the agent reports. The cost of
   * the model is known only when a turn has ended.
   *
   * @default - no limit
   */
  readonly usd?: number;

  /**
   * Prices that replace those of the library, for this budget and for the cost in the record of a run.
   *
   * @default - the prices of us-east-1
   */
  readonly prices?: RunPrices;
}

/**
 * The budget of each run of a loop. The driver checks it between the steps of a run.
 *
 * A run that exceeds its budget ends with `CodingLoop.OverBudget`. Its session is stopped, and its work stays in the workspace, where another run can
 * continue it.
 *
 * @example
 * RunBudget.of({ turns: 3, agentMinutes: 90, usd: 20 });
 */
export class RunBudget {
  /**
   * A budget with the given limits.
   *
   * @param limits The limits
   */
  public static of(limits: RunBudgetOptions): RunBudget {
    return new RunBudget(limits);
  }

  private constructor(private readonly limits: RunBudgetOptions) {}

  /** @internal */
  public _faults(): string[] {
    return faultsOf(this.limits, BUDGET_RULES).map((fault) => `budget: ${fault}`);
  }

  /**
   * Returns the limit of turns if no run can reach it because of `maxRepairs`.
   *
   * @internal
   */
  public _unreachableTurns(maxRepairs: number): number | undefined {
    const { turns } = this.limits;
    return turns === undefined || Token.isUnresolved(maxRepairs) || turns <= maxRepairs + 1 ? undefined : turns;
  }

  /** @internal */
  public _config(): BudgetConfig {
    const { turns, agentMinutes, sessionHours, usd, prices } = this.limits;
    return {
      ...(turns === undefined ? {} : { turns }),
      ...(agentMinutes === undefined ? {} : { agentSeconds: Math.round(agentMinutes * 60) }),
      ...(sessionHours === undefined ? {} : { sessionSeconds: Math.round(sessionHours * 3_600) }),
      ...(usd === undefined ? {} : { usd }),
      ...(prices === undefined ? {} : { prices: sorted(prices) }),
    };
  }
}

/** The limits that are amounts, with their minimum and maximum. */
const AMOUNTS = [
  { name: 'agentMinutes', least: 1 / 60, most: 1e6 },
  { name: 'sessionHours', least: 1 / 60, most: 1e6 },
  { name: 'usd', least: 1e-4, most: 1e9 },
] as const;

const LIMITS = ['turns', 'agentMinutes', 'sessionHours', 'usd'] as const;
const PRICES = ['vcpuHour', 'gbHour', 'thousandTransitions', 'lambdaGbSecond', 'millionRequests'] as const;

const BUDGET_RULES: readonly Rule<RunBudgetOptions>[] = [
  {
    broken: (limits) => LIMITS.every((name) => limits[name] === undefined),
    message: () => 'must have "turns", "agentMinutes", "sessionHours" or "usd", since it would limit nothing: set at least one',
  },
  ...LIMITS.map((name): Rule<RunBudgetOptions> => ({
    broken: (limits) => Token.isUnresolved(limits[name]),
    message: () => `"${name}" must be known at synth: use a number`,
  })),
  {
    broken: ({ turns }) => turns !== undefined && !Token.isUnresolved(turns) && !(Number.isInteger(turns) && turns >= 1),
    message: ({ turns }) => `"turns" must be a whole number of at least 1, not ${turns}: change it, or leave it out`,
  },
  ...AMOUNTS.map(({ name, least, most }): Rule<RunBudgetOptions> => ({
    broken: ({ [name]: value }) => value !== undefined && !Token.isUnresolved(value) && !(value >= least && value <= most),
    message: ({ [name]: value }) => `"${name}" must be at least ${Math.round(least * 1e4) / 1e4}, and at most ${most}, not ${value}: change it, or leave it out`,
  })),
  ...PRICES.map((name): Rule<RunBudgetOptions> => ({
    broken: ({ prices }) => prices?.[name] !== undefined && (Token.isUnresolved(prices[name]) || !Number.isFinite(prices[name]) || prices[name] < 0),
    message: ({ prices }) => `"prices.${name}" must be a number of at least 0 that is known at synth, not ${prices![name]}: change it`,
  })),
];
