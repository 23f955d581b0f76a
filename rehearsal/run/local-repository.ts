import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { directoryFault, isPath } from './repository-fault';
import { maskSecrets } from '../../src/handler/mask';
import type { BranchCommit } from '../../src/journal/run-description';
import { hasCredentials, repositoryUrlFault } from '../../src/loop/steps/git-names';

const run = promisify(execFile);

export interface CommitDescription {
  readonly id: string;
  readonly tree: string;
  readonly message: string;
  /** The output of `git show --stat`. */
  readonly stat: string;
  readonly patch: string;
}

/** The branch that stands for the HEAD of an original that is detached. */
const DETACHED = 'refs/heads/detached-head';

/** The patch of a report: beyond that, git shows it. */
const PATCH_BYTES = 65_536;

/**
 * A bare copy of a repository. A rehearsal clones from it and pushes to it, so that no working copy and no shared remote
 * is changed.
 */
export class LocalRepository {
  /** Copies a directory or a URL, or brings an earlier copy up to date; branches that rehearsals made stay. Runs that begin at once take turns. */
  static async copy(source: string, parent: string): Promise<LocalRepository> {
    checkSource(source);
    const local = isAbsolute(source) || (existsSync(source) ? statSync(source).isDirectory() : isPath(source));
    const from = local ? resolve(source) : source;
    const directory = LocalRepository.copyOf(from, parent);
    const made = new LocalRepository(from, directory, local);
    const turn = (LocalRepository.turns.get(directory) ?? Promise.resolve()).then(() => (existsSync(directory) ? made.update() : made.clone()));
    LocalRepository.turns.set(directory, turn.catch(() => undefined));
    await turn;
    return made;
  }

  /** Returns the path of the copy of an absolute path or a URL, whether it exists or not. */
  static copyOf(source: string, parent: string): string {
    const name = basename(source).replace(/\.git$/, '').replace(/[^A-Za-z0-9._-]/g, '-') || 'repository';
    return join(parent, `${name}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.git`);
  }

  /** The last that is at work on each copy. Other processes are kept out by the lock of the state directory. */
  private static readonly turns = new Map<string, Promise<void>>();

  private constructor(readonly source: string, readonly directory: string, private readonly local: boolean) {}

  /** A directory may belong to anybody, since it was named: git hands on no configuration to the program that reads it. */
  private get whoever(): string[] {
    return this.local ? ['--upload-pack', 'git -c "safe.directory=*" upload-pack'] : [];
  }

  get url(): string {
    return `file://${this.directory}`;
  }

  /** Returns the branch and the commit that runs start from. @param ref a branch, a tag or a commit */
  async head(ref?: string): Promise<{ readonly branch: string; readonly commit: string }> {
    const [branch, commit] = await Promise.all([ref ?? this.git('symbolic-ref', '--short', 'HEAD'), this.git('rev-parse', `${ref ?? 'HEAD'}^{commit}`)]);
    return { branch: branch.trim(), commit: commit.trim() };
  }

  /** Files of the working copy that no commit has: a run does not see them. A directory without any that git has is one name, with a slash. */
  async uncommitted(): Promise<string[]> {
    if (!this.local) return [];
    const status = await this.original('status', '--porcelain', '--no-renames', '-z').catch(() => '');
    return status.split('\0').filter((line) => line !== '').map((line) => line.replace(/^(?:.. |. )/, ''));
  }

  async describe(commit: string): Promise<CommitDescription> {
    const show = (...options: string[]) => this.git('show', '--no-ext-diff', '--no-textconv', '--no-color', ...options, commit);
    const [header, stat, patch] = await Promise.all([show('--no-patch', '--format=%H%n%T%n%B'), show('--format=', '--stat=100'), show('--format=', '--patch')]);
    const [id, tree, ...message] = header.split('\n');
    return { id, tree, message: message.join('\n').trim(), stat: stat.trimEnd(), patch: maskSecrets(patch).slice(0, PATCH_BYTES) };
  }

  /** Returns the commits of a branch that are not in its base, the newest first: at most 50, without those that came by a merge. */
  async commitsOf(tip: string, base: string): Promise<BranchCommit[]> {
    const log = await this.git('log', '--max-count=50', '--topo-order', '--format=%h %s', '--end-of-options', tip, `^${base}`);
    return log.split('\n').filter((line) => line !== '').map((line) => ({ id: line.split(' ', 1)[0], subject: line.slice(line.indexOf(' ') + 1) }));
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
    const clone = async () => {
      rmSync(unfinished, { recursive: true, force: true });
      await run('git', ['-c', 'safe.directory=*', '-c', 'clone.defaultRemoteName=origin', 'clone', '--quiet', '--bare', '--no-hardlinks', ...this.whoever, '--', this.source, unfinished]);
    };
    try {
      // Git may be packing a directory's objects in the background, after a commit, and take away what was about to be copied.
      await clone().catch(clone);
      // The sandbox sees the copy, and need not know where the original is.
      await run('git', ['--git-dir', unfinished, 'config', '--remove-section', 'remote.origin']);
      await this.asHosts(unfinished);
      renameSync(unfinished, this.directory);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      throw new RepositoryError(`${this.source} cannot be cloned: ${await this.whatIsWrong() ?? reason(error)}`);
    }
    await this.follow();
    await this.head().catch(() => {
      rmSync(this.directory, { recursive: true, force: true });
      throw new RepositoryError(`${this.source} has no commits yet: commit the files that the run works on`);
    });
  }

  private async update(): Promise<void> {
    await this.asHosts(this.directory);
    if (this.local && !existsSync(this.source)) return; // what a session goes on with is here
    try {
      await this.git('fetch', '--quiet', ...this.whoever, '--', this.source, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*');
      await this.follow();
    } catch (error) {
      throw new RepositoryError(`${this.source} cannot be fetched: ${await this.whatIsWrong() ?? reason(error)}`);
    }
    await this.head().catch(() => {
      throw new RepositoryError(`${this.source} is on a branch without commits: commit the files that the run works on`);
    });
  }

  /** Clones may leave contents out and ask for them later, as at the hosts that people use. */
  private async asHosts(directory: string): Promise<void> {
    for (const name of ['allowFilter', 'allowAnySHA1InWant']) await run('git', ['--git-dir', directory, 'config', `uploadpack.${name}`, 'true']);
  }

  /** HEAD of a directory may change between two runs; and it is no branch in a checkout of CI, so that the copy has one for it. */
  private async follow(): Promise<void> {
    if (!this.local) return;
    const branch = await this.original('symbolic-ref', '--quiet', 'HEAD').catch(() => undefined);
    if (branch === undefined) await this.git('fetch', '--quiet', ...this.whoever, '--', this.source, `+HEAD:${DETACHED}`);
    await this.git('symbolic-ref', 'HEAD', branch ?? DETACHED);
  }

  private async whatIsWrong(): Promise<string | undefined> {
    return this.local ? directoryFault(this.source) : undefined;
  }

  private async original(...args: string[]): Promise<string> {
    // Its own configuration is not to start a program.
    return (await run('git', ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', this.source, ...args])).stdout.trim();
  }
}

/** The repository that was named cannot be used. */
export class RepositoryError extends Error {
  readonly name = 'RepositoryError';
}

/** Fails for a URL with a password or a token, which records and reports would show. */
export function checkSource(source: string): void {
  if (hasCredentials(source)) throw new RepositoryError(`${repositoryUrlFault(source)}: credentials come from this machine's credential helper`);
}

function reason(error: unknown): string {
  return ((error as { readonly stderr?: string }).stderr ?? (error as Error).message).trim();
}
