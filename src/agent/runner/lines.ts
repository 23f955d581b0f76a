import { StringDecoder } from 'node:string_decoder';
import { RUNNER_LIMITS } from './limits';

/** Reads bytes as lines, with bounded memory: of a line that is too long, only the beginning is left. */
export class Lines {
  private parts: Buffer[] = [];
  private bytes = 0;
  private tooLong = false;

  constructor(
    private readonly line: (line: string) => void,
    private readonly longLine: (beginning: string) => void,
    private readonly maxBytes: number = RUNNER_LIMITS.lineBytes,
    private readonly beginningBytes: number = RUNNER_LIMITS.beginningBytes,
  ) {}

  public write(chunk: Buffer) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.add(chunk.subarray(from, end));
      this.flush();
      from = end + 1;
    }
    this.add(chunk.subarray(from));
  }

  /** Passes on the last line, if it has no end. */
  public end() {
    if (this.bytes > 0) this.flush();
  }

  private add(part: Buffer) {
    if (part.length === 0) return;
    this.bytes += part.length;
    if (this.tooLong) return;
    this.parts.push(part);
    if (this.bytes <= this.maxBytes) return;
    this.tooLong = true;
    // A copy, so that the chunks can be freed.
    this.parts = [Buffer.from(Buffer.concat(this.parts, this.beginningBytes))];
  }

  private flush() {
    const bytes = Buffer.concat(this.parts);
    const { tooLong } = this;
    this.parts = [];
    this.bytes = 0;
    this.tooLong = false;
    // The decoder leaves out a character that the cut divided.
    if (tooLong) this.longLine(new StringDecoder('utf8').write(bytes));
    else this.line(bytes.toString('utf8').replace(/\r$/, ''));
  }
}

/** The end of a text that arrives in pieces. */
export class Tail {
  private text = '';

  constructor(private readonly length: number = RUNNER_LIMITS.tail) {}

  public add(piece: string) {
    this.text = this.text.length + piece.length > 2 * this.length ? (this.text + piece.slice(-this.length)).slice(-this.length) : this.text + piece;
  }

  public toString(): string {
    return this.text.slice(-this.length);
  }
}
