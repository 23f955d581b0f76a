import { SessionError } from '../../jobs/errors';

/** The rollout cannot succeed any more. Everything else that is thrown is looked at by `isWorthWaiting`. */
export class RolloutError extends Error {
  /** @param tail the end of a command's output, for the reader of the message */
  constructor(message: string, readonly tail?: string) {
    super(message);
    this.name = 'RolloutError';
  }
}

/** The runtime, a version or an endpoint is not there. */
export class NotThereError extends RolloutError {}

/** The service has no room for another endpoint. */
export class NoRoomError extends RolloutError {}

/** Says no more than it has to of an error, for a log or a reason. */
export function messageOf(error: unknown): string {
  return error instanceof SessionError || error instanceof RolloutError ? error.message : `${(error as Error).name}: ${(error as Error).message}`;
}
