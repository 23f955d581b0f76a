import { Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { CommitOptions, Proposal, proposalFaults, proposalOf, PullRequestOptions } from './commit-options';
import { LoopGraph } from './loop-graph';
import { NEXT, STEPS } from './steps/constants';
import { isRef } from './steps/git-names';
import { faultsOf, Rule } from '../private/validation';

/** The maximum length of a message's template, in characters: it travels in a command, beside the script that makes the commit. */
const MESSAGE_LENGTH = 4_096;

/** States that follow a commit. */
interface CommitWays {
  /** The run is done. */
  readonly done: sfn.State;
  /** Others have pushed: the change is recorded again on top of theirs. */
  readonly record: sfn.State;
}

/** Determines how a loop commits a change that has passed all gates. */
export abstract class Commit {
  /**
   * Commits the change on a branch for the task, and pushes the branch.
   *
   * If the repository has a forge, its publisher pushes. Otherwise, the session does, with the credentials that the image provides, such as a
   * credential helper, or an SSH key that the execution role can read.
   *
   * @param options Options for the commit
   */
  public static push(options: CommitOptions = {}): Commit {
    return new PushedCommit(options);
  }

  /**
   * Commits the change on a branch for the task, pushes the branch and opens a pull request, or updates the one that is open. The repository needs a
   * forge that has pull requests: `GitHubApp`, `GitHub` or `GitLab`.
   *
   * Its description is the report of the run: the task, files of the change that usually judge it, and each gate's verdict in both sessions.
   *
   * @param options Options for the commit and the pull request
   */
  public static pullRequest(options: PullRequestOptions = {}): Commit {
    return new PullRequestCommit(options);
  }

  /**
   * Commits the change in the workspace, without pushing it.
   *
   * @param options Options for the commit
   */
  public static local(options: CommitOptions = {}): Commit {
    return new LocalCommit(options);
  }

  /** Determines whether the loop pushes the branch. */
  public abstract readonly pushes: boolean;

  /** @internal */
  public abstract readonly _options: CommitOptions;

  /** The configuration of the pull request, if the commit has one. @internal */
  public readonly _proposal?: Proposal;

  /** @internal */
  public get _message(): string {
    return this._options.message ?? '{prompt}';
  }

  /** @internal */
  public get _branchPrefix(): string {
    return this._options.branchPrefix ?? 'workbench/';
  }

  /** @internal */
  public get _author(): { readonly name: string; readonly email: string } {
    const { authorName: name = 'AgentCore Workbench', authorEmail: email = 'workbench@localhost' } = this._options;
    return { name, email };
  }

  /** @internal */
  public _faults(): string[] {
    return faultsOf<Commit>(this, COMMIT_RULES);
  }

  /**
   * Creates the states that commit.
   *
   * @internal
   */
  public abstract _bind(graph: LoopGraph, gates: readonly string[], ways: CommitWays): sfn.State;

  /** @internal */
  protected _step(graph: LoopGraph, stateName: string, gates: readonly string[]): sfn.TaskStateBase {
    const request = { message: this._message, gates, ...(this._proposal === undefined ? {} : { proposal: this._proposal }) };
    return graph.caught(graph.step('Commit', stateName, STEPS.COMMIT, request));
  }
}

class PushedCommit extends Commit {
  public readonly pushes = true;
  protected readonly stateName: string = 'Commit and push';

  constructor(public readonly _options: CommitOptions) {
    super();
  }

  public _bind(graph: LoopGraph, gates: readonly string[], { done, record }: CommitWays): sfn.State {
    return this._step(graph, this.stateName, gates)
      .next(graph.choice('Pushed', 'Is it pushed?', [[NEXT.GO_ON, done], [NEXT.NO_CHANGES, done], [NEXT.AGAIN, record]])).startState;
  }
}

class PullRequestCommit extends PushedCommit {
  public readonly _proposal: Proposal;
  protected readonly stateName = 'Commit and open a pull request';

  constructor(options: PullRequestOptions) {
    super(options);
    this._proposal = proposalOf(options);
  }

  public _faults(): string[] {
    return [...super._faults(), ...proposalFaults(this._proposal)];
  }
}

class LocalCommit extends Commit {
  public readonly pushes = false;

  constructor(public readonly _options: CommitOptions) {
    super();
  }

  public _bind(graph: LoopGraph, gates: readonly string[], { done }: CommitWays): sfn.State {
    return this._step(graph, 'Commit', gates).next(done).startState;
  }
}

const known = (value: string) => !Token.isUnresolved(value);

/** git leaves these characters out of a name or an address, or refuses what is left. */
const isRefused = (value: string) => known(value) && (value.trim() === '' || /[<>\n\0]/.test(value));

const COMMIT_RULES: readonly Rule<Commit>[] = [
  {
    broken: ({ _branchPrefix }) => known(_branchPrefix) && !isRef(`${_branchPrefix}task`),
    message: ({ _branchPrefix }) => `"branchPrefix" must be the start of a valid branch name, not "${_branchPrefix}": use letters, digits, "-" and "/"`,
  },
  {
    broken: ({ _author }) => isRefused(_author.name),
    message: ({ _author }) => `"authorName" must be text without "<", ">" and line breaks, not "${_author.name}": change it`,
  },
  {
    broken: ({ _author }) => isRefused(_author.email),
    message: ({ _author }) => `"authorEmail" must be text without "<", ">" and line breaks, not "${_author.email}": change it`,
  },
  {
    broken: ({ _message }) => known(_message) && _message.trim() === '',
    message: () => '"message" must not be empty: leave it out for the first line of the prompt',
  },
  {
    broken: ({ _message }) => known(_message) && _message.length > MESSAGE_LENGTH,
    message: ({ _message }) => `"message" must have at most ${MESSAGE_LENGTH} characters, not ${_message.length}: shorten it`,
  },
];
