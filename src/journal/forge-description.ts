/** A pull request, as a run left it. */
export interface PullRequestDescription {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
  readonly labels: readonly string[];
  readonly reviewers: readonly string[];
  readonly teams: readonly string[];
  /** The method with which the forge would merge it. */
  readonly autoMerge?: string;
}

/** A request to the forge. It has no credential. */
export interface ForgeRequestDescription {
  /** Such as `POST /octo/shop.git/git-receive-pack`. */
  readonly name: string;
  /** The name of the user, if a repository was reached. */
  readonly login?: string;
  /** The status of the reply; undefined if the connection was cut before. */
  readonly status?: number;
  /** The faults that struck. */
  readonly faults: readonly (string | number)[];
}

/** The forge of a run, as the run left it. */
export interface ForgeDescription {
  /** `owner/name`. */
  readonly repository: string;
  readonly pullRequest?: PullRequestDescription;
  /** The check runs and the statuses of the run's commit. */
  readonly checks: readonly { readonly name: string; readonly conclusion: string; readonly title?: string; readonly summary?: string }[];
  /** The comments that the run wrote. */
  readonly comments: readonly { readonly issue: number; readonly body: string }[];
  /** The requests of the run. */
  readonly requests: readonly ForgeRequestDescription[];
}
