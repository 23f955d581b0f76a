import { Token } from 'aws-cdk-lib';
import { hasCredentials, isRef, isRepositoryUrl, patternFault, repositoryUrlFault } from './steps/git-names';

/** Options of a repository. */
export interface GitRepositoryOptions {
  /**
   * Branch, tag or commit that runs start from.
   *
   * @default - the remote's default branch
   */
  readonly ref?: string;

  /**
   * How many commits of history are cloned, with the contents of their files; 0 is all of them.
   *
   * Tags of these commits are in the clone, and so is `origin/<branch>` for the branch that runs start from and for the default branch.
   * Session storage holds 1 GB. Give `1` for a repository whose history takes too long: git's own, with 82,000 commits, takes 118 MB without the
   * contents of earlier versions, 309 MB with them and 13 MB with the newest commit only.
   *
   * @default - all commits, and the contents of the newest: what tools do with tags and merge bases is right. Git asks the remote for a content of
   * an earlier version when it is looked at. A remote that cannot leave contents out, and a history that takes more than four minutes, are cloned
   * as with 1, and the story of the run says so
   */
  readonly depth?: number;

  /**
   * Whether submodules are initialized, with their own submodules, when a run is prepared. A run whose submodules are not says which they are.
   *
   * @default false - their remotes may need other credentials than the session has
   */
  readonly submodules?: boolean;

  /**
   * Patterns of the repositories that a run's input may name, such as `https://git.example.com/team/*`.
   *
   * The session's credentials for git go where the URL says. Scheme, host and port have to be those of a pattern, to the letter; with ssh the
   * login as well. `*` stands for one or more characters of one part of the path, and is allowed nowhere else. A URL in an input has no user
   * (but that of a pattern with ssh), no query, no fragment and no `%`.
   *
   * @default - none but the loop's own; of a loop without one, all that are reached by https
   */
  readonly allow?: string[];
}

/** Where the code comes from, and where the commit goes. */
export class GitRepository {
  /**
   * The same repository for all runs. A run's input may name another only if `allow` has a pattern for it.
   *
   * The URL holds no credentials. git gets them in the session, from the image's credential helper or the execution role.
   *
   * @param url an https, http, ssh, git, file or codecommit URL without a password, "?" or "#"; only an ssh or codecommit URL may name a user
   */
  public static fromUrl(url: string, options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(url, options);
  }

  /**
   * Each run's input has to name the repository: `{ "repository": { "url": "…", "ref": "…" } }`.
   *
   * Anyone who may start runs decides by it where the session's git credentials go. `allow` limits which repositories an input may name. Without
   * it, any https repository may be named, and synthesis warns.
   */
  public static fromInput(options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(undefined, options);
  }

  private constructor(
    /** The URL, if all runs have the same. */
    public readonly url: string | undefined,
    private readonly options: GitRepositoryOptions,
  ) {}

  /** Branch, tag or commit that runs start from. */
  public get ref(): string | undefined {
    return this.options.ref;
  }

  /** Commits of history with their contents, 0 for all of them; undefined for all commits and the contents of the newest. */
  public get depth(): number | undefined {
    return this.options.depth;
  }

  /** Whether submodules are initialized. */
  public get submodules(): boolean {
    return this.options.submodules ?? false;
  }

  /** Patterns of repositories that a run's input may name. */
  public get allow(): string[] | undefined {
    return this.options.allow;
  }

  /** @internal */
  public _clone(): { readonly depth: number; readonly history?: boolean; readonly submodules?: boolean } {
    return { ...this.depth === undefined ? { depth: 1, history: true } : { depth: this.depth }, ...this.submodules ? { submodules: true } : {} };
  }

  /** @internal */
  public _faults(): string[] {
    const { url, ref, depth, allow } = this;
    const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);
    return [
      ...(url !== undefined && (hasCredentials(url) || (known(url) && !isRepositoryUrl(url)))
        ? [`${repositoryUrlFault(url)}: credentials come from the image's credential helper or the execution role`] : []),
      ...(allow ?? []).filter(known).flatMap((pattern) => patternFault(pattern) ?? []),
      ...(known(ref) && !isRef(ref) ? [`"ref" is "${ref}", which is no name of a branch or tag and no commit: correct it`] : []),
      ...(depth === undefined || Token.isUnresolved(depth) || (Number.isInteger(depth) && depth >= 0) ? [] : [`"depth" is ${depth}, a whole number from 0 is allowed: 0 is all of the history`]),
    ];
  }
}
