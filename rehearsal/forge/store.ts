import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_RULES, PushRules } from './push-rules';
import { ForgeToken, RateLimit, RateLimiter } from './tokens';

const run = promisify(execFile);

/** Names that GitHub allows for owners and repositories. They are names of directories here. */
const NAME = /^(?!\.+$)[A-Za-z0-9._-]{1,100}$/;

/** A repository of the forge. Its branches are in the bare repository itself. */
export interface ForgeRepository {
  readonly owner: string;
  readonly name: string;
  /** The bare repository. */
  readonly directory: string;
  /** Private repositories exist only for tokens that may read them. */
  private: boolean;
  /** Archived repositories refuse pushes. */
  archived: boolean;
  /** The rules that pushes are checked against. */
  rules: PushRules;
}

/** The GitHub App whose JSON web tokens the forge accepts. */
export interface ForgeApp {
  readonly id: string;
  /** PEM. */
  readonly publicKey: string;
  /** The slug of the app, after which its user `SLUG[bot]` is named. */
  readonly slug: string;
  /** The ID of its installations. @default - each owner's has another */
  readonly installationId?: number;
}

export interface RepositoryOptions {
  /** A bare repository to copy, with all its references. @default - an empty repository */
  readonly from?: string;
  /** @default true */
  readonly private?: boolean;
  /** @default false */
  readonly archived?: boolean;
  /** @default - none but the size of files and the secrets that every host looks for */
  readonly rules?: Partial<PushRules>;
}

/** The repositories, the tokens and the app of a forge. */
export class ForgeStore {
  readonly tokens = new Map<string, ForgeToken>();
  app?: ForgeApp;
  /** Milliseconds since the epoch. */
  now: () => number = Date.now;
  private readonly repositories = new Map<string, ForgeRepository>();
  private readonly moved = new Map<string, string>();
  private readonly limiter = new RateLimiter(() => this.now());

  /** @param root the directory of the bare repositories */
  constructor(readonly root: string) {}

  /** Makes the repository `owner/name`, or `group/sub/name` as at GitLab. */
  async createRepository(fullName: string, { from, rules, ...options }: RepositoryOptions = {}): Promise<ForgeRepository> {
    const { owner, name } = partsOf(fullName);
    if (owner === '' || !`${owner}/${name}`.split('/').every((part) => NAME.test(part))) throw new Error(`not the name of a repository: ${fullName}`);
    const directory = join(this.root, owner, `${name}.git`);
    mkdirSync(dirname(directory), { recursive: true });
    await run('git', from === undefined
      ? ['init', '--quiet', '--bare', '--initial-branch=main', directory]
      : ['-c', 'safe.directory=*', 'clone', '--quiet', '--mirror', '--no-hardlinks', '--', from, directory]);
    return this.addRepository(fullName, directory, { rules, ...options });
  }

  /** Takes a bare repository into the forge, where it is. */
  addRepository(fullName: string, directory: string, { rules, ...options }: Omit<RepositoryOptions, 'from'> = {}): ForgeRepository {
    const { owner, name } = partsOf(fullName);
    const made: ForgeRepository = { owner, name, directory, private: true, archived: false, ...options, rules: { ...DEFAULT_RULES, ...rules } };
    this.repositories.set(fullName.toLowerCase(), made);
    this.moved.delete(fullName.toLowerCase());
    return made;
  }

  /** Names have no case, as at GitHub. */
  repository(fullName: string): ForgeRepository | undefined {
    return this.repositories.get(fullName.toLowerCase());
  }

  /**
   * Redirects requests for a repository.
   * @param to `owner/name` if it was renamed, or the URL of a repository at another host
   */
  redirect(from: string, to: string): void {
    const found = this.repository(from);
    this.repositories.delete(from.toLowerCase());
    this.moved.set(from.toLowerCase(), to);
    if (found !== undefined && !to.includes('://')) {
      const { owner, name } = partsOf(to);
      this.repositories.set(to.toLowerCase(), { ...found, owner, name });
    }
  }

  /** Returns where a repository has moved to: `owner/name`, or the URL of a repository at another host. */
  movedTo(fullName: string): string | undefined {
    return this.moved.get(fullName.toLowerCase());
  }

  addToken(token: ForgeToken): ForgeToken {
    this.tokens.set(token.value, token);
    return token;
  }

  /** Returns a token, unless it is unknown or has expired. */
  token(value: string): ForgeToken | undefined {
    const found = this.tokens.get(value);
    return found === undefined || (found.expiresAt ?? Infinity) <= this.now() ? undefined : found;
  }

  /** Limits the requests of each token, to git and to the API. */
  set rateLimit(limit: RateLimit | undefined) {
    this.limiter.limit = limit;
  }

  /** Counts a request. Returns the seconds to wait if it exceeds the limit. @param key the value of a token, or an address */
  spend(key: string): number | undefined {
    return this.limiter.spend(key);
  }

  /** Runs git in a repository. */
  async git({ directory }: ForgeRepository, ...args: string[]): Promise<string> {
    const { stdout } = await run('git', ['-c', 'safe.directory=*', '--git-dir', directory, ...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** Adds a commit of somebody else to a branch, which it makes if there is none. Returns the commit. */
  async moveBranch(repository: ForgeRepository, branch: string): Promise<string> {
    const resolve = async (name: string) => this.git(repository, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`).catch(() => undefined);
    const there = await resolve(`refs/heads/${branch}`);
    const parent = there ?? await resolve('HEAD');
    const tree = parent === undefined ? await this.git(repository, 'hash-object', '-t', 'tree', '-w', '/dev/null') : `${parent}^{tree}`;
    const commit = await this.git(repository, '-c', 'user.name=somebody', '-c', 'user.email=somebody@example.com',
      'commit-tree', '-m', `somebody else's change at ${this.now()}`, ...parent === undefined ? [] : ['-p', parent], tree);
    await this.git(repository, 'update-ref', `refs/heads/${branch}`, commit, there ?? '');
    return commit;
  }
}

/** Returns the owner of a repository, which may be a group in a group, and its name. */
function partsOf(fullName: string): Pick<ForgeRepository, 'owner' | 'name'> {
  const at = fullName.lastIndexOf('/');
  return { owner: fullName.slice(0, Math.max(0, at)), name: fullName.slice(at + 1) };
}
