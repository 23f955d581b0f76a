import { AgentRecord } from './agent-record';
import { NEXT } from './constants';
import { BaseGate, BranchMove, Feedback, Findings, GateBefore, GateRecord, SessionRecord, SetAsideRecord } from './records';
import { PullRequestRecord, UpstreamRecord } from './remote-records';
import { NameList } from './results';

/** The part of the state that does not change during a run. The first step creates it, and the state machine carries it. */
export interface RunIdentity {
  /** Begins with the execution's name. It identifies the holder of the workspace, and is part of every job's ID. */
  readonly id: string;
  /** A random key that names the results of the workspace script. No session sees it. */
  readonly key: string;
  readonly taskId: string;
  /** The number of the issue that the run comments on. */
  readonly issue?: number;
  readonly session: SessionRecord;
  readonly mount: string;
  /** The path of the clone. */
  readonly clone: string;
  /** The number of the user that the clone belongs to, if that is not the container's user: code under test may have put anything into it. */
  readonly user?: number;
  readonly repository: { readonly url: string; readonly ref?: string };
  readonly branch: string;
  /** The commit that the run started from. Missing until the first step has ended. */
  readonly base?: string;
  /** The start time, in seconds since the epoch. Also the date of the run's commits, so that a repeated step makes the same commit. */
  readonly startedAt: number;
  /** The time after which no step starts, in seconds since the epoch. */
  readonly deadline: number;
}

/** A job that outlived the function, with its timeout, and the time by the driver's clock at which it exceeds that timeout. */
export interface RunningJob {
  readonly job: string;
  readonly timeoutSeconds?: number;
  readonly overtimeAt?: number;
}

/** The place of a verification in the run: its session, and what has been done there. */
export interface VerificationState {
  /** The number of the session among those that the run started for verifications, from 1. */
  readonly attempt: number;
  /** True once it has come to its end without all gates having passed, or its microVM was lost: the next verification is another one. */
  readonly isOver?: boolean;
  /** True once the change is there, and the bootstrap has passed. */
  readonly isReady?: boolean;
  /** True once the change is there. */
  readonly isThere?: boolean;
  /** The state of the run if the change is to blame for a bootstrap that failed, and not the user that it ran as. The next session finds out. */
  readonly doubt?: Pick<LoopState, 'next' | 'round' | 'feedback' | 'lastTree' | 'lastFailure'>;
  /** True once that is known for the run. */
  readonly isProbed?: boolean;
  /** True if the bootstrap needs the rights of the container's user. */
  readonly asContainerUser?: boolean;
  /** True if commands run as a user of their own. */
  readonly separate?: boolean;
  /** The commit that is checked out, without a change of the run, and its tree. */
  readonly base?: { readonly commit: string; readonly tree: string };
  /** The tries of the next gate that have failed, and tests that failed in them. */
  readonly tries?: { readonly failed: number; readonly tests?: NameList; readonly known?: string };
  /** The gates that have passed there, or, on the base, that have ended. */
  readonly gates: readonly GateRecord[];
  /** The commit of the run's branch at the remote, if the change is proven to be on top of it. */
  readonly onto?: string;
  /** The tree and the commit below it that all gates passed on. */
  readonly passed?: { readonly tree: string; readonly base: string };
}

/** The progress of a run. Each step receives it and returns the next one. */
export interface LoopState {
  readonly next: typeof NEXT[keyof typeof NEXT];
  /** The number of turns before this one: 0 is the first turn. */
  readonly round: number;
  /** The number of times that the gates started again because a microVM was lost. */
  readonly losses: number;
  readonly rebases: number;
  /** The commit that becomes the parent of the run's commit. */
  readonly base: string;
  /** More commits of others that the agent merged: the other parents of the run's commit. */
  readonly merges?: readonly string[];
  /** The commit of the run's branch at the remote when it was last read; empty if the branch did not exist. Only in loops that push. */
  readonly tip?: string;
  readonly branchMoves?: readonly BranchMove[];
  /** The tree that the gates see. */
  readonly tree?: string;
  /** True if the tree is that of the base: there is nothing to commit. */
  readonly unchanged?: boolean;
  /** The tree and the failure of the previous failed round. */
  readonly lastTree?: string;
  readonly lastFailure?: string;
  readonly gates: readonly GateRecord[];
  /** The results of the gates on the files that the run started from; only the newest one is complete. */
  readonly before?: readonly GateBefore[];
  /** The gates on what the run starts from, in a clean checkout. */
  readonly baseCheck?: { readonly commit: string; readonly gates: readonly BaseGate[] };
  /** True while the gates run before the first turn, to get these results. */
  readonly baseline?: boolean;
  readonly feedback?: Feedback;
  /** The reports of the agent's turns. Nothing of them may let a change through. */
  readonly agent?: AgentRecord;
  /** The reason why the agent's turn was no work. */
  readonly agentError?: { readonly name: string; readonly message: string };
  /** The last verification, which may be under way. */
  readonly verification?: VerificationState;
  /** The job that a step left running, for the next call of that step. */
  readonly previous?: RunningJob;
  /** Submodules that are not initialized, so that their directories are empty. */
  readonly submodules?: NameList;
  /** True if the remote cannot give the history without its contents, so that the clone has only the newest commit. */
  readonly shallow?: boolean;
  /** Tracked files that the bootstrap changed: restored. */
  readonly putBack?: NameList;
  /** The base of the branch. */
  readonly upstream?: UpstreamRecord;
  /** The uncommitted work of another task. */
  readonly setAside?: SetAsideRecord;
  /** Files with uncommitted work of earlier runs of the task. */
  readonly work?: NameList;
  /** Untracked files that were moved away because a tracked file takes their path. */
  readonly inTheWay?: NameList;
  /** The findings so far. */
  readonly findings?: Findings;
  /** True if the agent was asked to correct a finding, which happens once in a run. */
  readonly told?: boolean;
  /** Files of tools, and linked worktrees, that were left out when the tree was last recorded. */
  readonly leftOut?: NameList;
  /** Files of the change that usually judge it. */
  readonly judgingFiles?: NameList;
  /** Protected files that the agent changed. */
  readonly protectedFiles?: NameList;
  readonly commit?: string;
  readonly pushed?: boolean;
  readonly found?: boolean;
  readonly pullRequest?: PullRequestRecord;
  /** The consumption of the run up to now. */
  readonly meter?: Meter;
}

/** The consumption of a run. */
export interface Meter {
  /** The time at which the run took its session, in milliseconds since the epoch. */
  readonly since: number;
  /** The duration of the agent's turns, in seconds. */
  readonly agentSeconds: number;
  /** The duration of the sessions of verifications, in seconds. */
  readonly verificationSeconds: number;
  /** The duration of calls of the driver and the publisher, in seconds. */
  readonly functionSeconds: number;
  /** The number of state transitions. */
  readonly transitions: number;
  /** The end of the last step, in milliseconds since the epoch. */
  readonly at: number;
  /** The last turn that `agentSeconds` contains. Missing if the agent reports with a task token: the next step then counts its turn. */
  readonly turn?: number;
}

/** Determines whether the gate failed on the same tree in the round before: it was repeated, because it may be flaky. */
export function failedBefore(loop: LoopState, name: string): boolean {
  return loop.tree === loop.lastTree && loop.feedback?.gate === name && !loop.feedback.cleanCheckout;
}
