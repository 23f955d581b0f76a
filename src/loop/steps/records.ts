import { LOOP_ERRORS, NEXT, WORKSPACES } from './constants';
import { NameList } from './results';
import { maskSecrets } from '../../handler/mask';
import { Verdict } from '../../jobs/verdict';

/** What a run is started with. docs/run.md is made from this, from the rules for it, and from `RunOutput`. */
export interface LoopInput {
  /** What the agent is to do. It is part of the execution, and appears in the runtime's log. */
  readonly prompt: string;
  /** Names the run's branch, and is in the commit's trailers: the id of an issue, for example. */
  readonly taskId: string;
  /** The repository that the run works on. By default the loop's own; a loop with `GitRepository.fromInput` has none. */
  readonly repository?: {
    /** The loop's own, or one that `allow` of its `GitRepository` names. */
    readonly url?: string;
    /** The branch, tag or commit to start from. By default the `ref` of the loop's own repository, or the remote's default branch. */
    readonly ref?: string;
  };
  /** The whole `session` of an earlier record: the run continues in that workspace. By default it begins in a session of its own. */
  readonly session?: {
    /** The session's id at AgentCore. */
    readonly id: string;
    /** The endpoint that the session began through. By default the loop's. */
    readonly endpointName?: string;
    /** The execution that made the session, where the id does not begin with all of its name. */
    readonly execution?: string;
    /**
     * Whether the run's branch and the files of the workspace get what `repository.ref` has got at the remote since. Work of earlier runs of the
     * task stays, committed or not; where that and the new commits are in conflict, the run fails as `CodingLoop.CheckoutFailed`, names the
     * files, and changes nothing. By default the run continues on the commit that the branch stands on.
     */
    readonly update?: boolean;
    /**
     * Whether the branch of another task than the last one in the session starts from the branch of that one. By default it starts from the newest
     * commit of `repository.ref`. In both cases, what the last task has not committed is set aside, until a run of that task brings it back.
     */
    readonly onTop?: boolean;
  };
}

/** Where the commits of the run's branch begin. */
export interface UpstreamRecord {
  /** The branch, tag or commit of the remote that the run starts from. Missing if none was named and the default branch is not known. */
  readonly ref?: string;
  /** The commit of it that the run's branch stands on: what comes after it is the branch's own. */
  readonly base: string;
  /** Where `ref` was at the remote when the run began, if the branch does not have that: `session.update` brings it there. */
  readonly tip?: string;
  /** How many commits those are. Missing if the clone has not enough of the history to know. */
  readonly behind?: number;
  /** What the branch stood on before `session.update`. */
  readonly updatedFrom?: string;
}

/** What the last task in the session had not committed when a run of another one began. A run of that task in the session brings it back. */
export interface SetAsideRecord {
  /** The branch of that task. */
  readonly branch: string;
  /** The files. They are in a commit on top of the branch, as `refs/workbench/works/<branch>` of `.workbench/git` in the workspace. */
  readonly files: NameList;
}

