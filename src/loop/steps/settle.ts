import type { StepTools } from './step';
import type { SessionAddress } from '../../jobs/session-address';
import type { StopResult } from '../../jobs/stop-session';

/** The waits before sessions are stopped again, in seconds, and the number of looks in a row that find none, after which there is no other. */
const WAITS = [5, 15, 30, 30, 30];
const QUIET_LOOKS = 2;

/** The time that a call must have left, in milliseconds: all tries of a stop. */
const ENOUGH_TIME = 210_000;

/**
 * Stops the sessions of an interrupted run again, because a call of the driver that was in progress may have restarted them. Returns the number of
 * sessions that could not be stopped.
 *
 * @param isUsed determines whether a run uses the sessions by now
 */
export async function settled(
  addresses: readonly SessionAddress[], stop: (address: SessionAddress) => Promise<StopResult>, isUsed: () => Promise<boolean | undefined>,
  { clock, backoffSeconds, until }: StepTools,
): Promise<number> {
  let failed = 0;
  let quiet = 0;
  for (const wait of addresses.length === 0 ? [] : WAITS) {
    await clock.sleep(wait * backoffSeconds);
    if (clock.now() > until - ENOUGH_TIME || await isUsed()) break;
    const stops = await Promise.allSettled(addresses.map(stop));
    failed = stops.filter(({ status }) => status === 'rejected').length;
    quiet = stops.every((each) => each.status === 'fulfilled' && each.value.status === 'ALREADY_STOPPED') ? quiet + 1 : 0;
    if (quiet === QUIET_LOOKS) break;
  }
  return failed;
}
