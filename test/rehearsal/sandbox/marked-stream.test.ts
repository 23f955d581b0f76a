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
  ['inside a mark', ['one<<ma', 'rk>:12\ntwo<mark>', '<mark>:', '0\nafter']],
])('separates sections, to the byte, in a stream that arrives %s', async (_, chunks) => {
  expect(await sections(chunks, 3)).toEqual([{ text: 'one<', line: '12' }, { text: 'two<mark>', line: '0' }, { text: 'after', line: undefined }]);
});

test('passes on a possible beginning of a mark at the end', async () => {
  expect(await sections(['text<mark>'], 1)).toEqual([{ text: 'text<mark>', line: undefined }]);
});

test('treats a broken stream as an ended one', async () => {
  const source = new PassThrough();
  const stream = new MarkedStream(source, MARK);
  const section = stream.section(undefined);
  source.destroy(new Error('broken'));
  expect(await section).toBeUndefined();
});

test('a listener that fails blocks nobody', async () => {
  const stream = new MarkedStream(Readable.from([Buffer.from('text<mark>:0\n')]), MARK);
  expect(await stream.section(() => Promise.reject(new Error('gone')))).toBe('0');
});
