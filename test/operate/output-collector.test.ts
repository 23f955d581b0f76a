import * as fc from 'fast-check';
import { maskedBytes, OutputCollector } from '../../src/loop/steps/output-collector';

test('what is collected and what is said to be missing are the whole output, whatever its parts', () => {
  const MIB = 1_048_576;
  const part = fc.record({ missing: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 * MIB })), length: fc.integer({ min: 1, max: 6 * MIB }) });
  fc.assert(fc.property(fc.array(part, { maxLength: 20 }), fc.integer({ min: 0, max: MIB }), (parts, more) => {
    const collector = new OutputCollector();
    let at = 0;
    for (const { missing, length } of parts) {
      collector.push(Buffer.alloc(length, 'x'), at + missing);
      at += missing + length;
    }
    const output = collector.output(at + more).toString('latin1');
    const notes = [...output.matchAll(/\n\[(\d+) bytes of output were not kept\]\n/g)];
    const noted = notes.reduce((sum, [text]) => sum + text.length, 0);
    const missing = notes.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
    expect(output.length - noted + missing).toBe(at + more);
    expect(output.length).toBeLessThan(41 * MIB);
  }), { numRuns: 25 });
});

test('what is missing is said in its place', () => {
  const collector = new OutputCollector();
  collector.push(Buffer.from('one\n'), 0);
  collector.push(Buffer.from('three\n'), 10);
  expect(collector.output(20).toString()).toBe('one\n\n[6 bytes of output were not kept]\nthree\n\n[4 bytes of output were not kept]\n');
});

test('masking leaves every byte that is no secret', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const secret = Buffer.from(' ghp_aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x ');
    const all = Buffer.concat([Buffer.from(bytes), Buffer.from('\n'), secret, Buffer.from('\n'), Buffer.from(bytes)]);
    expect(maskedBytes(all)).toEqual(Buffer.concat([Buffer.from(bytes), Buffer.from('\n ***'), Buffer.from(' \n'), Buffer.from(bytes)]));
  }));
});

test('a secret is masked wherever it stands in a long output', () => {
  const secret = 'ghp_aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x';
  for (const before of [1_048_570, 1_048_576, 1_048_600]) {
    const text = `${'x'.repeat(99)}\n`.repeat(before / 100).slice(0, before - 1);
    expect(maskedBytes(Buffer.from(`${text}\n${secret}\nmore\n`)).toString('latin1')).toBe(`${text}\n***\nmore\n`);
  }
});
