import { Token } from 'aws-cdk-lib';
import { hasCredentials, isRef, isRepositoryUrl, patternFault, repositoryUrlFault } from './steps/git-names';

/** Options for a repository. */
export interface GitRepositoryOptions {
  /**
   * The branch, tag or commit that runs start from.
   *
   * @default - the default branch of the remote
   */
  readonly ref?: string;

  /**
   * The number of commits to clone with the contents of their files. 0 clones all commits.
   *
   * The clone has the tags of these commits, and `origin/<branch>` for the branch that runs start from and for the default branch. Session storage
   * holds 1 GB. Use `1` for a repository whose history takes too long: git's own repository, with 82,000 commits, takes 118 MB without the contents
   * of earlier versions, 309 MB with them, and 13 MB with the newest commit only.
   *
   * @default - all commits, and the contents of the newest one, so that tags and merge bases are right. git fetches the content of an earlier
   * version when something reads it. If the remote cannot leave contents out, or if the history takes more than four minutes, one commit is cloned,
   * and the run's record says so
   */
  readonly depth?: number;

  /**
   * Determines whether submodules, and their own submodules, are initialized when a run is prepared. Otherwise the run's record names them.
   *
   * @default false - their remotes may need credentials that the session does not have
   */
  readonly submodules?: boolean;

  /**
   * Patterns of the repositories that the input of a run may name, such as `https://git.example.com/team/*`.
   *
   * The session's git credentials are sent to the host of the URL. The scheme, the host and the port must be those of a pattern, and so must the
   * user of an ssh URL. `*` stands for one or more characters of one segment of the path, and is not allowed anywhere else. The URL in an input
   * must have no user (except for ssh), no query, no fragment and no `%`.
   *
   * @default - only the repository of the loop; for a loop without one, every repository that is reached by https
   */
  readonly allow?: string[];
}

/** The repository that runs clone, and that they push to. */
export class GitRepository {
  /**
   * Uses the same repository for all runs. The input of a run may name another one only if `allow` has a pattern for it.
   *
   * The URL has no credentials: git gets them in the session, from the image's credential helper or the execution role.
   *
   * @param url A URL with the scheme https, http, ssh, git, file or codecommit, without a password, "?" or "#". Only an ssh or codecommit URL may
   * have a user.
   */
  public static fromUrl(url: string, options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(url, options);
  }

  /**
   * Takes the repository from the input of each run: `{ "repository": { "url": "…", "ref": "…" } }`.
   *
   * Anyone who may start runs thereby decides where the session's git credentials are sent. Use `allow` to limit the repositories that an input may
   * name. Without it, every https repository may be named, and synthesis warns.
   */
  public static fromInput(options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(undefined, options);
  }

  private constructor(
    /** The URL, if all runs use the same repository. */
    public readonly url: string | undefined,
    private readonly options: GitRepositoryOptions,
  ) {}

  /** The branch, tag or commit that runs start from. */
  public get ref(): string | undefined {
    return this.options.ref;
  }

  /** The number of commits to clone with their contents, 0 for all; undefined for all commits and the contents of the newest one. */
  public get depth(): number | undefined {
    return this.options.depth;
  }

  /** Determines whether submodules are initialized. */
  public get submodules(): boolean {
    return this.options.submodules ?? false;
  }

  /** Patterns of the repositories that the input of a run may name. */
  public get allow(): string[] | undefined {
    return this.options.allow;
  }

  /** @internal */
  public _clone(): { readonly depth: number; readonly history?: boolean; readonly submodules?: boolean } {
    return { ...this.depth === undefined ? { depth: 1, history: true } : { depth: this.depth }, ...this.submodules ? { submodules: true } : {} };
  }

  /**
   * The repository as the first step receives it, which may take another one from the input.
   *
   * @internal
   */
  public _ofInput(): object {
    const { url, ref, allow } = this;
    return {
      ...allow === undefined ? {} : { allow },
      ...url === undefined ? {} : { repository: { url, ...ref === undefined ? {} : { ref } } },
    };
  }

  /** @internal */
  public _faults(): string[] {
    const { url, ref, depth, allow } = this;
    const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);
    return [
      ...(url !== undefined && (hasCredentials(url) || (known(url) && !isRepositoryUrl(url)))
        ? [`${repositoryUrlFault(url)}: credentials come from the image's credential helper or the execution role`] : []),
      ...(allow ?? []).filter(known).flatMap((pattern) => patternFault(pattern) ?? []),
      ...(known(ref) && !isRef(ref) ? [`"ref" must be a branch, a tag or a commit, not "${ref}": correct it`] : []),
      ...(depth === undefined || Token.isUnresolved(depth) || (Number.isInteger(depth) && depth >= 0) ? [] : [`"depth" must be a whole number, not ${depth}: use 0 for all of the history`]),
    ];
  }
}
