import { PLAIN } from './quote';

/**
 * The text of a command, as it leaves us.
 *
 * People who ran the service disagree about who reads it: a shell, something that splits words as POSIX says, or something that
 * splits at spaces, takes `'…'` for what it is, and joins no quotes to anything. So a word is one that means the same to all of them: of plain
 * characters, or a whole `'…'` without an apostrophe. What cannot be written so is sent as base64, and the job's script decodes it.
 */

/** Of what JavaScript has in a string, no program can be given these. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function asWord(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  return text.includes("'") || LONE_SURROGATE.test(text) ? undefined : `'${text}'`;
}

/** A fixed word of ours. Fails if there is no way to write it. */
export function fixedWord(text: string): string {
  const word = asWord(text);
  if (word === undefined) throw new RangeError('a fixed word of a command holds an apostrophe');
  return word;
}

/** One `name=value` for the job's script: as it is, or as `name:base64=…`. Everything but NUL arrives unchanged. */
export function namedWord(name: string, value: string): string {
  if (value.includes('\0')) throw new RangeError('a command cannot hold a NUL character');
  return asWord(`${name}=${value}`) ?? `${name}:base64=${Buffer.from(value).toString('base64')}`;
}
