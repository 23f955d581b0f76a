import { Token } from 'aws-cdk-lib';
import { hasCredentials, isRef, isRepositoryUrl, patternFault, repositoryUrlFault } from './git-names';

/** Options of a repository. */
export interface GitRepositoryOptions {
  /**
   * Branch, tag or commit that runs start from.
   *
   * @default - the remote's default branch
   */
  readonly ref?: string;

  /**
   * How many commits of history are cloned; 0 is all of it.
   *
   * @default 1 - a loop needs files, not history, and session storage holds 1 GB
   */
  readonly depth?: number;

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

  /** Commits of history; 0 is all of it. */
  public get depth(): number {
    return this.options.depth ?? 1;
  }

  /** Patterns of repositories that a run's input may name. */
  public get allow(): string[] | undefined {
    return this.options.allow;
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
      ...(Token.isUnresolved(depth) || (Number.isInteger(depth) && depth >= 0) ? [] : [`"depth" is ${depth}, a whole number from 0 is allowed: 0 is all of the history`]),
    ];
  }
}
