import { Clock } from '../handler/clock';

/**
 * What a job may take beyond its timeout until the driver ends it, in seconds: 10 between TERM and KILL, and time to write the log and
 * to tell the end. Shorter than the call that follows the job, which has 60.
 */
const MARGIN_SECONDS = 45;

/**
 * The driver's own clock for a job, which the session cannot move: from when the job was first heard of.
 *
 * The session keeps the timeout itself, and is the only one that can say how long the command really ran. This one bounds how long it is
 * believed to be at work.
 */
export class Overtime {
  /** Settles the call that is under way when the time is up. */
  private readonly up = new AbortController();
  private timer?: NodeJS.Timeout;
  private end?: number;

  /** @param known milliseconds since the epoch, from an earlier invocation of the driver */
  constructor(private readonly clock: Clock, known: number | undefined) {
    if (known !== undefined) this.endAt(known);
  }

  /** The job was heard of; the first time counts. */
  heard(timeoutSeconds: number, marginSeconds = MARGIN_SECONDS): void {
    if (this.end === undefined) this.endAt(this.clock.now() + (timeoutSeconds + marginSeconds) * 1_000);
  }

  /** Milliseconds since the epoch; nothing for a job that was not heard of yet. */
  get at(): number | undefined {
    return this.end;
  }

  get isOver(): boolean {
    return this.end !== undefined && this.clock.now() >= this.end;
  }

  get signal(): AbortSignal {
    return this.up.signal;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private endAt(end: number): void {
    this.end = end;
    const left = end - this.clock.now();
    // A timer takes 24 days at the most; a function lives 15 minutes.
    if (left < 1_000_000) this.timer = setTimeout(() => this.up.abort(), Math.max(0, left));
  }
}
