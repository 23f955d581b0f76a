import { physicalIdOf, RolloutEvent } from './handler/rollout-request';
import { SYSTEM_CLOCK } from '../handler/clock';

/**
 * The beginning of every request. It does nothing that could fail: all the work is in `runtime-rollout.lambda.ts`, which is
 * asked again and again, and what is returned here comes back there with each question.
 */
export async function handler(event: RolloutEvent) {
  return { PhysicalResourceId: physicalIdOf(event), Began: SYSTEM_CLOCK.now() };
}
