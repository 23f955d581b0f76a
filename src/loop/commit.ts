import { Token } from 'aws-cdk-lib';
import { isRef } from './steps/git-names';

/** Longest template of a message, in characters: it travels in a command, beside the script that makes the commit. */
const MESSAGE_LENGTH = 4_096;

/** Options of a commit. */
export interface CommitOptions {
  /**
   * The commit's message. `{prompt}` is the prompt's first line, `{taskId}` the task, `{run}` the run's id, which begins with
   * the execution's name. Trailers with the run and the gates come below it. At most 4,096 characters.
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
  public _faults(): string[] {
    const { message, branchPrefix, author } = this._config();
    const known = (value: string) => !Token.isUnresolved(value);
    // What git takes for a name or an address: it would leave out these characters, or refuse what is then empty.
    const refused = (value: string) => known(value) && (value.trim() === '' || /[<>\n\0]/.test(value));
    return [
      ...(known(branchPrefix) && !isRef(`${branchPrefix}task`)
        ? [`"branchPrefix" is "${branchPrefix}", which does not begin the name of a branch: use letters, digits, "-" and "/"`] : []),
      ...(refused(author.name) ? [`"authorName" is "${author.name}", text without "<", ">" and line ends is allowed: change it`] : []),
      ...(refused(author.email) ? [`"authorEmail" is "${author.email}", text without "<", ">" and line ends is allowed: change it`] : []),
      ...(known(message) && message.trim() === '' ? ['"message" is empty: leave it out, for the first line of the prompt'] : []),
      ...(known(message) && message.length > MESSAGE_LENGTH
        ? [`"message" has ${message.length} characters, ${MESSAGE_LENGTH} are allowed: shorten it`] : []),
    ];
  }

  /** @internal */
  public _config() {
    const { message = '{prompt}', branchPrefix = 'workbench/', authorName = 'AgentCore Workbench', authorEmail = 'workbench@localhost' } = this.options;
    return { message, branchPrefix, author: { name: authorName, email: authorEmail } };
  }
}
