import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, ProcessIdentity, removedAtExit } from '../run/process-identity';

/** The run that is under way in a state directory, for others to see and to stop. */
export interface CurrentRun extends ProcessIdentity {
  readonly sessionId: string;
  readonly taskId: string;
  readonly startedAt: string;
}

function fileOf(state: string): string {
  return join(state, 'current.json');
}

export const CurrentRun = {
  /** Says that this process has it. Returns what takes that back. */
  write(state: string, run: Omit<CurrentRun, keyof ProcessIdentity>): () => void {
    mkdirSync(state, { recursive: true });
    writeFileSync(fileOf(state), JSON.stringify({ ...identityOf(), ...run }));
    return removedAtExit(fileOf(state));
  },

  /** Returns the run, or `undefined` if its process is gone. */
  read(state: string): CurrentRun | undefined {
    try {
      const run = JSON.parse(readFileSync(fileOf(state), 'utf8')) as CurrentRun;
      return isAlive(run) ? run : undefined;
    } catch {
      return undefined;
    }
  },
};
