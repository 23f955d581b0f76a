import { physicalIdOf, RolloutEvent } from './handler/rollout-request';
import { SYSTEM_CLOCK } from '../handler/clock';

/**
 * Starts every request. It does nothing that can fail: all the work is in `runtime-rollout.lambda.ts`, which is called repeatedly, each time with
 * the values that are returned here.
 */
export async function handler(event: RolloutEvent) {
  return { PhysicalResourceId: physicalIdOf(event), Began: SYSTEM_CLOCK.now() };
}
