import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, ProcessIdentity, removedAtExit } from './process-identity';

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
        writeFileSync(file, `${JSON.stringify(identityOf())}\n`, { flag: 'wx' });
        return new Lock(removedAtExit(file));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = Lock.holder(directory);
        if (holder !== undefined || attempt > 0) {
          const who = holder === undefined ? 'another rehearsal' : `the rehearsal with process ID ${holder.pid}`;
          throw new StateInUseError(`${directory} is in use by ${who}: wait for it, or choose another with "stateDirectory" (--state)`);
        }
        rmSync(file, { force: true });
      }
    }
  }

  /** The process that works with the directory now. */
  static holder(directory: string): ProcessIdentity | undefined {
    try {
      const identity = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')) as ProcessIdentity;
      return isAlive(identity) ? identity : undefined;
    } catch {
      return undefined; // there is none, or it was never finished
    }
  }

  private constructor(readonly release: () => void) {}
}
