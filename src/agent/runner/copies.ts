import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { RUNNER_LIMITS } from './limits';

/** Copies files and directories, and leaves out everything else, such as links and sockets. */
export function copyTree(from: string, to: string, paths: readonly string[] = ['.']) {
  const files = paths.flatMap((path) => filesBelow(from, path));
  const bytes = files.reduce((sum, file) => sum + fs.statSync(join(from, file)).size, 0);
  if (bytes > RUNNER_LIMITS.conversationBytes) throw new Error(`it has ${bytes} bytes, and at most ${RUNNER_LIMITS.conversationBytes} are kept`);
  fs.mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const file of files) {
    fs.mkdirSync(dirname(join(to, file)), { recursive: true, mode: 0o700 });
    fs.copyFileSync(join(from, file), join(to, file));
  }
}

/** Removes a tree, also one with directories that their owner cannot write, such as the cache of modules of Go. */
export function removeTree(path: string) {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    makeWritable(path);
    fs.rmSync(path, { recursive: true, force: true });
  }
}

function makeWritable(path: string) {
  if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  fs.chmodSync(path, 0o700);
  for (const name of fs.readdirSync(path)) makeWritable(join(path, name));
}

/** Returns a digest of the names and the contents of all files. */
export function digestOf(directory: string): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(directory, '.')) {
    hash.update(`${file}\n${fs.statSync(join(directory, file)).size}\n`);
    hash.update(fs.readFileSync(join(directory, file)));
  }
  return hash.digest('hex');
}

function filesBelow(root: string, path: string): string[] {
  const found = fs.lstatSync(join(root, path), { throwIfNoEntry: false });
  if (found?.isFile()) return [path];
  if (!found?.isDirectory()) return [];
  return fs.readdirSync(join(root, path)).sort().flatMap((name) => filesBelow(root, join(path, name)));
}
