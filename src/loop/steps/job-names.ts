import { LoopRecord } from './records';

/** A job's name in its round: each time that the gates are begun again has names of its own. */
export function jobNameOf({ losses, rebases, baseline }: Pick<LoopRecord, 'losses' | 'rebases' | 'baseline'>, name: string): string {
  return baseline ? `${name} before` : losses + rebases === 0 ? name : `${name} again ${losses}.${rebases}`;
}

/** Tells what is moved out of the clone at one time from what is at another. */
export function timeOf({ round, losses, rebases, baseline }: LoopRecord): string {
  return `${baseline ? 'before' : round}-${losses}-${rebases}`;
}
