import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Removes a file or a directory with all that is in it, also what a session of an ordinary user has taken all permissions from. */
export function removeTree(path: string): void {
  permitting(path, () => rmSync(path, { recursive: true, force: true }));
}

/** Does something with a tree; if permissions in it are in the way, once more without them. */
export function permitting<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    permit(path);
    return action();
  }
}

function permit(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path)) permit(join(path, entry));
}
