import * as fc from 'fast-check';
import { reasonOf } from '../../src/rollout/handler/errors';

const bytes = (reason: string) => Buffer.byteLength(JSON.stringify(reason));

describe('the reason that CloudFormation shows', () => {
  test('is the message alone if there is no output', () => {
    expect(reasonOf('it went wrong', '\n')).toBe('it went wrong');
  });

  test('keeps the beginning of the message and the end of the output', () => {
    const reason = reasonOf(`begins${'m'.repeat(9_000)}`, `${'o'.repeat(9_000)}ends`);

    expect(reason).toMatch(/^beginsm+\noutput ends with:\no+ends$/);
    expect(bytes(reason)).toBeGreaterThan(2_790);
  });

  test('has no terminal sequences and no control characters', () => {
    expect(reasonOf('wrong', '\u001b[31mred\u001b[0m\u0000\r\n\tline')).toBe('wrong\noutput ends with:\nred\n\tline');
  });

  test('never exceeds the limit in bytes of JSON, and never has half a character', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), fc.string({ unit: 'binary', maxLength: 5_000 }), (message, tail) => {
      const reason = reasonOf(message, tail);
      expect(bytes(reason)).toBeLessThanOrEqual(2_802);
      expect(reason).toBe(Buffer.from(reason).toString());
    }));
  });
});
