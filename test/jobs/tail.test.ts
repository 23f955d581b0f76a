import * as fc from 'fast-check';
import { LineMatcher, Tail } from '../../src/jobs/tail';

function tailOf(limit: number, ...pieces: (string | Buffer)[]): string {
  const tail = new Tail(limit);
  for (const piece of pieces) tail.push(Buffer.from(piece as string));
  return tail.text();
}

describe('a tail', () => {
  test('is a short output as a whole', () => expect(tailOf(10, 'abc\n', 'def')).toBe('abc\ndef'));
  test('contains whole lines of a longer output', () => expect(tailOf(10, 'first line\nsecond\nx\n')).toBe('second\nx\n'));
  test('is the end of a line that is longer than the tail', () => expect(tailOf(4, 'abcdefgh')).toBe('efgh'));
  test('is the end of a last line that is longer than the tail', () => expect(tailOf(4, 'abcdefgh\n')).toBe('fgh\n'));
  test('is empty if its size is 0', () => expect(tailOf(0, 'abc')).toBe(''));
  test('starts with a whole character', () => expect(tailOf(4, 'aé日')).toBe('日'));
  test('has no terminal sequences or control characters, and has ordinary line endings', () => {
    expect(tailOf(100, '\u001b[31mred\u001b[0m\r\nnext\rlast\u0007\u0000\tend\n')).toBe('red\nnext\nlast\tend\n');
  });

  test('is that of the whole output, however it arrives, and keeps little more in memory', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 100 }), fc.integer({ min: 1, max: 60 }), (pieces, limit) => {
      expect(tailOf(limit, ...pieces.map((piece) => Buffer.from(piece)))).toBe(tailOf(limit, Buffer.concat(pieces)));
    }));
  });

  test('keeps at most twice its size in memory, for many small pieces and for a large one', () => {
    const tail = new Tail(1_000);
    for (let i = 0; i < 100_000; i++) tail.push(Buffer.from('x'));
    tail.push(Buffer.alloc(10_000_000));
    const held = (tail as unknown as { pieces: Buffer[] }).pieces;
    expect(held.reduce((sum, piece) => sum + piece.buffer.byteLength, 0)).toBeLessThan(50_000);
    expect(held.length).toBeLessThanOrEqual(1_001);
  });
});

describe('a tail of an output with a secret', () => {
  const secret = `ghp_${'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x'}`;

  test('masks it, however the output arrives and wherever it is cut', () => {
    const output = `first\nexport TOKEN=${secret} and ${secret}, done\nlast\n`;
    for (let limit = 1; limit <= output.length + 1; limit++) {
      for (let cut = 0; cut <= output.length; cut += 7) {
        const text = tailOf(limit, output.slice(0, cut), output.slice(cut));
        for (let i = 4; i + 12 <= secret.length; i++) expect(text).not.toContain(secret.slice(i, i + 12));
      }
    }
    expect(tailOf(1_000, output)).toBe('first\nexport TOKEN=*** and ***, done\nlast\n');
  });

  test('masks it even with color codes inside', () => {
    expect(tailOf(1_000, `${secret.slice(0, 10)}\u001b[0m${secret.slice(10)}\n`)).toBe('***\n');
  });

  test('masks the lines of a key whose beginning was cut off', () => {
    const lines = Array.from({ length: 20 }, (_, index) => String.fromCharCode(65 + index).repeat(64));
    const text = tailOf(400, ['-----BEGIN RSA PRIVATE KEY-----', ...lines, '-----END RSA PRIVATE KEY-----', 'after', ''].join('\n'));
    expect(text).toMatch(/^(\*\*\*\n)+-----END RSA PRIVATE KEY-----\nafter\n$/);
  });

  test('keeps it for internal readers, and shows it nowhere', () => {
    const tail = new Tail(1_000);
    tail.push(Buffer.from(secret));
    expect([tail.text(), tail.unmasked()]).toEqual(['***', secret]);
  });
});

describe('a fail-fast pattern', () => {
  const matcher = () => new LineMatcher(['^FATAL', 'out of memory$']);

  test('is found in a line that arrives in pieces', () => {
    const lines = matcher();
    expect([lines.push(Buffer.from('fine\nFAT')), lines.push(Buffer.from('AL: broken')), lines.push(Buffer.from('\n'))]).toEqual([undefined, undefined, '^FATAL']);
  });

  test('is not found across lines', () => expect(matcher().push(Buffer.from('out of\nmemory\n'))).toBeUndefined());
  test('is found in a last line without a line ending', () => {
    const lines = matcher();
    expect(lines.push(Buffer.from('it is out of memory'))).toBeUndefined();
    expect(lines.end()).toBe('out of memory$');
  });
  test('is found in a line that is too long to keep', () => {
    const lines = matcher();
    expect(lines.push(Buffer.from(`FATAL${'x'.repeat(20_000)}`))).toBe('^FATAL');
  });
  test('matches characters that are cut in two', () => {
    const lines = new LineMatcher(['é']);
    const [first, second] = [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)];
    expect([lines.push(first), lines.push(second)]).toEqual([undefined, 'é']);
  });
  test('costs nothing if there is none', () => expect(new LineMatcher([]).push(Buffer.from('x\n'))).toBeUndefined());
});
