import { FORGE_ERRORS, LOOP_ERRORS, QUEUED } from './constants';
import { maskSecrets } from '../../handler/mask';

/** The names of errors that end a run. */
export type LoopErrorName = typeof LOOP_ERRORS[keyof typeof LOOP_ERRORS] | typeof FORGE_ERRORS[keyof typeof FORGE_ERRORS] | typeof QUEUED;

/** An error that ends a run. Step Functions sees `name` as the error and `message` in its cause. */
export class LoopError extends Error {
  /**
   * @param summary what happened, in our own words: this is logged
   * @param quote text of a command or of the input, which may contain anything; text that looks like a secret is masked
   */
  constructor(readonly name: LoopErrorName, readonly summary: string, quote = '') {
    super(quote === '' ? summary : `${summary}: ${maskSecrets(quote)}`);
  }

  /** Returns the same error with a run's record as its message, for the end of the run's execution. */
  recordedAs(record: string): LoopError {
    return Object.assign(new LoopError(this.name, this.summary), { message: record });
  }
}
