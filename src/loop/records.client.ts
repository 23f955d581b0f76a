import { LOOP_ERRORS, NEXT, WORKSPACES } from './constants';
import { NameList } from './results.client';
import { Verdict } from '../session/verdict.client';
import { maskSecrets } from '../shared/mask.client';

/** What a run is started with. */
export interface LoopInput {
  readonly prompt: string;
  readonly taskId: string;
  readonly repository?: { readonly url?: string; readonly ref?: string };
  readonly session?: { readonly id: string; readonly endpointName?: string; readonly execution?: string };
}

/** Where a run is at work. */
export interface SessionRecord {
  readonly id: string;
  readonly endpointName?: string;
  /** Name of the execution that made the session, where the id does not begin with all of it. */
  readonly execution?: string;
  /**
   * Whether the workspace is the run's own, or that of an earlier run. `NEW` in a session that was to be gone on with means that its
   * storage had expired or was emptied. Not there before the first step has ended.
   */
  readonly workspace?: typeof WORKSPACES[keyof typeof WORKSPACES];
}

/** What does not change during a run. Made by the first step, carried by the state machine. */
export interface RunRecord {
  /** Begins with the execution's name: who holds the workspace, and a part of every job's identity. */
  readonly id: string;
  /** Random. Names the results of the workspace's script; no session gets to see it. */
  readonly key: string;
  readonly taskId: string;
  readonly session: SessionRecord;
  readonly mount: string;
  readonly workspace: string;
  readonly repository: { readonly url: string; readonly ref?: string };
  readonly branch: string;
  /** The commit that the run began on. Not there before the first step has ended. */
  readonly base?: string;
  /** Seconds since the epoch. Also the date of the run's commits, so that a repeat makes the same commit. */
  readonly startedAt: number;
  /** Seconds since the epoch: after it no step begins. */
  readonly deadline: number;
}

export interface GateRecord {
  readonly name: string;
  readonly verdict: Verdict;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly logPath: string;
  /** Files that it left, and that git neither has nor ignores: moved out of the clone. */
  readonly left?: NameList;
}

/** What is in the clone beside the change: no commit can hold it, and a fresh clone will not have it. */
export interface Findings {
  /** Ignored files that were not there when the agent began. The agent is told once; after that they are moved out of the clone. */
  readonly ignored?: NameList;
  /** Directories without a file. Removed before the gates. */
  readonly empty?: NameList;
  /** Symbolic links of the change that lead out of the clone. The agent is told once. */
  readonly links?: NameList;
}

/** Why the agent is asked again. */
export interface Feedback {
  readonly gate: string;
  readonly command: string;
  readonly verdict: Verdict;
  readonly exitCode: number | null;
  readonly output: string;
  readonly logPath: string;
  /** The repair that this is for, from 1. */
  readonly repair: number;
  readonly maxRepairs: number;
  /** Files that the gate changed, or somebody while it ran. */
  readonly changedFiles?: readonly string[];
  /** What was found in the clone beside the change. */
  readonly findings?: Findings;
}

/** A job that outlived the function: with the timeout that it was started with, and when it is over its time by the driver's clock. */
export interface RunningJob {
  readonly job: string;
  readonly timeoutSeconds?: number;
  readonly overtimeAt?: number;
}

/** The run's branch at the remote was seen at another commit than before, and the run had not pushed it there. */
export interface BranchMove {
  /** The turn, from 0, in which or after which it was seen. */
  readonly round: number;
  /** Where it was before; not there if there was no such branch. */
  readonly from?: string;
  /** Where it is; not there if it was deleted. */
  readonly to?: string;
}

/** Where a run stands. Each step gets it and returns the next. */
export interface LoopRecord {
  readonly next: typeof NEXT[keyof typeof NEXT];
  /** Turns before this one: 0 is the first. */
  readonly round: number;
  /** Times that the gates were begun again, within the run. */
  readonly losses: number;
  readonly rebases: number;
  /** The commit that ours goes on top of. */
  readonly base: string;
  /** More commits of others that the agent has merged: the other parents of ours. */
  readonly merges?: readonly string[];
  /** Where the run's branch was at the remote, when it was last looked at; empty if it was not there. Only for loops that push. */
  readonly tip?: string;
  readonly branchMoves?: readonly BranchMove[];
  /** The tree that the gates see. */
  readonly tree?: string;
  /** Of the round that failed before. */
  readonly lastTree?: string;
  readonly lastFailure?: string;
  readonly gates: readonly GateRecord[];
  readonly feedback?: Feedback;
  /** The job that a step left running, for the next call of that step. */
  readonly previous?: RunningJob;
  /** What the bootstrap changed of what git tracks: put back. */
  readonly putBack?: NameList;
  /** What was found so far. */
  readonly findings?: Findings;
  /** Whether the agent was asked to put a finding right: that is done once in a run. */
  readonly told?: boolean;
  /** Of the last record: what tools keep for themselves, and linked worktrees. */
  readonly leftOut?: NameList;
  readonly commit?: string;
  readonly pushed?: boolean;
  readonly found?: boolean;
}

/** What a run leaves as its output, or as the cause of its failure. */
export interface RunOutput {
  readonly outcome: string;
  readonly taskId: string;
  readonly rounds: number;
  readonly commit?: {
    readonly id: string;
    readonly branch: string;
    readonly pushed: boolean;
    /** The branch at the remote had the same files already, in this commit that the run has not made: the agent pushed it, or an earlier run. */
    readonly found?: boolean;
  };
  /** How often the run's branch moved at the remote without the run, and where: the agent pushed by itself, or somebody else did. At most 20. */
  readonly branchMoves?: readonly BranchMove[];
  readonly gates: readonly GateRecord[];
  /** Files that git tracks and that the bootstrap changed: put back, since they are no work of the agent's. */
  readonly putBack?: NameList;
  /** What was in the clone beside the change, and is not in the commit. */
  readonly findings?: Findings;
  /** Files of tools, and linked worktrees, that were left out of the change. */
  readonly leftOut?: NameList;
  readonly session: SessionRecord & { readonly stopped: boolean; readonly error?: string };
  /** What went wrong, if the run failed. */
  readonly error?: {
    /** A name of the loop's or of the driver's, or one that the agent reported by a task token. */
    readonly name: string;
    readonly message: string;
    /** What was caught, if `name` is one that stands for it: Step Functions' or Lambda's own, or one that no run may end with. */
    readonly caught?: string;
  };
  readonly feedback?: Feedback;
}

/** A run cannot go on. Step Functions sees `name` as the error and `message` in its cause. */
export class LoopError extends Error {
  /**
   * @param summary what happened, in our own words: this is logged
   * @param quote what a command or the input said: it may hold anything; what looks like a secret is masked
   */
  constructor(readonly name: typeof LOOP_ERRORS[keyof typeof LOOP_ERRORS], readonly summary: string, quote = '') {
    super(quote === '' ? summary : `${summary}: ${maskSecrets(quote)}`);
  }

  /** The same with a run's record as its message, for the end of the run's execution. */
  recordedAs(record: string): LoopError {
    return Object.assign(new LoopError(this.name, this.summary), { message: record });
  }
}
