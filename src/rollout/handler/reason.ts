import { stripVTControlCharacters } from 'util';
import { LIMITS } from './constants';

/**
 * What CloudFormation shows, within its limit: a response that is too long loses its reason altogether.
 *
 * What happened comes first, and is cut at its end; the output comes last, and is cut at its beginning, since errors stand at the end.
 */
export function reasonOf(message: string, tail = ''): string {
  const head = longestThatFits(forReaders(message), LIMITS.reasonBytes / 2, (text, length) => text.slice(0, length));
  const output = forReaders(tail).trim();
  if (output === '') return head;
  const intro = `${head}\noutput ends with:\n`;
  return intro + longestThatFits(output, LIMITS.reasonBytes - bytesOf(intro), (text, length) => text.slice(text.length - length));
}

function forReaders(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\n\t])\p{Cc}/gu, '');
}

function longestThatFits(text: string, bytes: number, cut: (text: string, length: number) => string): string {
  let [fits, tooLong] = [0, text.length + 1];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(cut(text, middle)) <= bytes) fits = middle;
    else tooLong = middle;
  }
  // Half of a surrogate pair, where the cut went through it.
  return cut(text, fits).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
}

/** In the response, which is JSON. */
function bytesOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
