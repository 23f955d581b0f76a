import type { ForgeDescription } from './forge-description';
import type { BranchCommit, CommitDescription } from './local-repository';
import { PUT_AWAY } from './notes';
import type { Step } from './step';
import { AGENT_ERRORS } from '../../src/agent/constants';
import { OUTCOMES } from '../../src/loop/steps/constants';
import type { RunRecord } from '../../src/loop/steps/records';
import { named } from '../../src/loop/steps/results';
import type { AgentStart } from '../agentcore/describe-start-failure';
import type { MissingPermission } from '../iam/policies';
import type { RolloutDescription } from '../rollout/rollout';
import type { Definition } from '../stepfunctions';

/** Everything that is known of a run when it has ended: what `--json` prints, and what the report is made of. */
export interface RehearsalRecord {
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
  readonly repository: {
    readonly source: string;
    /** The bare copy, which the run cloned from and pushed to. */
    readonly copy: string;
    readonly branch: string;
    readonly commit: string;
    readonly uncommittedFiles: number;
    /** The first few of them. */
    readonly uncommittedNames?: readonly string[];
  };
  readonly commit?: CommitDescription & {
    readonly branch: string;
    /** All that the branch has on top of what it started from, the newest first; empty if that is not known. */
    readonly commits: readonly BranchCommit[];
  };
  /** The state of the forge after the run. Missing if the loop has no forge. */
  readonly forge?: ForgeDescription;
  readonly session?: SessionDescription;
  /** Requests of the run's session; other sessions of the same rehearsal have theirs in their own records. */
  readonly calls: readonly CallDescription[];
  /** The rollouts that preceded the first run of the rehearsal. */
  readonly rollouts: readonly RolloutDescription[];
  /** Injected faults that struck the calls. */
  readonly faults: readonly string[];
  /** Warnings about the run's session. */
  readonly warnings: readonly string[];
  /** Calls that the template's policies do not allow, with the statements that would: of the whole rehearsal so far, since each is told once. */
  readonly missingPermissions: readonly MissingPermission[];
  /** Names of variables of the rehearsal whose values the commit would have held: it was not made. */
  readonly withheld?: readonly string[];
  /** Seconds that the run's session would be charged for. */
  readonly sessionSeconds: number;
}

/** Determines whether a run did what it was asked for. An unknown outcome is not good. */
export function isGood({ outcome, error }: Pick<RehearsalRecord, 'outcome' | 'error'>): boolean {
  return error === undefined && (outcome === OUTCOMES.COMMITTED || outcome === OUTCOMES.NO_CHANGES);
}

/** Says when a run ended, such as `after 2 turns in 8.1 s`. A turn during which the run ended is not counted. */
export function endOf({ steps, outcome, error, seconds }: Pick<RehearsalRecord, 'steps' | 'outcome' | 'error' | 'seconds'>): string {
  const time = `${seconds.toFixed(1)} s`;
  const turns = new Set(steps.filter(({ kind }) => kind === 'turn').map(({ round }) => round)).size;
  const last = steps.filter(({ kind }) => kind !== 'stop').at(-1);
  if (turns === 0) return `before the first turn, after ${time}`;
  if (!isGood({ outcome, error }) && last?.kind === 'turn') return `in turn ${last.round + 1}, after ${time}`;
  return `after ${turns} ${turns === 1 ? 'turn' : 'turns'} in ${time}`;
}

/** Explains outcomes that are not clear by themselves, a sentence each. */
export function meaningOf({ outcome, output }: Pick<RehearsalRecord, 'outcome' | 'output'>): string[] {
  const { findings: { putAway } = {}, gates = [] } = output ?? {};
  return [
    ...outcome === OUTCOMES.NO_CHANGES ? ['the agent changed nothing, and all gates pass on the files as they were'] : [],
    ...outcome === OUTCOMES.COMMITTED && gates.length > 0 && gates.every(({ greenBefore }) => greenBefore)
      ? [`${gates.length === 1 ? 'the gate was' : 'all gates were'} green before the agent started: that ${gates.length === 1 ? 'it passes' : 'they pass'} now proves nothing about the task`] : [],
    ...putAway === undefined ? [] : [`${PUT_AWAY}: ${named(putAway).join(', ')}`],
  ];
}

/** An error in one line: what follows is the output that it quotes. */
export function summaryOf(message: string): string {
  return message.trim().split('\n')[0].replace(/:\s*$/, '');
}

/** The message of a run's error. A step that failed shows the output that its message quotes; that of an agent's error says what to do. */
export function messageOf({ steps, error }: Pick<RehearsalRecord, 'steps' | 'error'>): string {
  const { name, message } = error!;
  const isOfAgent = (Object.values(AGENT_ERRORS) as string[]).includes(name);
  return !isOfAgent && steps.some((step) => step.error?.message === message) ? summaryOf(message) : message;
}

/** The error of a failed step, without the output that the step shows itself. */
export function errorOf({ error, output, log }: Step): string | undefined {
  if (error === undefined) return undefined;
  const isShown = (output ?? '') !== '' || (log ?? '') !== '';
  return `${error.name}: ${isShown ? summaryOf(error.message) : error.message.trim()}`;
}

export interface SessionDescription {
  readonly id: string;
  readonly runtimeArn: string;
  readonly endpointName?: string;
  readonly mount: string;
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

/** One request of a handler to AgentCore. */
export interface CallDescription {
  readonly operation: string;
  readonly milliseconds: number;
  readonly outcome: string;
}
