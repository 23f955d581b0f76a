import { Token } from 'aws-cdk-lib';
import { hasCredentials, isRef, isRepositoryUrl, repositoryUrlFault } from './git-names';

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
}

/** Where the code comes from, and where the commit goes. */
export class GitRepository {
  /**
   * A repository of one's own choice for all runs; a run's input may still name another.
   *
   * Without credentials in it: git finds them in the session, by a credential helper of the image or the execution role.
   *
   * @param url https, http, ssh, git, file or codecommit; with https and http without a user, which may be a token
   */
  public static fromUrl(url: string, options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(url, options);
  }

  /** Each run's input has to name the repository: `{ "repository": { "url": "…", "ref": "…" } }`. */
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

  /** @internal */
  public _faults(): string[] {
    const { url, ref, depth } = this;
    const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);
    return [
      ...(url !== undefined && (hasCredentials(url) || (known(url) && !isRepositoryUrl(url)))
        ? [`${repositoryUrlFault(url)}: credentials come from the image's credential helper or the execution role`] : []),
      ...(known(ref) && !isRef(ref) ? [`"ref" is "${ref}", which is no name of a branch or tag and no commit: correct it`] : []),
      ...(Token.isUnresolved(depth) || (Number.isInteger(depth) && depth >= 0) ? [] : [`"depth" is ${depth}, a whole number from 0 is allowed: 0 is all of the history`]),
    ];
  }
}
