import type { Terminal } from '../../src/journal/terminal';
import { InterruptedError } from '../common/interrupted';
import type { Rehearsal } from '../rehearsal';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first Ctrl-C ends what is under way in order; a second one, at once: even then the kernel ends the sandboxes. */
export class Interrupt {
  private readonly controller = new AbortController();
  private rehearsal?: Rehearsal;

  /** @param exitCode of the second */
  constructor(private readonly terminal: Terminal, private readonly exitCode: number) {
    SIGNALS.forEach((signal) => process.on(signal, this.hear));
  }

  /** Aborts the start of a rehearsal. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now on there is a session to stop. */
  started(rehearsal: Rehearsal): void {
    this.rehearsal = rehearsal;
  }

  dispose(): void {
    SIGNALS.forEach((signal) => process.off(signal, this.hear));
  }

  private readonly hear = (): void => {
    if (this.signal.aborted) process.exit(this.exitCode);
    this.terminal.line(this.rehearsal ? 'interrupted: stopping the session; its workspace is kept' : 'interrupted');
    this.controller.abort(new InterruptedError('nothing was run'));
    void this.rehearsal?.close();
  };
}
