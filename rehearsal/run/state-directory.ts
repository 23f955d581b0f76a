import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writableFault } from '../common/writable';

/** Nothing can be written to the state directory; the message says what to change. */
export class StateDirectoryError extends Error {
  readonly name = 'StateDirectoryError';
}

/** Makes the state directory, unless it exists, and returns its absolute path. @param path @default - a temporary directory */
export function stateDirectory(path?: string): string {
  const directory = path === undefined ? mkdtempSync(join(tmpdir(), 'rehearsal-')) : resolve(path);
  const fault = writableFault(directory);
  if (fault !== undefined) throw new StateDirectoryError(`"stateDirectory" ${fault}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '.gitignore'), '*\n'); // it may be in somebody's working copy
  return directory;
}
