import { AgentRecord } from './agent-record';
import { WORKSPACES } from './constants';
import { ArtifactsRecord, CostRecord } from './operate-records';
import { PullRequestRecord, UpstreamRecord } from './remote-records';
import { NameList } from './results';
import type { VERDICTS } from '../../jobs/constants';
import { Verdict } from '../../jobs/job';

/** The input of a run. docs/run.md is generated from this interface, from its rules, and from `RunRecord`. */
export interface LoopInput {
  /** The task for the agent. It is part of the execution's input, and appears in the runtime's log. */
  readonly prompt: string;
  /** The ID of the task, such as that of an issue. It names the run's branch, and appears in the commit's trailers. */
  readonly taskId: string;
  /** The repository that the run works on. By default, the loop's own; a loop with `GitRepository.fromInput` has none. */
  readonly repository?: {
    /** The URL of the loop's own repository, or of one that `allow` of its `GitRepository` names. */
    readonly url?: string;
    /** The branch, tag or commit to start from. By default, the `ref` of the loop's own repository, or the remote's default branch. */
    readonly ref?: string;
  };
  /** The number of an issue or pull request at the forge, where the run keeps a comment up to date. By default, it writes none. */
  readonly issue?: number;
  /** The whole `session` of an earlier record: the run continues in that workspace. By default, the run creates a session. */
  readonly session?: {
    /** The session's ID in AgentCore. */
    readonly id: string;
    /** The endpoint that the session was started through. By default, the loop's. */
    readonly endpointName?: string;
    /** The name of the execution that created the session. Required if the ID does not begin with the whole name. */
    readonly execution?: string;
    /**
     * If true, new commits of `repository.ref` at the remote are merged into the run's branch and the files of the workspace. Work of earlier runs of
     * the task stays, committed or not; if it conflicts with the new commits, the run fails with `CodingLoop.CheckoutFailed`, names the files, and
     * changes nothing. By default, the run continues on the commit that the branch is at.
     */
    readonly update?: boolean;
    /**
     * If true, and if the last task in the session was another one, the run's branch starts from that task's branch. By default, it starts from the
     * newest commit of `repository.ref`. In both cases, uncommitted work of the last task is set aside, until a run of that task restores it.
     */
    readonly onTop?: boolean;
  };
}

/** Uncommitted work of the last task in the session, set aside when a run of another task started. The next run of that task restores it. */
export interface SetAsideRecord {
  /** The branch of that task. */
  readonly branch: string;
  /** The files. They are in a commit on top of the branch, under `refs/workbench/works/<branch>` in `.workbench/git` of the workspace. */
  readonly files: NameList;
}

/** The session that a run works in. */
export interface SessionRecord {
  /** The session's ID in AgentCore. */
  readonly id: string;
  /** The endpoint that the session was started through, and belongs to. */
  readonly endpointName?: string;
  /** The name of the execution that created the session, if the ID does not begin with the whole name. */
  readonly execution?: string;
  /**
   * `NEW` if the run started its workspace, `RESUMED` if it continued in that of an earlier run. `NEW` in a run that was to continue means that
   * the session's storage expired or was deleted. Missing if the first step did not end.
   */
  readonly workspace?: typeof WORKSPACES[keyof typeof WORKSPACES];
}

/** The tests of a gate, according to its reports. */
export interface TestsRecord {
  /** The number of tests that ran: those that were skipped do not count. */
  readonly ran: number;
  /** The number of tests that failed, those with an error included. */
  readonly failed: number;
  /** The number of tests that were skipped. */
  readonly skipped: number;
  /** The number of tests that ran on the base. Missing if that is not known. A smaller number now means that tests were removed or skipped. */
  readonly ranBefore?: number;
  /** The number of failing tests that also fail on the base. */
  readonly knownFailures?: number;
  /** Failing tests, those that do not fail on the base first. */
  readonly failing?: NameList;
}

