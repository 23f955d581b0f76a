import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyableWord } from '../../src/private/quote';

function hasBranch(directory: string, branch: string): boolean {
  const options = ['-c', 'safe.directory=*', '-C', directory]; // it may belong to anybody, since it was named
  return spawnSync('git', [...options, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], { stdio: 'ignore' }).status === 0;
}

/**
 * Returns the command that fetches a run's commit into a branch of the user's repository. An existing branch of that name may be checked out or have
 * other commits, so it is left alone.
 */
export function takeIt({ source, copy }: { readonly source: string; readonly copy: string }, branch: string): string {
  const local = existsSync(source);
  let name = branch;
  for (let number = 2; local && hasBranch(source, name); number++) name = `${branch}-${number}`;
  const command = `fetch ${copyableWord(copy)} ${copyableWord(`${branch}:${name}`)}`;
  return local ? `git -C ${copyableWord(source)} ${command}` : `git ${command}   # in a clone of ${source}`;
}

/** The command that shows it. */
export function lookAt({ copy }: { readonly copy: string }, branch: string): string {
  return `git --git-dir ${copyableWord(copy)} show ${copyableWord(branch)}`;
}
