import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The run that is under way in a state directory, for others to see and to stop. */
export interface CurrentRun {
  readonly pid: number;
  readonly sessionId: string;
  readonly taskId: string;
  readonly startedAt: string;
}

function fileOf(state: string): string {
  return join(state, 'current.json');
}

export const CurrentRun = {
  write(state: string, run: CurrentRun): void {
    mkdirSync(state, { recursive: true });
    writeFileSync(fileOf(state), JSON.stringify(run));
  },

  clear(state: string): void {
    rmSync(fileOf(state), { force: true });
  },

  /** Nothing if its process has gone. */
  read(state: string): CurrentRun | undefined {
    try {
      const run = JSON.parse(readFileSync(fileOf(state), 'utf8')) as CurrentRun;
      process.kill(run.pid, 0);
      return run;
    } catch {
      return undefined;
    }
  },
};
