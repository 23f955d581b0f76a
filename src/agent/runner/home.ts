import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Environment } from './programs/program';

/** Returns a directory on ephemeral disk that only this user can write. If another user owns the path, creates a different one. */
export function ownDirectory(temporary: string = tmpdir()): string {
  const path = join(temporary, `workbench-agent-${userId()}`);
  fs.mkdirSync(dirname(path), { recursive: true });
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = fs.lstatSync(path);
  return found.isDirectory() && found.uid === userId() ? path : fs.mkdtempSync(`${path}-`);
}

/** Returns the ID of the user. A container may run as a user without a name, for whom `userInfo()` fails. */
function userId(): number {
  return process.getuid?.() ?? 0;
}

/** Returns an environment whose home can be written: a user without a name has the root directory as home, and some programs do not start there. */
export function withHome(environment: Environment, temporary?: string): Environment {
  const { HOME } = environment;
  if (HOME !== undefined && isWritable(HOME)) return environment;
  try {
    const home = join(ownDirectory(temporary), 'home');
    fs.mkdirSync(home, { recursive: true, mode: 0o700 });
    return { ...environment, ...movedHome(home, environment) };
  } catch {
    // Programs that do not need it work without one.
    return environment;
  }
}

/** Returns the variables for a home that is not the user's, and for what others find in that one. */
export function movedHome(home: string, { HOME, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, GIT_CONFIG_GLOBAL }: Environment): Environment {
  if (HOME === undefined) return { HOME: home };
  return {
    HOME: home,
    AWS_CONFIG_FILE: AWS_CONFIG_FILE ?? join(HOME, '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE: AWS_SHARED_CREDENTIALS_FILE ?? join(HOME, '.aws', 'credentials'),
    GIT_CONFIG_GLOBAL: GIT_CONFIG_GLOBAL ?? join(HOME, '.gitconfig'),
  };
}

function isWritable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
