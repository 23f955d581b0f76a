import { PROTECTED_ACTIONS } from './constants';
import { OperateConfig } from '../../operate/constants';

/** The configuration of a verification. */
export interface VerificationConfig {
  /** The ARN of the runtime, if it is not the agent's. */
  readonly runtimeArn?: string;
  /** The endpoint of that runtime. */
  readonly endpointName?: string;
  /** The maximum size of the change as a pack, in bytes. */
  readonly packBytes: number;
  /** The user of commands: always one of their own if the image can do that, or unless the bootstrap needs more rights, or never. */
  readonly separateUser: 'always' | 'where possible' | 'never';
  /** The maximum number of sessions that a run may start for verifications. */
  readonly attempts: number;
}

/** The configuration of a loop that more than one step needs. */
export interface LoopConfig {
  /** The loop's name in metrics. */
  readonly name: string;
  readonly mount: string;
  /** True if several sessions may share the workspace, as on a file system of the user's. */
  readonly shared?: boolean;
  readonly endpointName?: string;
  /** The number of commits to fetch; 0 for all. */
  readonly depth: number;
  /** True to fetch all of the history as well, without the contents of earlier versions. */
  readonly history?: boolean;
  /** True to initialize submodules. */
  readonly submodules?: boolean;
  readonly author: { readonly name: string; readonly email: string };
  /** True to push the run's branch. */
  readonly push: boolean;
  /** The verification in a session of its own; missing if the loop has none. */
  readonly verification?: VerificationConfig;
  /** True if the gates run on the base before the first turn. */
  readonly checkBase?: boolean;
  /** True if failures that are known from the base do not fail a gate. */
  readonly knownFailures?: boolean;
  readonly environment?: { readonly [name: string]: string };
  /** The forge of the repository; missing if sessions push with a credential of their own. */
  readonly forge?: LoopForge;
  /** The parts for the people who operate the loop; missing if it has none of them. */
  readonly operate?: OperateConfig;
}

/** A use of a forge beside the push. */
export type ForgeUse = 'pullRequest' | 'report' | 'comment';

/** The forge of a loop's repository. */
export interface LoopForge {
  /** The ARN of the publisher's function. */
  readonly publisher: string;
  /** True if sessions read with a token of the forge. */
  readonly reads: boolean;
  /** The uses of the forge beside the push. */
  readonly uses: readonly ForgeUse[];
  /** The branch that pull requests are for, if it is not the one that a run starts from. */
  readonly base?: string;
  /** True if the forge has issues that a run can comment on. */
  readonly comments: boolean;
}

/** The files that a loop protects from the agent. */
export interface ProtectConfig {
  /** Pathspecs, as git reads them at the root of the repository. */
  readonly paths: readonly string[];
  readonly onChange: keyof typeof PROTECTED_ACTIONS;
}

/** The pull request of a loop. */
export interface ProposalConfig {
  /** The branch that the change is for. @default - the branch that the run starts from */
  readonly base?: string;
  readonly draft?: boolean;
  /** True if the forge makes the commit, and signs it. */
  readonly signed?: boolean;
  /** A template. @default - the subject of the commit */
  readonly title?: string;
  /** Text above the report of the run, in Markdown. A template. */
  readonly body?: string;
  readonly labels?: readonly string[];
  readonly reviewers?: readonly string[];
  readonly teamReviewers?: readonly string[];
  readonly autoMerge?: 'MERGE' | 'SQUASH' | 'REBASE';
}
