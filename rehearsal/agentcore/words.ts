import { validation } from './errors';

/** Splits a line into words as a POSIX shell would, with quotes and backslashes, but expands nothing and knows no operators. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (quote === "'") {
      if (character === quote) {
        quote = undefined;
      } else {
        word += character;
      }
    } else if (character === '\\') {
      const next = line[++i];
      // Between double quotes a backslash only escapes what is special there.
      const literal = quote === '"' && next !== undefined && !'"\\$`\n'.includes(next) ? character : '';
      word = (word ?? '') + (next === '\n' ? '' : literal + (next ?? character));
    } else if (character === quote) {
      quote = undefined;
    } else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= '';
    } else if (quote === undefined && /[ \t\n\r]/.test(character)) {
      if (word !== undefined) {
        words.push(word);
      }
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) {
    throw validation('command has a quote without an end');
  }
  return word === undefined ? words : [...words, word];
}
