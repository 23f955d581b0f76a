import { StringDecoder } from 'node:string_decoder';
import { EventStreamCodec } from '@smithy/core/event-streams';
import type { ErrorCode } from './errors';
import { LIMITS } from './limits';

export const EVENT_STREAM = 'application/vnd.amazon.eventstream';
export type OutputName = 'stdout' | 'stderr';

/** Bytes of a message beside its payload: prelude, headers and checksums, rounded up. */
const FRAME = 256;

const codec = new EventStreamCodec(bytes => Buffer.from(bytes).toString('utf8'), text => Buffer.from(text, 'utf8'));

export function encodeStart(): Uint8Array {
  return encode('event', 'chunk', JSON.stringify({ contentStart: {} }));
}

export function encodeStop(exitCode: number, status: 'COMPLETED' | 'TIMED_OUT'): Uint8Array {
  return encode('event', 'chunk', JSON.stringify({ contentStop: { exitCode, status } }));
}

export function encodeException(code: ErrorCode, message: string): Uint8Array {
  return encode('exception', code.charAt(0).toLowerCase() + code.slice(1), JSON.stringify({ message }));
}

function encode(type: 'event' | 'exception', name: string, payload: string): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: type },
      [`:${type}-type`]: { type: 'string', value: name },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: Buffer.from(payload, 'utf8'),
  });
}

/** Turns the bytes of one output into messages: never half a character, never more than the service's size of an event. */
export class OutputEncoder {
  private readonly decoder = new StringDecoder('utf8');

  constructor(private readonly name: OutputName) {}

  encode(chunk: Buffer): Uint8Array[] {
    return this.messages(this.decoder.write(chunk));
  }

  /** Returns the bytes of a character that never became complete. */
  end(): Uint8Array[] {
    return this.messages(this.decoder.end());
  }

  private messages(text: string): Uint8Array[] {
    if (text === '') {
      return [];
    }
    const payload = JSON.stringify({ contentDelta: { [this.name]: text } });
    // Three bytes are the most that a UTF-16 unit takes; only text that might be too long is measured.
    if (payload.length * 3 + FRAME <= LIMITS.streamEvent || Buffer.byteLength(payload) + FRAME <= LIMITS.streamEvent) {
      return [encode('event', 'chunk', payload)];
    }
    const middle = wholeCharacters(text, Math.floor(text.length / 2));
    return [...this.messages(text.slice(0, middle)), ...this.messages(text.slice(middle))];
  }
}

/** Moves an index off the middle of a surrogate pair. */
function wholeCharacters(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff ? index + 1 : index;
}
