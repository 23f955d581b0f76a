import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock';
import { LIMITS } from './limits';
import { permitting, removeTree } from './remove-tree';

export interface WorkspaceKey {
  readonly runtimeId: string;
  readonly endpoint: string;
  readonly sessionId: string;
}

export interface WorkspaceRecord extends WorkspaceKey {
  /** The version that the endpoint served when the workspace was last used. */
  readonly version: string;
  readonly createdAt: number;
  readonly lastInvokedAt: number;
}

const DAY = 24 * 60 * 60 * 1000;

/** Session storage: one directory per runtime, endpoint and session, which outlives microVMs and the server. */
export class Workspaces {
  constructor(readonly directory: string, private readonly clock: Clock) {
    mkdirSync(directory, { recursive: true });
  }

  /** Makes the session's directory; empties it if the endpoint has moved to another version, or nobody has invoked the session for 14 days. */
  open(key: WorkspaceKey, version: string): { wiped?: string } {
    const record = this.record(key);
    const now = this.clock.now();
    const wiped = record && reasonToWipe(record, version, now);
    if (wiped !== undefined) {
      removeTree(this.data(key));
    }
    mkdirSync(this.data(key), { recursive: true });
    if (record === undefined || wiped !== undefined) {
      this.write({ ...key, version, createdAt: now, lastInvokedAt: now });
    }
    return { wiped };
  }

  /** Starts the 14 days anew. Only invocations are known to do so. */
  invoked(key: WorkspaceKey): void {
    const record = this.record(key);
    if (record) {
      this.write({ ...record, lastInvokedAt: this.clock.now() });
    }
  }

  /** Empties the directory in place, since it may be mounted; at once, as if another one had taken its place, since it may be in use. */
  async wipe(key: WorkspaceKey): Promise<void> {
    const directory = this.data(key);
    if (!existsSync(directory)) {
      return;
    }
    const aside = mkdtempSync(join(this.home(key), 'wiped-'));
    permitting(directory, () => {
      for (const entry of readdirSync(directory)) {
        renameSync(join(directory, entry), join(aside, entry));
      }
    });
    await rm(aside, { recursive: true, force: true }).catch(() => removeTree(aside));
  }

  /** Removes what belonged to a runtime, or to one endpoint of it. */
  remove(runtimeId: string, endpoint?: string): void {
    removeTree(join(this.directory, runtimeId, endpoint ?? ''));
  }

  record(key: WorkspaceKey): WorkspaceRecord | undefined {
    const file = join(this.home(key), 'record.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as WorkspaceRecord : undefined;
  }

  data(key: WorkspaceKey): string {
    return join(this.home(key), 'data');
  }

  /** The directory that stands for a file system which sessions share, such as EFS. */
  shared(parent: string, accessPointArn: string): string {
    const directory = join(parent, createHash('sha256').update(accessPointArn).digest('hex').slice(0, 32));
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  private write(record: WorkspaceRecord): void {
    writeFileSync(join(this.home(record), 'record.json'), JSON.stringify(record, undefined, 2));
  }

  /** A session id may be longer than a file name, and hold any character. */
  private home({ runtimeId, endpoint, sessionId }: WorkspaceKey): string {
    return join(this.directory, runtimeId, endpoint, createHash('sha256').update(sessionId).digest('hex').slice(0, 32));
  }
}

function reasonToWipe(record: WorkspaceRecord, version: string, now: number): string | undefined {
  if (record.version !== version) {
    return `the endpoint has moved from version ${record.version}`;
  }
  return now - record.lastInvokedAt > LIMITS.workspaceDays * DAY ? `not invoked for ${LIMITS.workspaceDays} days` : undefined;
}
