import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LIMITS } from './limits';

/** A few of each kind are enough to find the cause. */
const EXAMPLES = 3;

/** Entries after which others have their turn. A call that waits for its answer costs ten times the call itself. */
const TURN = 500;

/**
 * Reports files of a workspace that session storage does not support. The host's file system supports them, so a run could succeed here and
 * fail in the service. Extended attributes and file locks leave no trace to find; names and link targets may be as long as on any Linux.
 */
export async function reportUnsupported(directory: string, warn: (warning: string) => void): Promise<void> {
  const scan = new Scan(directory);
  await scan.visit('', 0);
  for (const [kind, paths] of scan.found) {
    const more = paths.length > EXAMPLES ? ` and ${paths.length - EXAMPLES} more` : '';
    warn(`session storage does not support ${kind}: ${paths.slice(0, EXAMPLES).join(', ')}${more}`);
  }
  if (scan.bytes > LIMITS.workspaceBytes) {
    warn(`session storage holds 1 GB, and the workspace has ${(scan.bytes / LIMITS.workspaceBytes).toFixed(1)} GB`);
  }
  if (scan.files > LIMITS.workspaceFiles) {
    warn(`session storage holds about ${LIMITS.workspaceFiles} files, and the workspace has ${scan.files}`);
  }
}

class Scan {
  readonly found = new Map<string, string[]>();
  bytes = 0;
  files = 0;

  constructor(private readonly directory: string) {}

  async visit(relative: string, depth: number): Promise<void> {
    if (depth > LIMITS.workspaceDepth) {
      this.note(`directories deeper than ${LIMITS.workspaceDepth}`, relative);
      return;
    }
    const unreadable = (error: NodeJS.ErrnoException) => error.code === 'EACCES' ? this.note('permissions, and gives everyone access to', relative) : vanished(error);
    for (const entry of attempted(() => readdirSync(join(this.directory, relative), { withFileTypes: true }), unreadable) ?? []) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`; // `join` takes as long as what is done with it
      this.files += 1;
      if (this.files % TURN === 0) await setImmediate();
      if (entry.isDirectory()) await this.visit(path, depth + 1);
      else attempted(() => this.look(entry, path), vanished);
    }
  }

  private look(entry: Dirent, path: string): void {
    if (entry.isFile()) {
      const { nlink, size } = lstatSync(`${this.directory}/${path}`);
      this.bytes += size;
      if (nlink > 1) {
        this.note('hard links', path);
      }
    } else if (!entry.isSymbolicLink()) {
      this.note('sockets, FIFOs or device files', path);
    }
  }

  private note(kind: string, path: string): void {
    this.found.set(kind, [...this.found.get(kind) ?? [], path]);
  }
}

function attempted<T>(action: () => T, failed: (error: NodeJS.ErrnoException) => void): T | undefined {
  try {
    return action();
  } catch (error) {
    failed(error as NodeJS.ErrnoException);
    return undefined;
  }
}

/** The session may go on, and change its workspace, while it is looked through. */
function vanished(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    throw error;
  }
}
