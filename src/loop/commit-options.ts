import { Token } from 'aws-cdk-lib';
import { isRef } from './steps/git-names';
import { faultsOf, Rule } from '../private/validation';

/** Options for `Commit.push` and `Commit.local`. */
export interface CommitOptions {
  /**
   * The message of the commit, at most 4,096 characters. Trailers with the run and the gates are added to it.
   *
   * `{prompt}` is replaced with the first line of the prompt, `{taskId}` with the ID of the task, and `{run}` with the ID of the run, which starts
   * with the name of the execution.
   *
   * @default '{prompt}'
   */
  readonly message?: string;

  /**
   * The part of the branch's name that comes before the ID of the task.
   *
   * @default 'workbench/'
   */
  readonly branchPrefix?: string;

  /**
   * The name of the author and committer, without "<", ">" and line breaks.
   *
   * @default 'AgentCore Workbench'
   */
  readonly authorName?: string;

  /**
   * The email address of the author and committer, without "<", ">" and line breaks.
   *
   * @default 'workbench@localhost' - an address that belongs to nobody
   */
  readonly authorEmail?: string;
}

/** The way in which a forge merges a pull request. */
export enum MergeMethod {
  /** Makes a merge commit. */
  MERGE = 'MERGE',
  /** Makes one commit of all commits of the branch. */
  SQUASH = 'SQUASH',
  /** Puts the commits of the branch on top of the base. */
  REBASE = 'REBASE',
}

/** Options for `Commit.pullRequest`. */
export interface PullRequestOptions extends CommitOptions {
  /**
   * The branch that the change is for.
   *
   * @default - the branch that the run starts from
   */
  readonly base?: string;

  /**
   * Determines whether the pull request is a draft.
   *
   * @default false
   */
  readonly draft?: boolean;

  /**
   * The title, with the same placeholders as `message`. Forges show at most 256 characters.
   *
   * @default - the subject of the commit
   */
  readonly title?: string;

  /**
   * Text above the report of the run, in Markdown, with the same placeholders as `message`. At most 8,192 characters.
   *
   * @default - the report only
   */
  readonly body?: string;

  /**
   * Determines whether GitHub makes the commit, and signs it, for branches whose rules demand signed commits. It needs a `GitHubApp`. The author and
   * the committer are then the app, not `authorName`.
   *
   * @default false - the publisher makes the commit, and does not sign it
   */
  readonly signed?: boolean;

  /**
   * Labels of the pull request. They are added to those that it has.
   *
   * @default - no labels
   */
  readonly labels?: string[];

  /**
   * Names of users who are asked for a review.
   *
   * @default - nobody, apart from the code owners that the forge asks itself
   */
  readonly reviewers?: string[];

  /**
   * Names of teams that are asked for a review. GitLab has none.
   *
   * @default - no teams
   */
  readonly teamReviewers?: string[];

  /**
   * The method with which the forge merges the pull request by itself, once the rules of the base branch are met. Without such rules, nothing stops
   * the merge: forges refuse it, or merge at once.
   *
   * @default - a person merges
   */
  readonly autoMerge?: MergeMethod;
}

/** The parts of the options that are about the pull request. */
export type Proposal = Omit<PullRequestOptions, keyof CommitOptions>;

/** Returns the parts of the options that are about the pull request. */
export function proposalOf(options: PullRequestOptions): Proposal {
  const { message: _message, branchPrefix: _prefix, authorName: _name, authorEmail: _email, ...proposal } = options;
  return proposal;
}

const known = (value: string) => !Token.isUnresolved(value);

const PROPOSAL_RULES: readonly Rule<Proposal>[] = [
  {
    broken: ({ base }) => base !== undefined && known(base) && !isRef(base),
    message: ({ base }) => `"base" must be the name of a branch, not "${base}": correct it`,
  },
  {
    broken: ({ title }) => title !== undefined && known(title) && (title.trim() === '' || title.length > 256 || title.includes('\n')),
    message: () => '"title" must be one line of 1 to 256 characters: change it, or leave it out for the subject of the commit',
  },
  {
    broken: ({ body }) => body !== undefined && known(body) && body.length > 8_192,
    message: ({ body }) => `"body" must have at most 8192 characters, not ${body!.length}: shorten it`,
  },
  {
    broken: ({ labels, reviewers, teamReviewers }) => [labels, reviewers, teamReviewers].some((names) => names?.some((name) => known(name) && name.trim() === '')),
    message: () => '"labels", "reviewers" and "teamReviewers" must not have empty names: remove them',
  },
  {
    broken: ({ draft, autoMerge }) => draft === true && autoMerge !== undefined,
    message: () => '"autoMerge" must not come with "draft", since forges do not merge drafts: leave one of them out',
  },
];

/** Returns what is wrong with the options of a pull request. */
export function proposalFaults(proposal: Proposal): string[] {
  return faultsOf(proposal, PROPOSAL_RULES);
}
