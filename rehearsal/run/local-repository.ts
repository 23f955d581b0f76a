import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CommitDescription {
  readonly id: string;
  readonly tree: string;
  readonly message: string;
  /** As `git show --stat`. */
  readonly stat: string;
  readonly patch: string;
}

/** The patch of a report: beyond that, git shows it. */
const PATCH_BYTES = 65_536;

/**
 * A bare copy of a repository, which a rehearsal clones from and pushes to, so that neither a working copy nor a remote that
 * others use sees anything of it.
 */
export class LocalRepository {
  /** Copies a directory or a URL, or brings an earlier copy up to date; branches that rehearsals made stay. Runs that begin at once take turns. */
  static async copy(source: string, parent: string): Promise<LocalRepository> {
    const local = isAbsolute(source) || (existsSync(source) && statSync(source).isDirectory());
    const from = local ? resolve(source) : source;
    const name = basename(from).replace(/\.git$/, '').replace(/[^A-Za-z0-9._-]/g, '-') || 'repository';
    const directory = join(parent, `${name}-${createHash('sha256').update(from).digest('hex').slice(0, 8)}.git`);
    const made = new LocalRepository(from, directory, local);
    const turn = (LocalRepository.turns.get(directory) ?? Promise.resolve()).then(() => (existsSync(directory) ? made.update() : made.clone()));
    LocalRepository.turns.set(directory, turn.catch(() => undefined));
    await turn;
    return made;
  }

  /** The last that is at work on each copy. Other processes are kept out by the lock of the state directory. */
  private static readonly turns = new Map<string, Promise<void>>();

  private constructor(readonly source: string, readonly directory: string, private readonly local: boolean) {}

  get url(): string {
    return `file://${this.directory}`;
  }

  /** The branch that runs start from, and its commit. */
  async head(): Promise<{ readonly branch: string; readonly commit: string }> {
    const [branch, commit] = await Promise.all([this.git('symbolic-ref', '--short', 'HEAD'), this.git('rev-parse', 'HEAD')]);
    return { branch: branch.trim(), commit: commit.trim() };
  }

  /** Files of the working copy that no commit has: a run does not see them. */
  async uncommitted(): Promise<number> {
    if (!this.local) return 0;
    const { stdout } = await run('git', ['-C', this.source, 'status', '--porcelain']).catch(() => ({ stdout: '' }));
    return stdout.split('\n').filter((line) => line !== '').length;
  }

  async describe(commit: string): Promise<CommitDescription> {
    const show = (...options: string[]) => this.git('show', '--no-ext-diff', '--no-textconv', '--no-color', ...options, commit);
    const [header, stat, patch] = await Promise.all([show('--no-patch', '--format=%H%n%T%n%B'), show('--format=', '--stat=100'), show('--format=', '--patch')]);
    const [id, tree, ...message] = header.split('\n');
    return { id, tree, message: message.join('\n').trim(), stat: stat.trimEnd(), patch: patch.slice(0, PATCH_BYTES) };
  }

  async git(...args: string[]): Promise<string> {
    // A bare repository of ours may belong to the user that a sandbox maps to.
    const { stdout } = await run('git', ['-c', 'safe.directory=*', '--git-dir', this.directory, ...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  /** Complete or not at all: it gets its name last. */
  private async clone(): Promise<void> {
    const unfinished = `${this.directory}.${process.pid}`;
    mkdirSync(dirname(this.directory), { recursive: true });
    rmSync(unfinished, { recursive: true, force: true });
    try {
      await run('git', ['-c', 'safe.directory=*', 'clone', '--quiet', '--bare', '--no-hardlinks', '--', this.source, unfinished]);
      renameSync(unfinished, this.directory);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      throw new RepositoryError(`${this.source} cannot be cloned: ${reason(error)}`);
    }
    await this.head().catch(() => {
      rmSync(this.directory, { recursive: true, force: true });
      throw new RepositoryError(`${this.source} has no commit yet: commit what the run is to work on`);
    });
  }

  private async update(): Promise<void> {
    if (this.local && !existsSync(this.source)) return; // what a session goes on with is here
    try {
      await this.git('fetch', '--quiet', '--', this.source, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*');
      if (this.local) {
        const { stdout } = await run('git', ['-C', this.source, 'symbolic-ref', '--quiet', 'HEAD']);
        await this.git('symbolic-ref', 'HEAD', stdout.trim());
      }
    } catch (error) {
      throw new RepositoryError(`${this.source} cannot be fetched: ${reason(error)}`);
    }
  }
}

/** The repository that was named cannot be used. */
export class RepositoryError extends Error {
  readonly name = 'RepositoryError';
}

function reason(error: unknown): string {
  return ((error as { readonly stderr?: string }).stderr ?? (error as Error).message).trim();
}
