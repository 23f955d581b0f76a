import * as fc from 'fast-check';
import { SessionError } from '../../src/jobs/errors';
import { JobRecord, JobStreamParser } from '../../src/jobs/job-stream';

const JOB = 'lint-0-0123456789ab';
const NONCE = '7e57ab1e-0000-4000-8000-000000000000';

const out = (data: Buffer, offset = 0) => `@out ${offset} ${data.length}\n${data.toString('base64').replace(/.{76}/g, '$&\n')}\n`;
const begin = `@job ${NONCE} ${JOB} started\n`;
const end = (words: string) => `@end ${NONCE} ${JOB} ${words}\n`;

/** Records with adjacent output joined, since a cut may divide it anywhere. */
function read(...pieces: string[]): JobRecord[] {
  const parser = new JobStreamParser(JOB, NONCE);
  const joined: JobRecord[] = [];
  for (const record of pieces.flatMap((piece) => parser.push(piece))) {
    const last = joined.at(-1);
    if (record.kind === 'out' && last?.kind === 'out' && last.offset + last.data.length === record.offset) {
      joined[joined.length - 1] = { ...last, data: Buffer.concat([last.data, record.data]) };
    } else {
      joined.push(record);
    }
  }
  return joined;
}

/** The records that are read from a stream, and none of one that is refused. */
function recordsOf(text: string): JobRecord[] {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof SessionError) return [];
    throw error;
  }
}

const outputs = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.constantFrom(Buffer.from(end('EXITED - 0 1 2 3')), Buffer.from('@'))), { maxLength: 5 });
const stream = outputs.map((pieces) => {
  let offset = 0;
  const text = pieces.map((piece) => {
    const record = out(Buffer.from(piece), offset);
    offset += piece.length;
    return record;
  }).join('@alive\n');
  return `${begin}${text}${end(`EXITED - 1 100 107 ${offset}`)}`;
});

describe('the output of a call of the job protocol', () => {
  test('has the same records however it is cut', () => {
    fc.assert(fc.property(stream, fc.array(fc.nat(2_000), { maxLength: 8 }), (text, cuts) => {
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      expect(read(...pieces)).toEqual(read(text));
    }), { numRuns: 500 });
  });

  test('never has an end that was not sent, however it is damaged', () => {
    const mutation = fc.record({ at: fc.nat(2_000), remove: fc.nat(40), insert: fc.oneof(fc.constantFrom('', '@', '\n', '@end ', 'EXITED - 0 1 2 3'), fc.string({ maxLength: 20 })) });
    fc.assert(fc.property(stream, fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
      const damaged = mutations.reduce((old, { at, remove, insert }) => old.slice(0, at) + insert + old.slice(at + remove), text);
      const ends = recordsOf(damaged).filter((record) => record.kind === 'end');
      // A reported end is in the text as a record of this job and this call.
      const words = ends.map((found) => `@end ${NONCE} ${JOB} ${found.state} ${found.detail ?? '-'} ${found.exitCode ?? ''}`);
      for (const record of words) expect(damaged).toContain(record);
    }), { numRuns: 2_000 });
  });

  test('contains the command\'s output byte for byte, even if it looks like a record', () => {
    const data = Buffer.from(`${end('EXITED - 0 1 2 3')}\0\xff`, 'latin1');
    expect(read(begin, out(data))).toEqual([{ kind: 'job', attached: false }, { kind: 'out', offset: 0, data }]);
  });

  test('has a gap if a part of the log was dropped between the check and the copy', () => {
    expect(read(begin, '@out 0 100\nYWJj\n', '@out 100 3\nZGVm\n')).toEqual([
      { kind: 'job', attached: false },
      { kind: 'out', offset: 0, data: Buffer.from('abc') },
      { kind: 'out', offset: 100, data: Buffer.from('def') },
    ]);
  });

  test.each([
    ['exited', 'EXITED - 7 100 160 9', { state: 'EXITED', exitCode: 7, begin: 100, end: 160, bytes: 9 }],
    ['timed out', 'TIMED_OUT - 143 100 160 9', { state: 'TIMED_OUT', exitCode: 143, begin: 100, end: 160, bytes: 9 }],
    ['lost', 'LOST microvm - - - -', { state: 'LOST', detail: 'microvm' }],
    ['running', 'RUNNING quota - - - -', { state: 'RUNNING', detail: 'quota' }],
  ])('reports that the job has %s', (_, words, expected) => {
    expect(read(begin, end(words))[1]).toEqual({ kind: 'end', ...expected });
  });

  test('may be refused before the job\'s name is known', () => {
    expect(read(`@end ${NONCE} - REFUSED argument - - - -\n`)).toEqual([{ kind: 'end', state: 'REFUSED', detail: 'argument' }]);
  });

  test.each([
    ['output outside a record', 'hello\n'],
    ['output after a record that has none', `${begin}YWJj\n`],
    ['output that is not base64', `${begin}@out 0 3\nY*Jj\n`],
    ['more output than announced', `${begin}@out 0 3\nYWJjZGVm\n`],
    ['output that is cut within a group', `${begin}@out 0 3\nYWJ\n@alive\n`],
    ['an unknown record', '@hello\n'],
    ['a job of another call', `@job other ${JOB} started\n`],
    ['another job', `@job ${NONCE} other started\n`],
    ['neither started nor attached', `@job ${NONCE} ${JOB} maybe\n`],
    ['an output without a size', '@out 0\n'],
    ['the end of another call', `@end other ${JOB} EXITED - 0 1 2 3\n`],
    ['the end of another job', `@end ${NONCE} other EXITED - 0 1 2 3\n`],
    ['an unknown state', end('DONE - 0 1 2 3')],
    ['an end without an exit code', end('EXITED - - 1 2 3')],
    ['an end with one word too few', end('EXITED - 0 1 2')],
    ['an end with one word too many', end('EXITED - 0 1 2 3 4')],
    ['an exit code that is not a number', end('EXITED - 0x0 1 2 3')],
    ['a record that does not end', `@${'x'.repeat(2_000)}`],
  ])('fails for %s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'Workbench.StreamCut' }));
  });
});
