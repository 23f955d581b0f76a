/**
 * Quoting for a line that a shell reads, or that is split the way a POSIX shell splits words: it means the same in both.
 */

/** One word. Everything but NUL, which no argument can hold, arrives unchanged. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new RangeError('a command cannot hold a NUL character');
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words as one line. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}
