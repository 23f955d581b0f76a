import { setTimeout } from 'timers/promises';

/** Time, as far as handlers see it: a seam for tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(seconds: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (seconds) => setTimeout(seconds * 1_000),
};
