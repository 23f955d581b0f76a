/** The base of the run's branch. */
export interface UpstreamRecord {
  /** The branch, tag or commit of the remote that the run starts from. Missing if none was named and the default branch is not known. */
  readonly ref?: string;
  /** The commit of `ref` that the run's branch is based on: every later commit belongs to the branch. */
  readonly base: string;
  /** The commit of `ref` at the remote when the run started, if the branch does not contain it: `session.update` merges it. */
  readonly tip?: string;
  /** The number of commits that the branch is behind `tip`. Missing if the clone has too little history to count them. */
  readonly behind?: number;
  /** The commit that the branch was based on before `session.update`. */
  readonly updatedFrom?: string;
}

/** A pull request, or what a forge has in its place. */
export interface PullRequestRecord {
  /** The number of the pull request in its repository. */
  readonly number: number;
  /** The URL of its page. */
  readonly url: string;
  /** True if the branch had one already: it was updated. */
  readonly found?: boolean;
  /** Parts that the forge refused, such as a reviewer that it does not know. */
  readonly warnings?: readonly string[];
}
