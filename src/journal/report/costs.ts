import { ASSUMED, functionSecond, PRICES, sessionSecond } from '../../prices/constants';
import type { RunDescription } from '../run-description';

export interface Cost {
  readonly item: string;
  readonly amount: string;
  readonly usd: number;
}

/** Estimates the AWS charges of a run, without the model. */
export function costsOf({ sessionSeconds, transitions, steps }: Pick<RunDescription, 'sessionSeconds' | 'transitions' | 'steps'>): Cost[] {
  const lambdaSeconds = steps.reduce((sum, { duration }) => sum + duration / 1_000, 0);
  const requests = steps.reduce((sum, { retries }) => sum + 1 + retries, 0);
  return [
    ...sessionSeconds === undefined ? [] : [{
      item: 'AgentCore session',
      amount: `${sessionSeconds.toFixed(1)} s of ${ASSUMED.sessionVcpus} vCPU and ${ASSUMED.sessionGb} GB`,
      usd: sessionSeconds * sessionSecond(),
    }],
    { item: 'Step Functions', amount: `${transitions} transitions`, usd: transitions / 1_000 * PRICES.thousandTransitions },
    {
      item: 'Lambda',
      amount: `${requests} requests, ${lambdaSeconds.toFixed(1)} s of ${ASSUMED.functionGb} GB`,
      usd: lambdaSeconds * functionSecond() + requests / 1_000_000 * PRICES.millionRequests,
    },
  ];
}
