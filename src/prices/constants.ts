/** The prices of the services that a run uses, and what a run costs by them. */

/** Prices in US dollars. */
export interface Prices {
  /** The month or the day on which these prices were valid. */
  readonly asOf: string;
  /** The price of a vCPU of a session for an hour. */
  readonly vcpuHour: number;
  /** The price of a GB of a session for an hour. */
  readonly gbHour: number;
  /** The price of 1,000 state transitions. */
  readonly thousandTransitions: number;
  /** The price of a GB of a function for a second. */
  readonly lambdaGbSecond: number;
  /** The price of 1,000,000 requests to functions. */
  readonly millionRequests: number;
}

/** The prices in us-east-1. docs/prices.md has the same ones, and says where they are from. */
export const PRICES: Prices = {
  asOf: 'September 2026',
  vcpuHour: 0.0895,
  gbHour: 0.00945,
  thousandTransitions: 0.025,
  lambdaGbSecond: 0.0000133334,
  millionRequests: 0.2,
};

/** The sizes that nothing measures: docs/prices.md says why these. */
export const ASSUMED = { sessionVcpus: 1, sessionGb: 1, functionGb: 0.5 } as const;

/** The consumption that a run pays for. */
export interface Usage {
  readonly sessionSeconds: number;
  readonly verificationSeconds: number;
  readonly functionSeconds: number;
  readonly transitions: number;
}

/** Returns the price of a second of a session. */
export function sessionSecond({ vcpuHour, gbHour }: Prices = PRICES): number {
  return (ASSUMED.sessionVcpus * vcpuHour + ASSUMED.sessionGb * gbHour) / 3_600;
}

/** Returns the price of a second of a function. */
export function functionSecond({ lambdaGbSecond }: Prices = PRICES): number {
  return ASSUMED.functionGb * lambdaGbSecond;
}

/** Returns the price of a state transition, with a request to a function for each: there are at most as many. */
export function transition({ thousandTransitions, millionRequests }: Prices = PRICES): number {
  return thousandTransitions / 1_000 + millionRequests / 1_000_000;
}

/** Returns the charges of AWS for a run in US dollars, without the model. An estimate: docs/prices.md. */
export function costOf({ sessionSeconds, verificationSeconds, functionSeconds, transitions }: Usage, prices: Prices = PRICES): number {
  return (sessionSeconds + verificationSeconds) * sessionSecond(prices) + functionSeconds * functionSecond(prices) + transitions * transition(prices);
}
