import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** Creates a copy of the repository's files, without what tools and tests have left in the checkout. */
export function newcomersClone(home: string): string {
  const clone = join(home, 'clone');
  mkdirSync(clone);
  const files = execFileSync('git', ['ls-files', '-z', '--cached'], { cwd: ROOT });
  execFileSync('xargs', ['-0', 'cp', '--parents', '-t', clone], { cwd: ROOT, input: files });
  return clone;
}