/** The result of a gate. */
export interface GateRecord {
  /** The gate's name in the loop. */
  readonly name: string;
  /**
   * The gate's verdict. Only `PASSED` and `FLAKY` let a change through. A gate is `FLAKY` if it passed on files on which it had failed: in the round
   * before, or in a try before (`retries`). `LOST` gates run again, and are not in the record.
   */
  readonly verdict: typeof VERDICTS[keyof typeof VERDICTS] | 'FLAKY';
  /** The exit code of the command; null if it has none. */
  readonly exitCode: number | null;
  /** The duration of the command, in seconds. */
  readonly seconds: number;
  /** The path of the whole output, in the session. */
  readonly logPath: string;
  /** Files that the gate left, and that git neither tracks nor ignores: moved out of the clone. */
  readonly left?: NameList;
  /** The tests of a gate with a report. */
  readonly tests?: TestsRecord;
  /** The reason why the gate did not pass, if its output does not say so, such as a report that is missing. */
  readonly reason?: string;
  /** True if the gate passes only because it fails in the same way on the base (`Baseline.KNOWN_FAILURES`). */
  readonly knownFailure?: boolean;
  /** Tests that failed in the unsuccessful tries of a `FLAKY` gate. */
  readonly flakyTests?: NameList;
  /** True if the gate passed before the agent changed anything, so that it proves nothing about the task. Missing if not known. */
  readonly greenBefore?: boolean;
}

/** The result of a gate that ran before the agent changed anything. */
export type GateBefore = Pick<GateRecord, 'name' | 'verdict'> & Partial<GateRecord>;

/** The result of a gate on the base. */
export interface BaseGate extends GateRecord {
  /** Identifies the failure. */
  readonly failure?: string;
  /** The short names of the tests that fail, one after the other. */
  readonly known?: string;
}

/** Contents of the clone that no commit can contain, and that a fresh clone does not have. */
export interface Findings {
  /** Ignored files that did not exist when the agent started. The agent is told once; after that they are moved out of the clone. */
  readonly ignored?: NameList;
  /** Directories without a file, which are removed before the gates run. */
  readonly empty?: NameList;
  /** Symbolic links of the change that point out of the clone. The agent is told once. */
  readonly links?: NameList;
  /** Work that is in no file of the clone, because the agent stashed it or committed it on another branch or on none. The agent is told once. */
  readonly putAway?: NameList;
}

/** Names of things in the agent's workspace that a clean checkout lacks, as the agent's session lists them. */
export interface OnlyInWorkspace {
  /** Files that git ignores. A directory of which the clean checkout has nothing is one name, which ends in a slash. */
  readonly files?: NameList;
  /** Packages that the bootstrap does not install: of Node.js, Python and Ruby, and of Debian's and Alpine's package managers. */
  readonly packages?: NameList;
  /** Programs in the directories of `PATH`, and in those of users. */
  readonly programs?: NameList;
}

/** The reason why the agent has to repair its change. */
export interface Feedback {
  /** The name of the gate that did not pass, or `what can be committed` for findings beside the change. */
  readonly gate: string;
  /** The gate's command: at most its first 1,000 characters. */
  readonly command: string;
  /** The gate's verdict. */
  readonly verdict: Verdict;
  /** The exit code of the command; null if it has none. */
  readonly exitCode: number | null;
  /** The end of the output. Text that looks like a secret is masked. */
  readonly output: string;
  /** The path of the whole output, in the session; empty if it is not a gate's. */
  readonly logPath: string;
  /** The number of the repair that this feedback is for, from 1. */
  readonly repair: number;
  /** The number of repairs that the loop allows. */
  readonly maxRepairs: number;
  /** True if the agent changed nothing that can be committed. */
  readonly unchanged?: boolean;
  /** Files that changed while the gate ran, through the gate or anything else: at most 50. */
  readonly changedFiles?: readonly string[];
  /** Contents of the clone that no commit can contain. */
  readonly findings?: Findings;
  /** Protected files that the agent changed, and has to put back: at most 50. */
  readonly protectedFiles?: readonly string[];
  /** True if the gate passed in the agent's workspace, and failed in the verification's clean checkout. */
  readonly cleanCheckout?: boolean;
  /** Names of things in the agent's workspace that the clean checkout lacks, which may be the cause. Missing if there are none, or not known. */
  readonly onlyInWorkspace?: OnlyInWorkspace;
  /** The reason why the gate did not pass, if its output does not say so. */
  readonly reason?: string;
  /** The number of tests, for a gate with a report. */
  readonly tests?: TestsRecord;
  /** The failing tests, for a gate with a report, those that do not fail on the base first: at most 50. */
  readonly failingTests?: readonly string[];
}

/** A move of the run's branch at the remote that the run did not make. */
export interface BranchMove {
  /** The turn, from 0, in which or after which the move was seen. */
  readonly round: number;
  /** The commit before the move; missing if the branch did not exist. */
  readonly from?: string;
  /** The commit after the move; missing if the branch was deleted. */
  readonly to?: string;
}

