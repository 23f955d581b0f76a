/**
 * Quoting for the bash of a session: the line of a job's command. What the service reads, on the way there, is the matter of
 * `wire.ts`.
 */

/** Characters that mean nothing but themselves to anybody. */
export const PLAIN = /^[A-Za-z0-9_./:=,@%+-]+$/;

/**
 * One argument. Everything but NUL, which no argument can hold, arrives unchanged.
 *
 * In double quotes where quotes are needed, so that a line without an apostrophe has none, and stays readable on its way.
 */
export function quoteWord(word: string): string {
  return PLAIN.test(word) ? word : quoted(word);
}

/** A program and its arguments as one line. The program is always quoted: unquoted, `time` is a keyword and `A=b` an assignment. */
export function quoteWords([program, ...words]: readonly string[]): string {
  return [quoted(program), ...words.map(quoteWord)].join(' ');
}

function quoted(word: string): string {
  if (word.includes('\0')) throw new RangeError('a command cannot hold a NUL character');
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

/** The same as a line that is longer by a third, whatever is in the words. Not for people. */
export function listWords(words: readonly string[]): string {
  if (words.some((word) => word.includes('\0'))) throw new RangeError('a command cannot hold a NUL character');
  const list = Buffer.from(words.map((word) => `${word}\0`).join('')).toString('base64');
  // Without the count, a list that cannot be read would be an empty command, which passes.
  return `mapfile -t -d "" words < <(printf %s ${list} | base64 -d); ((\${#words[@]} == ${words.length})) || exit 126; "\${words[@]}"`;
}
