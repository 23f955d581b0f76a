import type { AgentStart } from './agent-start';
import type { Definition } from './definition';
import type { ForgeDescription } from './forge-description';
import type { RolloutDescription } from './rollout-description';
import type { Step } from './step';
import type { RunRecord } from '../loop/steps/records';

/**
 * Everything that is known of a run when it has ended: what `--json` prints, and what the story and the report are made of. What not every
 * source knows is optional.
 */
export interface RunDescription {
  /** Name of the execution. */
  readonly id: string;
  readonly loop: string;
  /** `COMMITTED`, `NO_CHANGES`, `INTERRUPTED`, or the name of the error that the execution failed with. */
  readonly outcome: string;
  readonly error?: { readonly name: string; readonly message: string };
  /** Present if a run failed because its agent did not start. */
  readonly agentStart?: AgentStart;
  readonly startedAt: string;
  readonly seconds: number;
  readonly input: { readonly prompt: string; readonly taskId: string };
  /** The execution's own output, or the record in the cause of its failure. */
  readonly output?: RunRecord;
  readonly steps: readonly Step[];
  /** States in the order in which they were entered. */
  readonly path: readonly string[];
  readonly transitions: number;
  readonly definition: Definition;
  readonly repository?: RepositoryDescription;
  readonly commit?: RunCommitDescription;
  /** The state of the forge after the run. Missing if the loop has no forge. */
  readonly forge?: ForgeDescription;
  readonly session?: RunSessionDescription;
  /** Requests of the run's session; other sessions have theirs in their own records. */
  readonly calls?: readonly CallDescription[];
  /** The rollouts that preceded the run. */
  readonly rollouts?: readonly RolloutDescription[];
  /** Injected faults that struck the calls. */
  readonly faults?: readonly string[];
  /** Warnings about the run's session. */
  readonly warnings: readonly string[];
  /** Calls that the template's policies do not allow, with the statements that would. */
  readonly missingPermissions?: readonly MissingPermission[];
  /** Names of variables of the rehearsal whose values the commit would have held: it was not made. */
  readonly withheld?: readonly string[];
  /** Seconds that the run's session would be charged for. Missing if not known. */
  readonly sessionSeconds?: number;
}

/** A run as the command line prints it with `--json`. */
export interface PrintedRun extends Omit<RunDescription, 'definition'> {
  /** The path of the report. */
  readonly report?: string;
}

/** The repository of a run. */
export interface RepositoryDescription {
  readonly source: string;
  readonly branch?: string;
  readonly commit?: string;
  /** The bare copy, which a rehearsed run cloned from and pushed to. */
  readonly copy?: string;
  /** The number of files that a rehearsed run did not see. */
  readonly uncommittedFiles?: number;
  /** The first few of them. */
  readonly uncommittedNames?: readonly string[];
}

/** The commit of a run, with as much of its contents as is known. */
export interface RunCommitDescription {
  readonly id: string;
  readonly branch: string;
  readonly tree?: string;
  readonly message?: string;
  /** The output of `git show --stat`. */
  readonly stat?: string;
  readonly patch?: string;
  /** All that the branch has on top of what it started from, the newest first; empty if that is not known. */
  readonly commits?: readonly BranchCommit[];
}

/** A commit of a run's branch. */
export interface BranchCommit {
  /** Abbreviated. */
  readonly id: string;
  readonly subject: string;
}

/** The session of a run. */
export interface RunSessionDescription {
  readonly id: string;
  readonly runtimeArn: string;
  readonly endpointName?: string;
  readonly mount: string;
  /** The workspace of a rehearsed run on this machine; empty if it was on the session's own disk. */
  readonly workspace?: string;
}

/** One request of a handler to AgentCore. */
export interface CallDescription {
  readonly operation: string;
  readonly milliseconds: number;
  readonly outcome: string;
}

/** A call that the template's policies do not allow. */
export interface MissingPermission {
  /** The logical ID of the role. */
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  /** The statement that would allow the action. */
  readonly statement: string;
}
