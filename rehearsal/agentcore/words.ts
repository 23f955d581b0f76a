import { validation } from './errors';

/** The ways in which the text of a command can be parsed. */
export const COMMAND_MODES = ['strict', 'split', 'shell'] as const;
export type CommandMode = typeof COMMAND_MODES[number];

/** The program and its arguments. */
export function wordsOf(command: string, mode: CommandMode): string[] {
  switch (mode) {
    case 'strict':
      return readWords(command);
    case 'split':
      return splitWords(command);
    case 'shell':
      return ['bash', '-c', command];
  }
}

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

/**
 * Splits a line into words as the most exact report about the live service describes it: no shell; words are split at spaces; `'…'` is verbatim;
 * `"…"` knows `\"` and `\\`; `$` is not expanded; a quoted string is not joined to adjacent text.
 *
 * Fails at the first character that the report does not cover.
 */
export function readWords(line: string): string[] {
  const words: string[] = [];
  let position = 0;
  const refuse = (what: string): never => {
    throw validation(`command is not defined at character ${position + 1}, ${JSON.stringify(line.slice(position, position + 20))}: ${what}`);
  };
  while (position < line.length) {
    if (words.length > 0) {
      position++; // the space after the word before
    }
    const word = wordAt(line, position);
    position = word.end;
    if ('fault' in word) {
      refuse(word.fault);
    } else {
      words.push(word.text);
    }
    if (position < line.length && line[position] !== ' ') {
      refuse('quotes are not joined to what stands beside them');
    }
    if (position === line.length - 1) {
      refuse('a space without a word after it');
    }
  }
  return words;
}

type Read = { readonly text: string; readonly end: number } | { readonly fault: string; readonly end: number };

function wordAt(line: string, start: number): Read {
  const quote = line[start];
  if (quote === "'") {
    const end = line.indexOf(quote, start + 1);
    return end < 0 ? { fault: 'a quote without an end', end: start } : { text: line.slice(start + 1, end), end: end + 1 };
  }
  if (quote === '"') {
    return doubleQuotedAt(line, start);
  }
  const [text] = /[^ '"\\\p{Cc}]*/uy.exec(line.slice(start))!;
  const end = start + text.length;
  if (text === '') {
    return { fault: line[start] === ' ' ? 'a space without a word before it' : 'neither a quoted word nor plain characters', end };
  }
  const next = line[end] ?? ' ';
  return next === ' ' || next === "'" || next === '"' ? { text, end } : { fault: 'only quotes give it a meaning', end };
}

function doubleQuotedAt(line: string, start: number): Read {
  let text = '';
  for (let i = start + 1; i < line.length; i++) {
    if (line[i] === '"') {
      return { text, end: i + 1 };
    }
    if (line[i] === '\\') {
      if (line[i + 1] !== '"' && line[i + 1] !== '\\') {
        return { fault: 'between double quotes a backslash stands before " or \\ only', end: i };
      }
      i++;
    }
    text += line[i];
  }
  return { fault: 'a quote without an end', end: start };
}
