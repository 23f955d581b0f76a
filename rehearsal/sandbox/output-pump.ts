import type { Socket } from 'node:net';
import type { OutputListener } from './sandbox';

/** Hands the output of a process to a listener at the listener's pace. */
export class OutputPump {
  private turnsWithoutData = 0;
  private waiting = false;
  private ended = false;

  constructor(private readonly reader: Socket, listener: OutputListener | undefined) {
    reader.on('data', chunk => {
      this.turnsWithoutData = 0;
      const taken = listener?.(chunk as Buffer);
      if (taken) {
        this.waiting = true;
        reader.pause();
        const goOn = () => {
          this.waiting = false;
          reader.resume();
        };
        taken.then(goOn, goOn);
      }
    });
    reader.on('close', () => this.ended = true);
    reader.on('error', () => this.ended = true);
  }

  /**
   * Settles when everything that was written before this call has been passed on. A process that was left behind may hold the pipe open forever, so
   * the end of the stream cannot be waited for: turns of the event loop without data count as the end.
   */
  async drain(): Promise<void> {
    while (!this.ended && this.turnsWithoutData < 3) {
      await new Promise(resolve => setImmediate(resolve));
      this.turnsWithoutData = this.waiting ? 0 : this.turnsWithoutData + 1;
      if (this.waiting) {
        await new Promise<void>(resolve => this.reader.once('resume', resolve).once('close', resolve));
      }
    }
    this.reader.destroy();
  }
}
