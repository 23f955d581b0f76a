// Quotes words for bash.

/** Characters that are literal to every reader of a command. */
export const PLAIN = /^[A-Za-z0-9_./:=,@%+-]+$/;

/**
 * Quotes one argument. Everything arrives unchanged but NUL, which no argument can hold.
 *
 * The quotes are double quotes, so that a line without an apostrophe stays readable on its way.
 */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : quoted(word);
}

/** Quotes a program and its arguments. The program is always quoted: unquoted, `time` is a keyword and `A=b` is an assignment. */
export function quoteWords([program, ...words]: readonly string[]): string {
  return [quoted(program), ...words.map(quoteWord)].join(' ');
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new RangeError('a command must not contain a NUL character');
  return `"${word.replace(/["$\\`]/g, '\\$&')}"`;
}

/** Quotes text in single quotes for any POSIX shell. Nothing in it is expanded, not even `!` in an interactive Bash. */
export function singleQuoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** Quotes a word, if necessary, for a command line that a person copies. */
export function copyableWord(word: string): string {
  return PLAIN.test(word) ? word : singleQuoted(word);
}

/** Returns a line that does the same and is longer by a third, whatever the words hold. It is not readable. */
export function listWords(words: readonly string[]): string {
  if (words.some((word) => word.includes('\0'))) throw new RangeError('a command must not contain a NUL character');
  const list = Buffer.from(words.map((word) => `${word}\0`).join('')).toString('base64');
  // Without the count, an unreadable list would be an empty command, which passes.
  return `mapfile -t -d "" words < <(printf %s ${list} | base64 -d); ((\${#words[@]} == ${words.length})) || exit 126; "\${words[@]}"`;
}
