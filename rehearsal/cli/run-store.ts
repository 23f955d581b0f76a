import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './options';
import { MisuseError } from '../common/misuse';
import type { RehearsalRecord, SessionDescription } from '../run/record';

/** A run as it is kept: enough to go on with its session. */
export interface StoredRun {
  readonly target: Target;
  readonly record: RehearsalRecord;
}

export interface StoredSession extends SessionDescription {
  /** From the first to the last. */
  readonly runs: readonly StoredRun[];
}

/** Runs and their reports, in the state directory. */
export class RunStore {
  private readonly directory: string;

  constructor(state: string) {
    this.directory = join(state, 'runs');
  }

  /** Returns where the run is kept. */
  save(run: StoredRun, report: string): { readonly record: string; readonly report: string } {
    const home = this.home(run.record.id);
    const files = { record: join(home, 'record.json'), report: join(home, 'report.html') };
    mkdirSync(home, { recursive: true });
    writeFileSync(files.record, JSON.stringify(run, undefined, 2));
    writeFileSync(files.report, report);
    return files;
  }

  /** Directory of a run. */
  home(id: string): string {
    return join(this.directory, id);
  }

  all(): StoredRun[] {
    if (!existsSync(this.directory)) return [];
    return readdirSync(this.directory).map((id) => join(this.directory, id, 'record.json')).filter(existsSync)
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as StoredRun)
      .sort((a, b) => a.record.startedAt.localeCompare(b.record.startedAt));
  }

  /** Sessions with their runs, the one that was used last at the end. */
  sessions(): StoredSession[] {
    const sessions = new Map<string, StoredSession>();
    for (const run of this.all()) {
      const { session } = run.record;
      if (!session) continue;
      const runs = [...sessions.get(session.id)?.runs ?? [], run];
      sessions.delete(session.id);
      sessions.set(session.id, { ...session, runs });
    }
    return [...sessions.values()];
  }

  /** The session of that id, or whose id begins or ends so. Fails if there are several. */
  session(id: string): StoredSession | undefined {
    return theOne(this.sessions(), id);
  }
}

/** Returns the item with that id, or whose id starts or ends with it. Fails if there are several: a part may match the wrong one. */
export function theOne<T extends { readonly id: string }>(all: readonly T[], id: string): T | undefined {
  const exact = all.find((one) => one.id === id);
  const close = all.filter((one) => one.id.startsWith(id) || one.id.endsWith(id));
  if (exact === undefined && close.length > 1) {
    throw new MisuseError(`"${id}" matches ${close.length} sessions: give more of the ID\n${close.map((one) => `  ${one.id}`).join('\n')}`);
  }
  return exact ?? close[0];
}
