import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalRepository } from './local-repository';
import { LIMITS } from '../agentcore/limits';

/** Bytes of a copy below which its files are not added up: git compresses text to a fifth, and hardly anything to a twentieth. */
const SMALL = LIMITS.workspaceBytes / 20;

/**
 * Warns, before a run spends anything, if session storage cannot hold a repository. Its files count, and git's objects; what the
 * bootstrap and the agent add is not known yet.
 *
 * @param ref the reference that the run starts from @default - the repository's HEAD
 */
export async function storageForecast(repository: LocalRepository, ref = 'HEAD'): Promise<string[]> {
  const objects = bytesOf(join(repository.directory, 'objects'));
  const listed = await repository.git('ls-tree', '-r', '-z', ...objects < SMALL ? [] : ['--long'], '--full-tree', ref);
  const entries = listed.split('\0').filter((line) => line !== '');
  const warnings = entries.length > LIMITS.workspaceFiles
    ? [`the repository has ${entries.length} files, and session storage holds about ${LIMITS.workspaceFiles}: mount a file system instead`] : [];
  if (objects < SMALL) return warnings;
  const files = entries.reduce((sum, entry) => sum + (Number(/^\S+ \S+ \S+ +(\d+)\t/.exec(entry)?.[1]) || 0), 0);
  if (files + objects <= LIMITS.workspaceBytes) return warnings;
  return [...warnings, `the repository has ${inGigabytes(files)} of files and up to ${inGigabytes(objects)} of history, and session storage holds 1 GB: `
    + 'mount a file system instead, or leave files out of the repository'];
}

function bytesOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath ?? entry.path, entry.name)).size : 0), 0);
}

function inGigabytes(bytes: number): string {
  return `${(bytes / LIMITS.workspaceBytes).toFixed(1)} GB`;
}
