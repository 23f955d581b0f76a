import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { listWords, quoteWord, quoteWords } from '../../src/private/quote';

const byBash = (line: string) => execFileSync('/bin/bash', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1);

test('a line is readable, and contains no apostrophe that was not in the words', () => {
  expect(quoteWords(['grep', '-q', 'a "b" $c', 'src/a.ts'])).toBe('"grep" -q "a \\"b\\" \\$c" src/a.ts');
  expect(quoteWord("it's")).toBe('"it\'s"');
});

test('bash splits a line into the same words, whatever they contain', () => {
  const word = fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '$', '`', '!', '\n', '~', '{', ',', '}', '*', '#', 'é', '='), maxLength: 8 });
  fc.assert(fc.property(fc.array(word), (words) => {
    expect(byBash(quoteWords(['printf', '%s\\0', 'x', ...words]))).toEqual(['x', ...words]);
    expect(byBash(listWords(['printf', '%s\\0', 'x', ...words]))).toEqual(['x', ...words]);
  }), { numRuns: 50 });
});

test.each(['if', 'coproc', 'A=b', '!', '{'])('a program may be named like a word of the shell: %s', (program) => {
  expect(() => byBash(quoteWords([program, 'true']))).toThrow('command not found');
});

test.each([[quoteWords], [listWords]])('fails for a NUL character, which no argument can contain', (toLine) => {
  expect(() => toLine(['a', 'b\0c'])).toThrow(RangeError);
});

test('an unreadable list of words is not a command that passes', () => {
  const line = listWords(['echo', 'a']);
  expect(byBash(`${line}; printf "\\0"`)).toEqual(['a\n']);
  expect(() => byBash(line.replace('base64 -d', 'true'))).toThrow(expect.objectContaining({ status: 126 }));
});
