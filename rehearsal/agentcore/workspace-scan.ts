import { existsSync } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from './limits';

/** A few of each kind are enough to find the cause. */
const EXAMPLES = 3;

/**
 * Reports what a workspace holds that session storage would not have taken. The host's file system takes it, so that a run succeeds here which
 * fails there.
 */
export async function reportUnsupported(directory: string, warn: (warning: string) => void): Promise<void> {
  if (!existsSync(directory)) {
    return;
  }
  const found = new Map<string, string[]>();
  const note = (kind: string, path: string) => found.set(kind, [...found.get(kind) ?? [], path]);
  const totals = { bytes: 0, files: 0 };
  const visit = async (relative: string, depth: number): Promise<void> => {
    if (depth > LIMITS.workspaceDepth) {
      note(`directories deeper than ${LIMITS.workspaceDepth}`, relative);
      return;
    }
    for (const entry of await readdir(join(directory, relative), { withFileTypes: true })) {
      const path = join(relative, entry.name);
      totals.files += 1;
      if (entry.isDirectory()) {
        await visit(path, depth + 1);
      } else if (entry.isFile()) {
        const { nlink, size } = await lstat(join(directory, path));
        totals.bytes += size;
        if (nlink > 1) {
          note('hard links', path);
        }
      } else if (entry.isSymbolicLink()) {
        if (Buffer.byteLength(await readlink(join(directory, path))) > LIMITS.symlinkTarget) {
          note(`symbolic links to more than ${LIMITS.symlinkTarget} bytes`, path);
        }
      } else {
        note('sockets, FIFOs or device files', path);
      }
    }
  };
  await visit('', 0);
  for (const [kind, paths] of found) {
    const more = paths.length > EXAMPLES ? ` and ${paths.length - EXAMPLES} more` : '';
    warn(`session storage does not take ${kind}: ${paths.slice(0, EXAMPLES).join(', ')}${more}`);
  }
  if (totals.bytes > LIMITS.workspaceBytes) {
    warn(`session storage holds 1 GB; the workspace has ${(totals.bytes / LIMITS.workspaceBytes).toFixed(1)} GB`);
  }
  if (totals.files > LIMITS.workspaceFiles) {
    warn(`session storage holds some ${LIMITS.workspaceFiles} files; the workspace has ${totals.files}`);
  }
}
