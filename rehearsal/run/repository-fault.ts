import { execFile } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import { didYouMean, nearFile } from '../common/did-you-mean';

const run = promisify(execFile);

/** Determines whether a source is meant as a directory, even if none exists. A URL has a colon before its first slash, as has `host:path`. */
export function isPath(source: string): boolean {
  return isAbsolute(source) || existsSync(source) || !/^[^/]*:/.test(source);
}

/** Asks git about a directory; nothing if git fails. */
async function ask(directory: string, ...args: string[]): Promise<string | undefined> {
  return run('git', ['-c', 'safe.directory=*', '-C', directory, ...args]).then(({ stdout }) => stdout.trim(), () => undefined);
}

/** Returns why a directory cannot be cloned, or `undefined` if it can: git says of each of these that it does not exist. */
export async function directoryFault(directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return `there is no such directory${nearFile(directory)}`;
  if (!statSync(directory).isDirectory()) return fileFault(directory);
  if (await ask(directory, 'rev-parse', '--git-dir') === undefined) return 'it is not a git repository: run "git init" there, and commit';
  const top = await ask(directory, 'rev-parse', '--show-toplevel'); // a bare one has none
  return top === undefined || top === realpathSync(directory) ? undefined : `it is a subdirectory of a repository: name ${top}`;
}

/** A bundle of git is a file that can be cloned. */
async function fileFault(file: string): Promise<string | undefined> {
  if (await ask(dirname(file), 'bundle', 'list-heads', file) !== undefined) return undefined;
  const top = await ask(dirname(file), 'rev-parse', '--show-toplevel');
  return `it is a file, and not a bundle of git: name ${top === undefined ? 'the directory of a repository' : `the repository, ${top}`}`;
}

/** Returns why a run cannot start from a reference, or `undefined` if it can. Without a reference it starts from HEAD. */
export async function referenceFault(directory: string, ref?: string): Promise<string | undefined> {
  if (await ask(directory, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref ?? 'HEAD'}^{commit}`) !== undefined) return undefined;
  const names = (await ask(directory, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads', 'refs/tags') ?? '').split('\n').filter((name) => name !== '');
  if (names.length === 0 || ref === undefined) return 'it has no commits yet: commit the files that the run works on';
  const near = didYouMean(ref, names);
  return near === '' ? `there is ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}` : near.slice(2);
}

/** Branches of a bare copy whose commits its original does not have; all of them if it cannot be asked. @param source a directory or URL */
export async function branchesOnlyIn(copy: string, source: string): Promise<string[]> {
  const copied = lines(await ask(copy, 'for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads')).map((line) => line.split(' '));
  const has = isPath(source)
    ? async (commit: string) => await ask(source, 'cat-file', '-e', `${commit}^{commit}`) !== undefined
    : await tipsOf(copy, source);
  const missing = await Promise.all(copied.map(async ([commit, name]) => await has(commit) ? [] : [name]));
  return missing.flat();
}

/** Returns a function that determines whether a remote has a commit at a branch or tag, or before it if the copy has the later commit, too. */
async function tipsOf(copy: string, url: string): Promise<(commit: string) => Promise<boolean>> {
  const tips = lines(await ask(copy, 'ls-remote', '--quiet', '--heads', '--tags', url)).map((line) => line.split('\t')[0]);
  return async (commit) => tips.includes(commit) || (await Promise.all(tips.map((tip) => ask(copy, 'merge-base', '--is-ancestor', commit, tip)))).some((answer) => answer !== undefined);
}

function lines(text = ''): string[] {
  return text.split('\n').filter((line) => line !== '');
}
