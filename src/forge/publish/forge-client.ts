import { ForgeUse } from '../../loop/steps/loop-config';

/** A user and a password for git. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** The content of a pull request. */
export interface PullRequestContent {
  /** The branch with the change. */
  readonly head: string;
  /** The branch that the change is for. */
  readonly base: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly draft: boolean;
  readonly labels: readonly string[];
  /** Names of users. */
  readonly reviewers: readonly string[];
  /** Names of teams. */
  readonly teamReviewers: readonly string[];
  /** The way in which the forge merges once its rules are met; undefined if a person merges. */
  readonly autoMerge?: 'MERGE' | 'SQUASH' | 'REBASE';
}

/** A pull request at the forge. */
export interface PullRequest {
  readonly number: number;
  readonly url: string;
  /** True if there was one already. */
  readonly found?: true;
  /** Parts that the forge refused, such as a reviewer that it does not know: the pull request is there all the same. */
  readonly warnings?: readonly string[];
}

/** The result of a gate, as it is shown beside a commit. */
export interface GateStatus {
  readonly name: string;
  /** `success`, or `neutral` for a gate that passes only because its failures are known. */
  readonly conclusion: 'success' | 'neutral';
  /** One line. */
  readonly title: string;
  /** Markdown, with the end of the output. */
  readonly summary: string;
}

/**
 * A forge, as the publisher uses it for one repository. Every method may be repeated: it finds what an earlier call made.
 *
 * Methods throw a `ForgeError`, whose `quote` has the forge's own words.
 */
export interface ForgeClient {
  /** Returns the value of the header `authorization` with which git pushes. @param wasRefused true if the remote did not accept the last one */
  pushAuthorization(wasRefused?: boolean): Promise<string>;
  /** Returns the credential with which a session fetches, which cannot write; undefined if the forge has none for it. */
  fetchCredential(): Promise<Credential | undefined>;
  /** Throws if it is known that pushes, or what else is to be done, will be refused: no permission, an archived repository. */
  check(uses?: readonly ForgeUse[]): Promise<void>;
  /** Makes a pull request, or updates the open one of its branch. */
  pullRequest?(content: PullRequestContent): Promise<PullRequest>;
  /** Shows the results of gates beside a commit. */
  report?(commit: string, gates: readonly GateStatus[]): Promise<void>;
  /** Writes a comment on an issue or a pull request, or updates the one with the same marker. @param marker text that nobody sees */
  comment?(issue: number, marker: string, body: string): Promise<void>;
  /** Makes a commit by the forge's API, which signs it. Returns its ID. Throws if its tree is another one. */
  signedCommit?(commit: { readonly tree: string; readonly parents: readonly string[]; readonly message: string }): Promise<string>;
}
