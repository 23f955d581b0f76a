import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns why nothing can be written to a directory, which need not exist yet, or `undefined` if it can. */
export function writableFault(directory: string): string | undefined {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(statSync(existing).isDirectory() ? existing : join(existing, 'file'), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `${directory} cannot be written to (${(error as NodeJS.ErrnoException).code}): choose a directory that you can write to`;
  }
}
