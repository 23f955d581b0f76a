/** Options of a commit. */
export interface CommitOptions {
  /**
   * The commit's message. `{prompt}` is the prompt's first line, `{taskId}` the task, `{run}` the execution's name. Trailers
   * with the run and the gates come below it.
   *
   * @default '{prompt}'
   */
  readonly message?: string;

  /**
   * What the branch is called, before the task's id.
   *
   * @default 'workbench/'
   */
  readonly branchPrefix?: string;

  /**
   * Who the author and committer is.
   *
   * @default 'AgentCore Workbench'
   */
  readonly authorName?: string;

  /**
   * The author's e-mail address.
   *
   * @default 'workbench@localhost' - no address that could be somebody's
   */
  readonly authorEmail?: string;
}

/** What becomes of a change that has passed all gates. */
export class Commit {
  /** Commits and pushes the branch, with what the image has: a credential helper, or an ssh key that the execution role may read. */
  public static push(options: CommitOptions = {}): Commit {
    return new Commit(true, options);
  }

  /** Commits in the workspace only. */
  public static locally(options: CommitOptions = {}): Commit {
    return new Commit(false, options);
  }

  private constructor(
    /** Whether the branch is pushed. */
    public readonly pushes: boolean,
    private readonly options: CommitOptions,
  ) {}

  /** @internal */
  public _config() {
    const { message = '{prompt}', branchPrefix = 'workbench/', authorName = 'AgentCore Workbench', authorEmail = 'workbench@localhost' } = this.options;
    return { message, branchPrefix, author: { name: authorName, email: authorEmail } };
  }
}