/** Where a run is at work. */
export interface SessionRecord {
  /** The session's id at AgentCore. */
  readonly id: string;
  /** The endpoint that the session began through, and belongs to. */
  readonly endpointName?: string;
  /** Name of the execution that made the session, where the id does not begin with all of it. */
  readonly execution?: string;
  /**
   * Whether the run began its workspace or continued in that of an earlier run. `NEW` in a run that was to continue means that
   * the session's storage had expired or was emptied. Missing if the first step did not end.
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

/** How a gate ended. */
export interface GateRecord {
  /** The gate's name in the loop. */
  readonly name: string;
  /** How it ended. Only `PASSED` lets a change through. `LOST` gates are run again, and are not in the record. */
  readonly verdict: Verdict;
  /** Of the command; null if it has none. */
  readonly exitCode: number | null;
  /** From the command's start to its end. */
  readonly seconds: number;
  /** Where the whole output is, in the session. */
  readonly logPath: string;
  /** Files that it left, and that git neither has nor ignores: moved out of the clone. */
  readonly left?: NameList;
  /** Whether it passed on files on which it had failed in the round before: the agent changed nothing. */
  readonly flaky?: boolean;
  /** Whether it was green before the agent changed anything, if that is known: that it passes then proves nothing about the task. */
  readonly greenBefore?: boolean;
}

/** What a gate said before the agent had changed anything. */
export type GateBefore = Pick<GateRecord, 'name' | 'verdict'> & Partial<GateRecord>;

/** What is in the clone beside the change: no commit can hold it, and a fresh clone will not have it. */
export interface Findings {
  /** Ignored files that were not there when the agent began. The agent is told once; after that they are moved out of the clone. */
  readonly ignored?: NameList;
  /** Directories without a file. Removed before the gates. */
  readonly empty?: NameList;
  /** Symbolic links of the change that lead out of the clone. The agent is told once. */
  readonly links?: NameList;
  /** Work that is in no file of the clone, since the agent stashed it or committed it on another branch or on none. The agent is told once. */
  readonly putAway?: NameList;
}

/** Why the agent is asked again. */
export interface Feedback {
  /** The name of the gate that did not pass, or `what can be committed` for findings beside the change. */
  readonly gate: string;
  /** The gate's command, at most 1,000 characters of it. */
  readonly command: string;
  /** How it ended. */
  readonly verdict: Verdict;
  /** Of the command; null if it has none. */
  readonly exitCode: number | null;
  /** The end of the output, with what looks like a secret masked. */
  readonly output: string;
  /** Where the whole output is, in the session; empty if it is not a gate's. */
  readonly logPath: string;
  /** The repair that this is for, from 1. */
  readonly repair: number;
  /** How many repairs the loop allows. */
  readonly maxRepairs: number;
  /** Whether the agent has changed nothing that can be committed. */
  readonly unchanged?: boolean;
  /** Files that the gate changed, or somebody else while it ran: at most 50. */
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
  /** Whether it is the base's: nothing is to be committed. */
  readonly unchanged?: boolean;
  /** Of the round that failed before. */
  readonly lastTree?: string;
  readonly lastFailure?: string;
  readonly gates: readonly GateRecord[];
  /** What gates said of the files that the run began on; the newest of them in full. */
  readonly before?: readonly GateBefore[];
  /** Whether that is what they run for: the agent has not begun yet. */
  readonly baseline?: boolean;
  readonly feedback?: Feedback;
  /** The job that a step left running, for the next call of that step. */
  readonly previous?: RunningJob;
  /** Submodules whose directories are empty, since they are not initialized. */
  readonly submodules?: NameList;
  /** Whether the remote could not give the history without its contents, so that the clone has only the newest commit. */
  readonly shallow?: boolean;
  /** What the bootstrap changed of what git tracks: put back. */
  readonly putBack?: NameList;
  /** Where the commits of the branch begin. */
  readonly upstream?: UpstreamRecord;
  /** What another task had not committed. */
  readonly setAside?: SetAsideRecord;
  /** Files with work of earlier runs of the task that is not committed. */
  readonly work?: NameList;
  /** Files that git did not have, and that were moved away for what it has there now. */
  readonly inTheWay?: NameList;
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
  /** `COMMITTED`; `NO_CHANGES`, if the agent changed nothing and all gates passed; or the name of the error that the run failed with. */
  readonly outcome: string;
  /** Of the input; empty if the input has none that can be read. */
  readonly taskId: string;
  /** Turns of the agent, repairs included. 0 if the run ended before the first. */
  readonly rounds: number;
  /** What was committed. Only in a record with the outcome `COMMITTED`. */
  readonly commit?: {
    /** The commit's object id. */
    readonly id: string;
    /** The run's branch. */
    readonly branch: string;
    /** Whether the commit is at the remote. False in a loop that does not push. */
    readonly pushed: boolean;
    /** The branch at the remote had the same files already, in this commit that the run has not made: the agent pushed it, or an earlier run. */
    readonly found?: boolean;
  };
  /** Where the commits of the run's branch begin. Missing if the first step did not end. */
  readonly upstream?: UpstreamRecord;
  /** What another task in the session had not committed: set aside when the run began. */
  readonly setAside?: SetAsideRecord;
  /** How often the run's branch moved at the remote without the run, and where: the agent pushed by itself, or somebody else did. At most 20. */
  readonly branchMoves?: readonly BranchMove[];
  /** The gates of the last round, in their order, up to the first that did not pass. */
  readonly gates: readonly GateRecord[];
  /** Files that git tracks and that the bootstrap changed: put back, since they are no work of the agent's. */
  readonly putBack?: NameList;
  /** What was in the clone beside the change, and is not in the commit. */
  readonly findings?: Findings;
  /** Files of tools, and linked worktrees, that were left out of the change. */
  readonly leftOut?: NameList;
  /** Where the run was at work. Give the whole of it to another run, to continue there. */
  readonly session: SessionRecord & {
    /** Whether the run stopped its session. False if it is left to its idle timeout, or if the run started nothing. */
    readonly stopped: boolean;
    /** Why the session could not be stopped, or must not be. */
    readonly error?: string;
  };
  /** What went wrong, if the run failed. */
  readonly error?: {
    /** A name of the loop's or of the driver's, or one that the agent reported by a task token. */
    readonly name: string;
    /** Why, in words; what looks like a secret is masked. */
    readonly message: string;
    /** What was caught, if `name` is one that stands for it: Step Functions' or Lambda's own, or one that no run may end with. */
    readonly caught?: string;
  };
  /** What the agent was told last, if the run failed: why the last round was not good enough. Left out of a record that would be too long. */
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
