import { maskSecrets } from '../../handler/mask';

/** The maximum size of the beginning and of the end of an output, in bytes: together as much as a session keeps of a log. */
const HEAD_BYTES = 8_388_608;
const TAIL_BYTES = 25_165_824;

/** Collects the output of a command. If it is too long for memory, a line with the number of missing bytes replaces the middle. */
export class OutputCollector {
  private readonly head: Part[] = [];
  private readonly tail: Part[] = [];
  private room = HEAD_BYTES;
  private tailSize = 0;
  private dropped = 0;
  private end = 0;

  /** @param offset the number of bytes of the output before these */
  public push(data: Buffer, offset: number): void {
    const missing = offset - this.end;
    this.end = offset + data.length;
    const first = data.subarray(0, this.room);
    const rest = data.subarray(this.room);
    this.room -= first.length;
    if (first.length > 0) this.head.push({ missing, data: first });
    if (rest.length > 0) this.tail.push({ missing: first.length > 0 ? 0 : missing, data: rest });
    this.tailSize += rest.length;
    while (this.tail.length > 0 && this.tailSize - this.tail[0].data.length >= TAIL_BYTES) {
      const part = this.tail.shift()!;
      this.tailSize -= part.data.length;
      this.dropped += part.missing + part.data.length;
    }
  }

  /** Returns the collected output. @param total the size of the whole output, as the session reports it */
  public output(total: number): Buffer {
    const [next, ...others] = this.tail;
    const tail = next === undefined ? [] : [{ ...next, missing: next.missing + this.dropped }, ...others];
    return Buffer.concat([...[...this.head, ...tail].flatMap(({ missing, data }) => [...gap(missing), data]), ...gap(total - this.end)]);
  }
}

/** A part of an output, and the number of bytes that are missing before it. */
interface Part {
  readonly missing: number;
  readonly data: Buffer;
}

function gap(bytes: number): Buffer[] {
  return bytes > 0 ? [Buffer.from(`\n[${bytes} bytes of output were not kept]\n`)] : [];
}

/** The size of the pieces that are masked at once, in bytes. */
const PIECE = 1_048_576;

/**
 * Returns the output without what looks like a secret. All other bytes stay as they are: the text is read as Latin-1, in which every byte is a
 * character, and secrets are ASCII.
 */
export function maskedBytes(output: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < output.length;) {
    const end = endOfPiece(output, at);
    const piece = output.subarray(at, end);
    const text = piece.toString('latin1');
    const masked = maskSecrets(text);
    pieces.push(masked === text ? piece : Buffer.from(masked, 'latin1'));
    at = end;
  }
  return Buffer.concat(pieces);
}

/** Returns the end of a piece: that of its last line, so that no secret is cut in two. */
function endOfPiece(output: Buffer, start: number): number {
  const end = start + PIECE;
  if (end >= output.length) return output.length;
  const line = output.lastIndexOf(10, end - 1);
  return line < start ? end : line + 1;
}
