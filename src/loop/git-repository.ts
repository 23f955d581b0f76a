import { Token } from 'aws-cdk-lib';
import { Forge, GitHub } from '../forge';
import { hasCredentials, isAllowedRepository, isRef, isRepositoryUrl, patternFault, repositoryUrlFault } from './steps/git-names';

/** Options for `GitRepository.fromUrl` and `GitRepository.fromInput`. */
export interface GitRepositoryOptions {
  /**
   * The branch, tag or commit that each run starts from, at most 200 characters.
   *
   * @default - the default branch of the remote
   */
  readonly ref?: string;

  /**
   * The number of commits to clone with the contents of their files, or 0 for all commits.
   *
   * The clone contains the tags of these commits, and `origin/<branch>` for the default branch and the branch that the run starts from. Session
   * storage is limited to 1 GB. Use `1` for a repository with a long history: git's own repository, with 82,000 commits, takes 118 MB without the
   * contents of earlier versions, 309 MB with them, and 13 MB with the newest commit only.
   *
   * @default - all commits, but only the contents of the newest one, so that tags and merge bases are right. git fetches the contents of an earlier
   * version when a command reads them. If the remote does not support this, or if it takes more than 4 minutes, the run clones one commit, and its
   * record says so
   */
  readonly depth?: number;

  /**
   * Determines whether a run initializes submodules, recursively. Otherwise, the record of the run lists them.
   *
   * @default false - their remotes may require credentials that the session does not have
   */
  readonly submodules?: boolean;

  /**
   * Patterns of the URLs that the input of a run may contain, such as `https://git.example.com/team/*`. They limit the hosts to which git sends the
   * credentials of the session.
   *
   * The scheme, host and port of the URL must be those of a pattern, as must the user of an ssh URL. `*` matches one or more characters within one
   * segment of the path, and is not allowed anywhere else. The URL must not contain a user (except for ssh), a query, a fragment or `%`.
   *
   * @default - only the URL of the loop; for a loop without one, any https URL
   */
  readonly allow?: string[];

  /**
   * The forge of the repository. Its publisher, a function that holds the credential, pushes the commit, so that sessions need none that can write.
   *
   * @default - sessions clone and push with the credentials that the image or the execution role provides, which the agent can also use
   */
  readonly forge?: Forge;
}

/** Options for `GitRepository.fromGitHub`. */
export interface GitHubRepositoryOptions extends GitRepositoryOptions {
  /** The app, or the token, with which the loop reads and publishes: `GitHubApp.fromSecret` or `GitHub.token`. */
  readonly app: GitHub;
}

/** The repository that each run of a loop clones, and pushes its commit to. */
export class GitRepository {
  /**
   * Uses the same repository for all runs. The input of a run may contain another one only if it matches a pattern in `allow`.
   *
   * The URL must not contain credentials. git gets them in the session, from the credential helper of the image or the execution role.
   *
   * @param url The URL of the repository, with the scheme https, http, ssh, git, file or codecommit, or in the form `git@host:path`. It must not
   * contain a password, "?" or "#", and only an ssh or codecommit URL may contain a user
   * @param options Options for the repository
   */
  public static fromUrl(url: string, options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(url, options);
  }

  /**
   * Uses a repository at GitHub or GitHub Enterprise, with an app or a token that publishes from outside of the sessions.
   *
   * @param fullName The owner and the name of the repository, such as `octo/shop`
   * @param options The app, and options for the repository
   */
  public static fromGitHub(fullName: string, options: GitHubRepositoryOptions): GitRepository {
    const { app, ...rest } = options;
    return new GitRepository(`${app._host}/${fullName}.git`, { ...rest, forge: app }, fullName);
  }

  /**
   * Reads the repository from the input of each run: `{ "repository": { "url": "…", "ref": "…" } }`.
   *
   * Anyone who can start runs thereby determines the host to which git sends the credentials of the session. Use `allow` to limit the URLs. Without
   * it, all https URLs are accepted, and synthesis emits the warning `cdk-agentcore-workbench:anyRepository`.
   *
   * @param options Options for the repository
   */
  public static fromInput(options: GitRepositoryOptions = {}): GitRepository {
    return new GitRepository(undefined, options);
  }

  private constructor(
    /** The URL of the repository, or `undefined` if it is read from the input. */
    public readonly url: string | undefined,
    private readonly options: GitRepositoryOptions,
    private readonly fullName?: string,
  ) {}

  /** The branch, tag or commit that each run starts from. By default, the default branch of the remote. */
  public get ref(): string | undefined {
    return this.options.ref;
  }

  /** The number of commits to clone with their contents, or 0 for all. By default, all commits with only the contents of the newest one. */
  public get depth(): number | undefined {
    return this.options.depth;
  }

  /** Determines whether a run initializes submodules. */
  public get submodules(): boolean {
    return this.options.submodules ?? false;
  }

  /** Patterns of the URLs that the input of a run may contain. */
  public get allow(): string[] | undefined {
    return this.options.allow;
  }

  /** The forge of the repository. */
  public get forge(): Forge | undefined {
    return this.options.forge;
  }

  /** The patterns of the repositories that runs may use. @internal */
  public get _patterns(): string[] {
    return [...this.url === undefined ? [] : [this.url], ...this.allow ?? []];
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
    const { url, ref, depth, allow, fullName } = this;
    const known = (value: string | undefined): value is string => value !== undefined && !Token.isUnresolved(value);
    return [
      ...(url !== undefined && (hasCredentials(url) || (known(url) && !isRepositoryUrl(url)))
        ? [`${repositoryUrlFault(url)}: credentials come from the image's credential helper or the execution role`] : []),
      ...(allow ?? []).filter(known).flatMap((pattern) => patternFault(pattern) ?? []),
      ...(known(fullName) && !/^[A-Za-z0-9-]{1,100}\/(?!\.+$)(?!.*\.git$)[A-Za-z0-9._-]{1,100}$/.test(fullName)
        ? [`the name of the repository must be its owner and its name, not "${fullName}": write it like "octo/shop"`] : []),
      ...this.forge?._faults() ?? [],
      ...(this.forge !== undefined && known(url) && !(url.startsWith('https://') && isAllowedRepository(url, [url]))
        ? [`"repository" must be a plain https URL, since it has a forge, not "${url}": write it like "https://git.example.com/team/app.git"`] : []),
      ...(this.forge === undefined ? [] : (allow ?? []).filter((pattern) => known(pattern) && !pattern.startsWith('https://'))
        .map((pattern) => `"allow" must have https URLs, since the credential of the forge is sent to them, not "${pattern}": write it like "https://git.example.com/team/*"`)),
      ...(this.forge !== undefined && url === undefined && allow === undefined
        ? ['"allow" must limit the repositories of the input, since the credential of the forge is sent to them: write it like ["https://git.example.com/team/*"]'] : []),
      ...(known(ref) && !isRef(ref) ? [`"ref" must be a branch, a tag or a commit, not "${ref}": correct it`] : []),
      ...(depth === undefined || Token.isUnresolved(depth) || (Number.isInteger(depth) && depth >= 0) ? [] : [`"depth" must be a whole number, not ${depth}: use 0 for all of the history`]),
    ];
  }
}