/** The verification of a run, in a new session, separate from the agent's. */
export interface VerificationRecord {
  /** The IDs of the sessions that the run started for verifications, in their order. */
  readonly sessions: readonly string[];
  /** True if the gates ran as a user of their own, who cannot reach the records. False if the image cannot do that, or the bootstrap needs more. */
  readonly separateUser?: boolean;
  /** The gates that passed in the last of these sessions. */
  readonly gates: readonly GateRecord[];
  /** True if the run stopped all of these sessions. */
  readonly stopped: boolean;
  /** The reason why a session could not be stopped. */
  readonly error?: string;
}

/** The record of a run: the output of its execution, or the cause of its failure. */
export interface RunRecord {
  /** `COMMITTED`; `NO_CHANGES`, if the agent changed nothing and all gates passed; or the name of the error that the run failed with. */
  readonly outcome: string;
  /** The `taskId` of the input; empty if it cannot be read. */
  readonly taskId: string;
  /** The number of turns of the agent, repairs included. 0 if the run ended before the first turn. */
  readonly rounds: number;
  /** The commit. Only in a record with the outcome `COMMITTED`. */
  readonly commit?: {
    /** The commit's object ID. */
    readonly id: string;
    /** The run's branch. */
    readonly branch: string;
    /** True if the commit is at the remote. False in a loop that does not push. */
    readonly pushed: boolean;
    /** True if the branch at the remote already had the same files, in this commit: the agent pushed it, or an earlier run did. */
    readonly found?: boolean;
  };
  /** The pull request. Only in a record with the outcome `COMMITTED`, of a loop with `Commit.pullRequest`. */
  readonly pullRequest?: PullRequestRecord;
  /** The base of the run's branch. Missing if the first step did not end. */
  readonly upstream?: UpstreamRecord;
  /** The uncommitted work of another task in the session, set aside when the run started. */
  readonly setAside?: SetAsideRecord;
  /** Moves of the run's branch at the remote that the run did not make: the agent or another user pushed. At most 20. */
  readonly branchMoves?: readonly BranchMove[];
  /** The reports of a `CodingAgent`, added up. They are the agent's own words and numbers, and decide nothing. */
  readonly agent?: AgentRecord;
  /** The gates of the last round, in their order, up to the first that did not pass. */
  readonly gates: readonly GateRecord[];
  /** The gates on the base, before the first turn. Only in a loop with `checkBase` or a `baseline`. */
  readonly baseCheck?: {
    /** The commit that was checked. */
    readonly commit: string;
    /** All gates in their order, regardless of their verdict. */
    readonly gates: readonly GateRecord[];
  };
  /** True if all gates also passed on the committed files in a new session, separate from the agent's. False in a loop with `Verification.none()`. */
  readonly verified: boolean;
  /** The verification. Missing if none was started. */
  readonly verification?: VerificationRecord;
  /** Tracked files that the bootstrap changed: restored, because they are not the agent's work. */
  readonly putBack?: NameList;
  /** Contents of the clone that no commit can contain, and that are not in the commit. */
  readonly findings?: Findings;
  /** Files of tools, and linked worktrees, that were left out of the change. */
  readonly leftOut?: NameList;
  /** Files of the change that usually judge it: tests, CI, and the configuration of linters and builds. They are worth a review. */
  readonly judgingFiles?: NameList;
  /** Protected files that the agent changed. With `RESTORE`, the commit has those of the base; with `REVIEW`, it has the agent's. */
  readonly protectedFiles?: NameList;
  /** The session that the run worked in. To continue there, pass the whole of it to another run. */
  readonly session: SessionRecord & {
    /** True if the run stopped its session. False if the session was left to its idle timeout, or if the run started nothing. */
    readonly stopped: boolean;
    /** The reason why the session was not stopped: it could not be, or must not be. */
    readonly error?: string;
  };
  /** The error that the run failed with. */
  readonly error?: {
    /** The name of an error of the loop or the driver, or one that the agent reported with a task token. */
    readonly name: string;
    /** The reason. Text that looks like a secret is masked. */
    readonly message: string;
    /** The name of the error that was caught, if `name` stands for it: Step Functions' or Lambda's own, or one that no run may end with. */
    readonly caught?: string;
  };
  /** The last feedback for the agent, if the run failed: the reason why the last round failed. Omitted from a record that would be too long. */
  readonly feedback?: Feedback;
  /** The estimated cost of the run, and the consumption that it is computed from. Missing if the first step did not end. */
  readonly cost?: CostRecord;
  /** The location of the run's files. Only in a loop with `artifacts`. */
  readonly artifacts?: ArtifactsRecord;
  /** The version of this schema. A new field raises the second number; a field that changes its meaning or is removed raises the first one. */
  readonly schemaVersion: string;
}
