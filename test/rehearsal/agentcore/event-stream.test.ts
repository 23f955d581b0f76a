import { EventStreamCodec } from '@smithy/core/event-streams';
import { encodeException, encodeStart, encodeStop, OutputEncoder } from '../../../rehearsal/agentcore/event-stream';

const codec = new EventStreamCodec(bytes => Buffer.from(bytes).toString(), text => Buffer.from(text));

function decode(message: Uint8Array) {
  const { headers, body } = codec.decode(message);
  const values = Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]));
  return { headers: values, body: JSON.parse(Buffer.from(body).toString()) as unknown };
}

function texts(messages: Uint8Array[]): string[] {
  return messages.map(message => (decode(message).body as { contentDelta: { stdout: string } }).contentDelta.stdout);
}

describe('the event stream', () => {
  test('has the headers and payloads that the SDKs read', () => {
    const headers = { ':message-type': 'event', ':event-type': 'chunk', ':content-type': 'application/json' };
    expect(decode(encodeStart())).toEqual({ headers, body: { contentStart: {} } });
    expect(decode(encodeStop(3, 'TIMED_OUT'))).toEqual({ headers, body: { contentStop: { exitCode: 3, status: 'TIMED_OUT' } } });
    expect(new OutputEncoder('stderr').encode(Buffer.from('x')).map(decode)).toEqual([{ headers, body: { contentDelta: { stderr: 'x' } } }]);
    expect(decode(encodeException('ThrottlingException', 'slow down'))).toEqual({
      headers: { ':message-type': 'exception', ':exception-type': 'throttlingException', ':content-type': 'application/json' },
      body: { message: 'slow down' },
    });
  });

  test.each([1, 2, 3, 5, 7])('joins characters that arrive in pieces of %d bytes', size => {
    const encoder = new OutputEncoder('stdout');
    const bytes = Buffer.from('ü€😀'.repeat(20));
    const messages: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      messages.push(...encoder.encode(bytes.subarray(at, at + size)));
    }
    expect(texts([...messages, ...encoder.end()]).join('')).toBe('ü€😀'.repeat(20));
  });

  test.each(['', 'a', 'ab', 'abc'])('is cut between characters if an event would be too long, whatever precedes it: %j', prefix => {
    const text = prefix + '😀'.repeat(60_000);
    const parts = texts(new OutputEncoder('stdout').encode(Buffer.from(text)));
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.join('')).toBe(text);
    expect(parts.filter(part => /\p{Surrogate}/u.test(part))).toEqual([]);
  });
});
