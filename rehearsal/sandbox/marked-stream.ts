import type { Readable } from 'node:stream';
import type { OutputListener } from './sandbox';

/** Reads a stream in sections, each of which ends with a mark and a line that belongs to it. */
export class MarkedStream {
  private readonly chunks: AsyncIterator<Buffer>;
  private held = Buffer.alloc(0);

  constructor(private readonly source: Readable, private readonly mark: Buffer) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  /**
   * Passes on everything before the next mark, at the listener's pace.
   * @returns the line after the mark, or `undefined` if the stream ended without one
   */
  async section(listener: OutputListener | undefined): Promise<string | undefined> {
    for (;;) {
      const at = this.held.indexOf(this.mark);
      await this.handOver(at >= 0 ? at : this.held.length - this.beginning(), listener);
      const end = at >= 0 ? this.held.indexOf('\n') : -1;
      if (end >= 0) {
        const line = this.held.toString('latin1', this.mark.length, end);
        this.held = this.held.subarray(end + 1);
        return line;
      }
      const { done, value } = await this.chunks.next().catch(() => ({ done: true, value: undefined }));
      if (done) {
        await this.handOver(this.held.length, listener);
        return undefined;
      }
      this.held = Buffer.concat([this.held, value!]);
    }
  }

  /** Reads on, for nobody: whoever still holds the stream must not be held up. */
  discard(): void {
    this.source.on('error', () => undefined).resume();
  }

  private async handOver(length: number, listener: OutputListener | undefined): Promise<void> {
    if (length > 0) {
      const data = this.held.subarray(0, length);
      this.held = this.held.subarray(length);
      await Promise.resolve(listener?.(data)).catch(() => undefined); // a listener that is gone takes nothing, and holds up nobody
    }
  }

  /** The number of bytes at the end that may be the start of a mark. */
  private beginning(): number {
    for (let length = Math.min(this.mark.length - 1, this.held.length); length > 0; length--) {
      if (this.held.subarray(-length).equals(this.mark.subarray(0, length))) {
        return length;
      }
    }
    return 0;
  }
}
