import { stripVTControlCharacters } from 'util';
import { LIMITS } from './constants';
import { SessionError } from '../../jobs/errors';

/** The rollout cannot succeed any more. Any other error may pass. */
export class RolloutError extends Error {
  /** @param tail the end of a command's output, which is shown below the message */
  constructor(message: string, readonly tail?: string) {
    super(message);
    this.name = 'RolloutError';
  }
}

/** The runtime, a version or an endpoint does not exist. */
export class NotThereError extends RolloutError {}

/** The runtime has as many endpoints as the quota allows. */
export class NoRoomError extends RolloutError {}

/** Returns the message of an error for a log or a reason, with the name of an error that is not ours. */
export function messageOf(error: unknown): string {
  return error instanceof SessionError || error instanceof RolloutError ? error.message : `${(error as Error).name}: ${(error as Error).message}`;
}

/**
 * Returns the reason that CloudFormation shows, within its limit: a response that is too long loses its reason altogether.
 *
 * The message comes first and is cut at its end. The output comes last and is cut at its beginning, since errors are at its end.
 */
export function reasonOf(message: string, tail = ''): string {
  const head = longestThatFits(printable(message), LIMITS.reasonBytes / 2, (text, length) => text.slice(0, length));
  const output = printable(tail).trim();
  if (output === '') return head;
  const intro = `${head}\noutput ends with:\n`;
  return intro + longestThatFits(output, LIMITS.reasonBytes - bytesOf(intro), (text, length) => text.slice(text.length - length));
}

function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\n\t])\p{Cc}/gu, '');
}

function longestThatFits(text: string, bytes: number, cut: (text: string, length: number) => string): string {
  let [fits, tooLong] = [0, text.length + 1];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(cut(text, middle)) <= bytes) fits = middle;
    else tooLong = middle;
  }
  // The cut may leave half of a surrogate pair.
  return cut(text, fits).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
}

/** The response is JSON, where control characters and quotes are escaped. */
function bytesOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
