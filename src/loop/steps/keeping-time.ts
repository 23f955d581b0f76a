import type { StepTools } from './step';
import { LIMITS } from '../../jobs/constants';

/** The part of the function's margin in which files are written and events are sent, in milliseconds. The rest is for the reply. */
const KEEPING = LIMITS.functionMarginSeconds * 500;

/**
 * Returns the time that a call has for what it keeps, in milliseconds: all that is kept has the same end, before that of the function. A function
 * that is killed loses the step that it has done.
 *
 * A job that outlives the call takes all of its time, so that its output is kept in the margin.
 */
export function keepingTime({ until, clock }: Pick<StepTools, 'until' | 'clock'>): number {
  return Math.max(0, until + KEEPING - clock.now());
}
