import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another rehearsal works with the state directory. */
export class StateInUseError extends Error {
  readonly name = 'StateInUseError';
}

/** One rehearsal at a time works with a state directory. A lock whose process has gone is no lock. */
export class Lock {
  static take(directory: string): Lock {
    const file = join(directory, 'lock');
    for (let attempt = 0; ; attempt++) {
      try {
        writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
        return new Lock(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = Lock.holder(directory);
        if (holder !== undefined || attempt > 0) {
          throw new StateInUseError(`${directory} is in use by the rehearsal with process id ${holder ?? 'unknown'}: wait for it, or choose another directory with --state`);
        }
        rmSync(file, { force: true });
      }
    }
  }

  /** Process id of the rehearsal that works with the directory now. */
  static holder(directory: string): number | undefined {
    try {
      const pid = Number(readFileSync(join(directory, 'lock'), 'utf8'));
      process.kill(pid, 0);
      return pid;
    } catch (error) {
      // It is there, but belongs to somebody else.
      return (error as NodeJS.ErrnoException).code === 'EPERM' ? -1 : undefined;
    }
  }

  private constructor(private readonly file: string) {}

  release(): void {
    rmSync(this.file, { force: true });
  }
}
