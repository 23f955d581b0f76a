import { PassThrough, Readable } from 'node:stream';
import { MarkedStream } from '../../../rehearsal/sandbox/marked-stream';

const MARK = Buffer.from('<mark>:');

async function sections(chunks: readonly string[], marks: number) {
  const stream = new MarkedStream(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), MARK);
  const taken: { text: string; line?: string }[] = [];
  for (let i = 0; i < marks; i++) {
    let text = '';
    const line = await stream.section((chunk) => { text += chunk.toString(); });
    taken.push({ text, line });
  }
  return taken;
}

const WHOLE = 'one<<mark>:12\ntwo<mark><mark>:0\nafter';

test.each([
  ['whole', [WHOLE]],
  ['in pieces of one byte', [...WHOLE]],
  ['in the midst of a mark', ['one<<ma', 'rk>:12\ntwo<mark>', '<mark>:', '0\nafter']],
])('sections are told apart, to the byte, in a stream that comes %s', async (_, chunks) => {
  expect(await sections(chunks, 3)).toEqual([{ text: 'one<', line: '12' }, { text: 'two<mark>', line: '0' }, { text: 'after', line: undefined }]);
});

test('what may be the beginning of a mark is handed over at the end', async () => {
  expect(await sections(['text<mark>'], 1)).toEqual([{ text: 'text<mark>', line: undefined }]);
});

test('a stream that breaks is one that ends', async () => {
  const source = new PassThrough();
  const stream = new MarkedStream(source, MARK);
  const section = stream.section(undefined);
  source.destroy(new Error('broken'));
  expect(await section).toBeUndefined();
});

test('a listener that fails holds up nobody', async () => {
  const stream = new MarkedStream(Readable.from([Buffer.from('text<mark>:0\n')]), MARK);
  expect(await stream.section(() => Promise.reject(new Error('gone')))).toBe('0');
});
