import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { readWords, splitWords } from '../../../rehearsal/agentcore/words';

describe('splitWords', () => {
  test.each([
    ['  a  b\tc\nd ', ['a', 'b', 'c', 'd']],
    ['', []],
    ['\'\' ""', ['', '']],
    ['a\'b c\'"d e"f', ['ab cd ef']],
    ['a\\ b \\\'c', ['a b', '\'c']],
    ['"a\\"b\\\\c\\d"', ['a"b\\c\\d']],
    ['\'a\\b\'', ['a\\b']],
    ['a && b | c $(d) *', ['a', '&&', 'b', '|', 'c', '$(d)', '*']],
    ['a\\\nb', ['ab']],
  ])('splits %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test.each(['\'', '"a', 'a "b\\"'])('fails on an unterminated quote: %s', line => {
    expect(() => splitWords(line)).toThrow('command has a quote without an end');
  });

  test('restores whatever was quoted, as bash does', () => {
    const quote = (word: string) => `'${word.replace(/'/g, "'\\''")}'`;
    fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), words => {
      expect(splitWords(words.map(quote).join(' '))).toEqual(words);
    }));
    const sample = fc.sample(fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '$', '`'), minLength: 1 }), 50).map(text => `"${text.replace(/["$`\\]/g, '\\$&')}"`);
    const byBash = execFileSync('bash', ['-c', `printf '%s\\0' ${sample.join(' ')}`]).toString().split('\0').slice(0, -1);
    expect(splitWords(sample.join(' '))).toEqual(byBash);
  });
});

describe('readWords', () => {
  test.each([
    ['a b', ['a', 'b']],
    ["'a  b' c", ['a  b', 'c']],
    ["'a\nb\t\\\"$c' d", ['a\nb\t\\"$c', 'd']],
    ['"a \\"b\\" \\\\ $c `d` \'e\'"', ['a "b" \\ $c `d` \'e\'']],
    ["a '' \"\"", ['a', '', '']],
    ['a && b | c; $(d) * ~ #e é=1', ['a', '&&', 'b', '|', 'c;', '$(d)', '*', '~', '#e', 'é=1']],
  ])('reads %j', (line, words) => {
    expect(readWords(line)).toEqual(words);
  });

  test.each([
    ["'it'\\''s'", 5],
    ["a'b'", 2],
    ["a 'b'c", 6],
    ["'a''b'", 4],
    ["'a'\"'\"", 4],
    ['a\\ b', 2],
    ['a \\b', 3],
    ['"a\\n"', 3],
    ['"a\\"', 1],
    ["a 'b", 3],
    ['a  b', 3],
    [' a', 1],
    ['a ', 2],
    ['a\tb', 2],
    ['a\n', 2],
    ["a 'b'\n", 6],
  ])('fails on undefined syntax, with its position: %j', (line, place) => {
    expect(() => readWords(line)).toThrow(`command is not defined at character ${place}, `);
  });

  test('restores whatever was quoted as a whole', () => {
    const quote = (word: string) => `"${word.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), words => {
      expect(readWords(words.map(quote).join(' '))).toEqual(words);
    }));
  });
});
