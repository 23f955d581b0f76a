import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const BATCH = 32;
const run = promisify(execFile);

export interface Pipe {
  readonly reader: Socket;
  /** To be given to a child process and closed then. */
  readonly writeFd: number;
}

/**
 * Real pipes for the outputs of commands. Node gives its children sockets instead, and `echo … >/dev/stderr` cannot open a socket; it cannot create
 * pipes either, so they are created as FIFOs, a batch at a time, and unlinked once both ends are open.
 */
export class PipePool {
  private readonly paths: string[];
  private batches = 0;
  private refill?: Promise<void>;

  constructor(private readonly directory: string, first: readonly string[]) {
    this.paths = first.map(name => join(directory, name));
  }

  async take(): Promise<Pipe> {
    while (this.paths.length === 0) {
      this.refill ??= this.make();
      await this.refill;
    }
    const path = this.paths.pop()!;
    const readFd = openSync(path, constants.O_NONBLOCK); // for reading, without waiting for the writer
    const writeFd = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
  }

  private async make(): Promise<void> {
    this.batches += 1;
    const paths = Array.from({ length: BATCH }, (_, index) => join(this.directory, `${this.batches}-${index}`));
    try {
      await run('mkfifo', ['-m', '600', ...paths]);
      this.paths.push(...paths);
    } finally {
      this.refill = undefined;
    }
  }
}

/** Closes both ends of a pipe that no process was given. */
export function discard(pipe: Pipe): void {
  closeSync(pipe.writeFd);
  pipe.reader.destroy();
}
