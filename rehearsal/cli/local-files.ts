import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { isAbsolute, join, posix, relative, resolve } from 'node:path';
import type { Target } from './options';

/** Directories that each session has for itself. */
const OWN = /^\/(tmp|var\/tmp|mnt|dev\/shm|run)\//;
/** Directories that a bootstrap makes: they are not in the commit, but they exist in the clone. */
const INSTALLED = /^(\.\/)?(node_modules|vendor|\.venv|venv|env|target|build|dist)\//;

interface Command {
  /** Such as `--agent`. */
  readonly option: string;
  readonly text: string;
  /** Indicates that it starts in the clone. */
  readonly inClone: boolean;
}

/** The words of a command line that may name a file. */
function wordsOf(text: string): string[] {
  return text.split(/[\s'"=;|&<>()`$]+/).filter((word) => /[./]/.test(word) && !word.startsWith('-'));
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function git(directory: string, ...args: string[]): number | null {
  return spawnSync('git', ['-c', 'safe.directory=*', '-C', directory, ...args], { stdio: 'ignore' }).status;
}

function commandsOf({ app, agent, gates = [], bootstrap = [] }: Target): Command[] {
  return [
    ...agent === undefined ? [] : [{ option: '--agent', text: agent, inClone: app === undefined }],
    ...gates.map(({ name, command }) => ({ option: `--gate ${name}`, text: command, inClone: true })),
    ...bootstrap.map((text) => ({ option: '--bootstrap', text, inClone: true })),
  ];
}

/**
 * Describes files that the commands of a run name and that exist on this machine, but not where a session looks for them, each with a remedy.
 *
 * @param cwd the current directory of the command line
 */
export function missingInSessions(target: Target, cwd: string, ref = 'HEAD'): string[] {
  if (target.sandbox === 'container') return []; // with the files of an image, which nobody has looked into
  const told = commandsOf(target).flatMap(({ option, text, inClone }) => [...new Set(wordsOf(text))].flatMap((word) => {
    const hint = isAbsolute(word) ? hidden(word, cwd) : inClone ? notCommitted(word, text, target, cwd, ref) : besideWorkspace(word, cwd);
    return hint === undefined ? [] : [`${option}: ${hint}`];
  }));
  return [...new Set(told)];
}

function hidden(file: string, cwd: string): string | undefined {
  const seen = [cwd, ...(process.env.PATH ?? '').split(':')].some((directory) => directory !== '' && !relative(directory, file).startsWith('..'));
  const [, own] = OWN.exec(file) ?? [];
  if (own === undefined || seen || !isFile(file) || file.startsWith('/mnt/workspace/')) return undefined;
  return `${file} is here, but sessions have their own /${own}: move it elsewhere, such as in your home directory, or start from its directory`;
}

/** A run clones what is committed. */
function notCommitted(word: string, text: string, { repository }: Target, cwd: string, ref: string): string | undefined {
  const file = resolve(cwd, word);
  if (/(^|[;&|\s])(cd|pushd)\s/.test(text) || INSTALLED.test(word) || !isFile(file)) return undefined;
  if (repository === undefined || statSync(repository, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return `${word} is here, but sessions start in a clone of the repository: give its absolute path, ${file}, unless the repository has it`;
  }
  if (git(repository, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`) !== 0) return undefined; // a branch that an earlier run has made
  const path = posix.normalize(word);
  if (!path.startsWith('..') && git(repository, 'cat-file', '-e', `${ref}:${path}`) === 0) return undefined;
  if (git(repository, 'check-ignore', '--quiet', join(repository, path)) === 0) return undefined; // something makes it
  const commit = relative(repository, file).startsWith('..') ? '' : ', or commit it';
  return `${word} is here, but not in the commit that sessions start from, in a clone: give its absolute path, ${file}${commit}`;
}

function besideWorkspace(word: string, cwd: string): string | undefined {
  const file = resolve(cwd, word);
  return isFile(file) ? `${word} is here, but the agent starts in the session's workspace: give its absolute path, ${file}` : undefined;
}
