/** Names and limits that the loop's constructs, its steps in the driver, its state machine and the tests share. */

import { RECORDS_FOLDER } from '../../jobs/constants';

/** Folder of the workspace with the clone. */
export const CLONE_FOLDER = 'repo';

/** Git directory of the loop itself, in the workspace: the agent's is that of the clone. */
export const GIT_FOLDER = `${RECORDS_FOLDER}/git`;

/** Folder of the workspace for files of the agent that were in the way of git's. */
export const IN_THE_WAY_FOLDER = `${RECORDS_FOLDER}/left/in-the-way`;

/** What a gate may be called: the graph, the commit and the feedback show it. */
export const GATE_NAME = /^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}$/;

/** What the driver can be asked for by a loop: one step of a run each. */
export const STEPS = {
  PREPARE: 'loop:prepare',
  BOOTSTRAP: 'loop:bootstrap',
  TURN: 'loop:turn',
  SNAPSHOT: 'loop:snapshot',
  GATE: 'loop:gate',
  COMMIT: 'loop:commit',
  STOP: 'loop:stop',
  /** For an execution that ended without a step of its own: timed out, aborted, failed in Step Functions itself. */
  CLEAN_UP: 'loop:cleanUp',
} as const;

/** How a run that did its work ends. */
export const OUTCOMES = { COMMITTED: 'COMMITTED', NO_CHANGES: 'NO_CHANGES' } as const;

/** Whether a run began its workspace, or went on in that of an earlier one. */
export const WORKSPACES = { NEW: 'NEW', RESUMED: 'RESUMED' } as const;

/** Where a step says to go on. What is not listed goes to the end, as a failure. */
export const NEXT = {
  /** The step's job outlived the function: the same step again, which attaches. */
  RUNNING: 'RUNNING',
  /** As planned. */
  GO_ON: 'GO_ON',
  /** The gate passed on the recorded tree. */
  PASSED: 'PASSED',
  /** The gates have run before the first turn, which is next. */
  BEGIN: 'BEGIN',
  /** Another turn, with feedback. */
  REPAIR: 'REPAIR',
  /** The gates again, from a new record of the tree: a microVM was lost, or the commit was put on top of another. */
  AGAIN: 'AGAIN',
  /** All gates have passed, and there is nothing to commit. */
  NO_CHANGES: 'NO_CHANGES',
  RED: 'RED',
  STUCK: 'STUCK',
  INERT: 'INERT',
} as const;

/** Errors of a run, by the name that Step Functions sees. */
export const LOOP_ERRORS = {
  /** The input is wrong; the message names the field. Nothing was started. */
  BAD_INPUT: 'CodingLoop.BadInput',
  /** Another run is at work in the session. It is left alone. */
  SESSION_BUSY: 'CodingLoop.SessionBusy',
  /** The repository could not be cloned, or the reference is not there. */
  CHECKOUT_FAILED: 'CodingLoop.CheckoutFailed',
  /** A bootstrap command did not pass. */
  BOOTSTRAP_FAILED: 'CodingLoop.BootstrapFailed',
  /** The agent's command did not pass, or the agent reported a failure without an error that could be handed on. */
  TURN_FAILED: 'CodingLoop.TurnFailed',
  /** An agent that was to report by a task token did not do so in time, or missed a heartbeat. */
  TURN_TIMED_OUT: 'CodingLoop.TurnTimedOut',
  /** What the agent left cannot be recorded by git. */
  SNAPSHOT_FAILED: 'CodingLoop.SnapshotFailed',
  /** The gates did not pass within the repairs. */
  RED: 'CodingLoop.Red',
  /** A gate failed twice in a row on the same tree, or in the same way. */
  STUCK: 'CodingLoop.Stuck',
  /** A gate's command is not in the image. */
  INERT: 'CodingLoop.Inert',
  /** The workspace is not the run's own any more: wiped by a deployment, or expired. */
  WORKSPACE_LOST: 'CodingLoop.WorkspaceLost',
  /** A microVM was lost too often. */
  LOST: 'CodingLoop.Lost',
  /** Somebody else pushed, and the commit does not go on top of it. */
  PUSH_REJECTED: 'CodingLoop.PushRejected',
  /** The commit could not be made or pushed. */
  COMMIT_FAILED: 'CodingLoop.CommitFailed',
  /** The remote has a branch beside which the run's cannot be. No turn was paid for, unless that branch was made during the run. */
  BRANCH_CONFLICT: 'CodingLoop.BranchConflict',
  /** The remote stopped answering while the commit was pushed: it may be there. */
  PUSH_UNKNOWN: 'CodingLoop.PushUnknown',
  /** The last step itself could not be run: the session may still be there. */
  NOT_STOPPED: 'CodingLoop.NotStopped',
  /** The run took longer than the loop's timeout. */
  TIMED_OUT: 'CodingLoop.TimedOut',
  /** A step failed in a way that has no name here, such as in Lambda or Step Functions; the record has the name that was caught. */
  FAILED: 'CodingLoop.Failed',
} as const;

/** How the message of a bootstrap that did not pass begins. */
export const BOOTSTRAP_ENDED = 'the bootstrap: ';

/** Errors after which there is no session to stop, or none that is ours to stop. */
export const NOTHING_TO_STOP: readonly string[] = [LOOP_ERRORS.BAD_INPUT, LOOP_ERRORS.SESSION_BUSY];

export const LOOP_LIMITS = {
  /** How often an agent may repair. */
  repairs: 20,
  /** Of the prompt as JSON, in bytes, at the most. */
  promptBytes: 221_184,
  /** Of what a step is sent, in bytes of JSON: Step Functions' 256 KiB, less what a run's records and a feedback may need. */
  requestBytes: 262_144 - 36_864,
  /** Of the output that a repair prompt quotes, in bytes. */
  feedbackBytes: 16_384,
  /** Of all names of changed files that a repair prompt lists, in characters. */
  changedFilesLength: 4_096,
  /** How often the gates are run again in a run because a microVM was lost. */
  losses: 3,
  /** How many runs that are under way are asked whether they are at work in a session that another is to go on in. */
  occupantsAsked: 1_000,
  /** How often Step Functions is asked again whether a session is busy: what it says of an execution that has just ended is late by a moment. */
  busyTries: 3,
  /** How many markers of runs that are over are taken away from one workspace by one run. */
  takeovers: 3,
  /** How often a commit is put on top of what others pushed. */
  rebases: 2,
  /** Moves of the branch at the remote that a record keeps: the last ones. */
  branchMoves: 20,
  /** Of a step that has to end within one call of the driver, in seconds; Lambda's 15 minutes less what the call needs itself. */
  oneCallSeconds: 780,
  /** Of what the run itself does in the workspace (clone, record, commit), in seconds. */
  gitSeconds: 600,
} as const;

/** CloudWatch metrics of runs, in the driver's namespace. */
export const LOOP_METRICS = {
  dimension: 'Loop',
  outcomeDimension: 'Outcome',
  verdictDimension: 'Verdict',
  names: {
    /** Runs that ended, by outcome: COMMITTED, NO_CHANGES, or the error's name. */
    RUNS: 'Runs',
    /** Turns of the agent in a run. */
    ROUNDS: 'Rounds',
    /** Seconds from a run's begin to its end. */
    RUN_SECONDS: 'RunSeconds',
    /** Gates that ended, by verdict. */
    GATES: 'Gates',
  },
} as const;
