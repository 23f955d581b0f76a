import { existsSync } from 'node:fs';
import { homedir } from 'node:os';

/** The home directory of whoever rehearses; nothing if `HOME` is not set and the system does not know the user, or if it is not there. */
export function homeDirectory(): string | undefined {
  try {
    return [homedir()].find((directory) => existsSync(directory));
  } catch {
    return undefined;
  }
}
