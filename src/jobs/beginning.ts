import { ERRORS, LIMITS } from './constants';
import { SessionError } from './errors';
import { Clock } from '../handler/clock';

/** After 1, 2, 4, 8 times the back-off, then 15 times each, until it were more than `LIMITS.beginningSeconds`. */
const LONGEST_WAIT = 15;

/**
 * A session that is just beginning: for up to two minutes its container may fail to start, such as while the image is first pulled, and be there
 * after all.
 *
 * So the failure of a container is waited out, for three minutes from the first, as long as the session has not answered. From its first answer
 * on, a container that fails is broken.
 */
export class Beginning {
  private failures = 0;
  private waited = 0;
  private since?: number;

  /** @param answered whether the session is known to have answered */
  constructor(private answered: boolean, private readonly clock: Clock, private readonly backoffSeconds: number) {}

  /** It has begun to reply to a call. */
  public end(): void {
    this.answered = true;
  }

  /**
   * Whether a call that failed so is to be made again, and after how many seconds.
   *
   * @param until milliseconds since the epoch at which there has to be an answer
   */
  public waitAfter(error: unknown, until: number): number | undefined {
    if (this.answered || !(error instanceof SessionError) || !this.isOfTheBeginning(error)) return undefined;
    const now = this.clock.now();
    this.since ??= now;
    const wait = Math.min(2 ** this.failures++, LONGEST_WAIT);
    this.waited += wait;
    const end = now + wait * this.backoffSeconds * 1_000;
    const patient = this.waited <= LIMITS.beginningSeconds && end <= this.since + LIMITS.beginningSeconds * 1_000;
    return patient && end < until ? wait * this.backoffSeconds : undefined;
  }

  /** An error of the service is common to all calls, which has waits of its own; between failures of the container it is one of these. */
  private isOfTheBeginning({ name }: SessionError): boolean {
    return name === ERRORS.CONTAINER || (name === ERRORS.SERVER && this.since !== undefined);
  }
}
