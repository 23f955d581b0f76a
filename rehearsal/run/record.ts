import type { ForgeDescription } from './forge-description';
import type { CommitDescription } from './local-repository';
import type { RolloutDescription } from '../../src/journal/rollout-description';
import type { BranchCommit, CallDescription, MissingPermission, RepositoryDescription, RunDescription, RunSessionDescription } from '../../src/journal/run-description';

/** Everything that is known of a rehearsed run when it has ended. */
export interface RehearsalRecord extends RunDescription {
  readonly repository: Required<Omit<RepositoryDescription, 'uncommittedNames'>> & Pick<RepositoryDescription, 'uncommittedNames'>;
  readonly commit?: CommitDescription & {
    readonly branch: string;
    readonly commits: readonly BranchCommit[];
  };
  readonly forge?: ForgeDescription;
  readonly session?: SessionDescription;
  readonly calls: readonly CallDescription[];
  readonly rollouts: readonly RolloutDescription[];
  readonly faults: readonly string[];
  /** Those of the whole rehearsal so far, since each is told once. */
  readonly missingPermissions: readonly MissingPermission[];
  readonly sessionSeconds: number;
}

/** The session of a rehearsed run. */
export interface SessionDescription extends RunSessionDescription {
  /** The workspace on this machine; empty if it was on the session's own disk. */
  readonly workspace: string;
  /** The mounts of the session, and their directories on this machine. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  readonly sandbox: SandboxDescription;
}

/** The sandbox of a session's microVMs, so that another one like it can be made. */
export interface SandboxDescription {
  /** `namespace` or `container`. */
  readonly kind: string;
  /** The command line tool and the image, for containers. */
  readonly tool?: string;
  readonly image?: string;
  /** Number of the user that its commands run as, if that was asked for. */
  readonly user?: number;
}
