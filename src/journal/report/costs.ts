import type { RunDescription } from '../run-description';

/** USD, as in docs/prices.md, which says where they are from. */
export const PRICES = {
  asOf: 'September 2026',
  vcpuHour: 0.0895,
  gbHour: 0.00945,
  thousandTransitions: 0.025,
  lambdaGbSecond: 0.0000133334,
  millionRequests: 0.2,
} as const;

/** Assumed, since nothing here measures them: docs/prices.md. */
const SESSION = { vcpus: 1, gb: 1 };
const LAMBDA_GB = 0.5;

export interface Cost {
  readonly item: string;
  readonly amount: string;
  readonly usd: number;
}

/** Estimates the AWS charges of a run, without the model. */
export function costsOf({ sessionSeconds = 0, transitions, steps }: Pick<RunDescription, 'sessionSeconds' | 'transitions' | 'steps'>): Cost[] {
  const lambdaSeconds = steps.reduce((sum, { duration }) => sum + duration / 1_000, 0);
  const requests = steps.reduce((sum, { retries }) => sum + 1 + retries, 0);
  return [
    {
      item: 'AgentCore session',
      amount: `${sessionSeconds.toFixed(1)} s of ${SESSION.vcpus} vCPU and ${SESSION.gb} GB`,
      usd: sessionSeconds / 3_600 * (SESSION.vcpus * PRICES.vcpuHour + SESSION.gb * PRICES.gbHour),
    },
    { item: 'Step Functions', amount: `${transitions} transitions`, usd: transitions / 1_000 * PRICES.thousandTransitions },
    {
      item: 'Lambda',
      amount: `${requests} requests, ${lambdaSeconds.toFixed(1)} s of ${LAMBDA_GB} GB`,
      usd: lambdaSeconds * LAMBDA_GB * PRICES.lambdaGbSecond + requests / 1_000_000 * PRICES.millionRequests,
    },
  ];
}
