/** Names and limits that the loop's constructs, its steps in the driver, its state machine and the tests share. */

import { RECORDS_FOLDER, VERDICTS } from '../../jobs/constants';

/** The folder of the clone, in the workspace. */
export const CLONE_FOLDER = 'repo';

/** The loop's own Git directory, in the workspace; the agent uses that of the clone. */
export const GIT_FOLDER = `${RECORDS_FOLDER}/git`;

/** The folder for files of the agent whose paths tracked files take, in the workspace. */
export const IN_THE_WAY_FOLDER = `${RECORDS_FOLDER}/left/in-the-way`;

/**
 * The workspace of a verification. It is on ephemeral disk, which is empty in each new microVM and enforces permissions. Session storage does not
 * enforce them (AgentCore developer guide, "filesystem configurations").
 */
export const VERIFICATION = {
  mount: '/tmp/.workbench-verification',
  /** The number of the user that commands run as: `nobody` of Debian, Alpine, Amazon Linux and others. */
  user: 65_534,
} as const;

/** The actions of a loop on a change to protected files. */
export const PROTECTED_ACTIONS = { REPAIR: 'REPAIR', RESTORE: 'RESTORE', REVIEW: 'REVIEW', FAIL: 'FAIL' } as const;

/** Pathspecs of files that usually judge a change: tests, CI, and the configuration of linters and builds. docs/verification.md lists them. */
export const JUDGING_PATHS: readonly string[] = [
  // Tests.
  ...['test', 'tests', '__tests__', 'spec', 'e2e', 'testdata', '__snapshots__', 'fixtures'].map((name) => `:(glob)**/${name}/**`),
  ...['*.test.*', '*.spec.*', '*_test.*', 'test_*.py', '*_spec.rb', '*Test.java', '*Tests.java', '*IT.java', '*Test.kt', '*Tests.cs', 'conftest.py'].map((name) => `:(glob)**/${name}`),
  // CI.
  ...['.github/**', '.gitlab-ci.yml', '.circleci/**', '.buildkite/**', 'Jenkinsfile*', 'azure-pipelines*.yml', 'bitbucket-pipelines.yml', 'buildspec*.yml'].map((name) => `:(glob)${name}`),
  // Linters, types, coverage.
  ...['.eslintrc*', 'eslint.config.*', '.prettierrc*', 'biome.json*', 'tsconfig*.json', '.flake8', '.pylintrc', 'ruff.toml', 'mypy.ini', '.coveragerc', '.golangci.*',
    'clippy.toml', 'rustfmt.toml', '.rubocop.yml', 'checkstyle*.xml', '.pre-commit-config.yaml', '.gitattributes'].map((name) => `:(glob)**/${name}`),
  // Builds and test runners.
  ...['package.json', 'jest.config.*', 'vitest.config.*', 'playwright.config.*', 'pyproject.toml', 'setup.cfg', 'tox.ini', 'pytest.ini', 'noxfile.py', 'Makefile',
    'pom.xml', 'build.gradle*', 'Cargo.toml', 'go.mod', 'Rakefile', '*.csproj'].map((name) => `:(glob)**/${name}`),
];

/** The names that a gate may have. They appear in the graph, in the commit and in the feedback. */
export const GATE_NAME = /^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}$/;

/** The operations that a loop requests of the driver, one per step of a run. */
export const STEPS = {
  PREPARE: 'loop:prepare',
  BOOTSTRAP: 'loop:bootstrap',
  TURN: 'loop:turn',
  SNAPSHOT: 'loop:snapshot',
  GATE: 'loop:gate',
  CHECK_BASE: 'loop:checkBase',
  VERIFY: 'loop:verify',
  COMMIT: 'loop:commit',
  STOP: 'loop:stop',
  /** Cleans up after an execution that ended without its last step: timed out, aborted, or failed in Step Functions itself. */
  CLEAN_UP: 'loop:cleanUp',
} as const;

/** The verdicts on a gate: those on its command, and `FLAKY`, if it passed on files on which it had failed. */
export const GATE_VERDICTS = { ...VERDICTS, FLAKY: 'FLAKY' } as const;

/** The verdicts that let a change through. */
export const PASSING: readonly string[] = [GATE_VERDICTS.PASSED, GATE_VERDICTS.FLAKY];

/** The outcomes of a run that did its work. */
export const OUTCOMES = { COMMITTED: 'COMMITTED', NO_CHANGES: 'NO_CHANGES' } as const;

/** The version of the schema of a run's record. */
export const RECORD_SCHEMA = '1.0';

/** The states of a workspace when a run starts: new, or resumed from an earlier run. */
export const WORKSPACES = { NEW: 'NEW', RESUMED: 'RESUMED' } as const;

/** The ways in which the state machine continues after a step. Anything that is not listed ends the run as a failure. */
export const NEXT = {
  /** The step's job outlived the function: the same step again, which attaches to the job. */
  RUNNING: 'RUNNING',
  /** The next step of the plan. */
  GO_ON: 'GO_ON',
  /** The gate passed on the recorded tree. */
  PASSED: 'PASSED',
  /** The gates have run before the first turn, which comes next. */
  BEGIN: 'BEGIN',
  /** Another turn, with feedback. */
  REPAIR: 'REPAIR',
  /** All gates again, on a newly recorded tree: a microVM was lost, or the change was rebased. */
  AGAIN: 'AGAIN',
  /** All gates passed, and there is nothing to commit. */
  NO_CHANGES: 'NO_CHANGES',
  RED: 'RED',
  STUCK: 'STUCK',
  INERT: 'INERT',
  /** The agent reported an end that is no work, or its turn failed: no gate runs. */
  NO_WORK: 'NO_WORK',
} as const;

/** The errors of a run, by the names that Step Functions sees. */
export const LOOP_ERRORS = {
  /** The input is wrong; the message names the field. Nothing was started. */
  BAD_INPUT: 'CodingLoop.BadInput',
  /** Another run is using the session, which is left alone. */
  SESSION_BUSY: 'CodingLoop.SessionBusy',
  /** The repository cannot be cloned, or the ref does not exist. */
  CHECKOUT_FAILED: 'CodingLoop.CheckoutFailed',
  /** A bootstrap command did not pass. */
  BOOTSTRAP_FAILED: 'CodingLoop.BootstrapFailed',
  /** A gate does not pass on the base, before the first turn, and the loop has no baseline. */
  BASE_RED: 'CodingLoop.BaseRed',
  /** The agent's command did not pass, or the agent reported a failure without an error that can be passed on. */
  TURN_FAILED: 'CodingLoop.TurnFailed',
  /** An agent that reports with a task token did not report in time, or missed a heartbeat. */
  TURN_TIMED_OUT: 'CodingLoop.TurnTimedOut',
  /** Git cannot record the files that the agent left. */
  SNAPSHOT_FAILED: 'CodingLoop.SnapshotFailed',
  /** A gate did not pass, and no repairs are left. */
  RED: 'CodingLoop.Red',
  /** A gate failed twice in a row on the same tree, or in the same way. */
  STUCK: 'CodingLoop.Stuck',
  /** The image does not have a gate's command. */
  INERT: 'CodingLoop.Inert',
  /** The workspace no longer belongs to the run: a deployment wiped it, or it expired. */
  WORKSPACE_LOST: 'CodingLoop.WorkspaceLost',
  /** Too many microVMs were lost. */
  LOST: 'CodingLoop.Lost',
  /** The agent changed protected files, and the loop does not let it. */
  PROTECTED_PATHS: 'CodingLoop.ProtectedPaths',
  /** The change could not be verified in a session of its own. That a gate fails there is no such error: it leads to a repair. */
  VERIFICATION_FAILED: 'CodingLoop.VerificationFailed',
  /** Somebody else pushed, and the change cannot be rebased. */
  PUSH_REJECTED: 'CodingLoop.PushRejected',
  /** The commit could not be made or pushed. */
  COMMIT_FAILED: 'CodingLoop.CommitFailed',
  /** The remote has a branch whose name conflicts with the run's branch. No turn was paid for, unless that branch was created during the run. */
  BRANCH_CONFLICT: 'CodingLoop.BranchConflict',
  /** The remote stopped answering during the push: the commit may have arrived. */
  PUSH_UNKNOWN: 'CodingLoop.PushUnknown',
  /** The last step itself could not run: the session may still exist. */
  NOT_STOPPED: 'CodingLoop.NotStopped',
  /** The run took longer than the loop's timeout. */
  TIMED_OUT: 'CodingLoop.TimedOut',
  /** The run reached a limit of its budget. The work is in the workspace. */
  OVER_BUDGET: 'CodingLoop.OverBudget',
  /** The loop has its maximum number of runs in progress. Nothing was started. */
  TOO_MANY_RUNS: 'CodingLoop.TooManyRuns',
  /** The brake is on: no run and no turn begins. */
  BRAKED: 'CodingLoop.Braked',
  /** A step failed with an error that has no name here, such as one of Lambda or Step Functions; the record has the name that was caught. */
  FAILED: 'CodingLoop.Failed',
} as const;

/** The error of a first step that waits for its turn. The state machine repeats the step, so that no run ends with it. */
export const QUEUED = 'CodingLoop.Queued';

/** The seconds between two looks of a run that waits for its turn. */
export const QUEUE_SECONDS = 30;

/** The errors of a forge. They end a run, unless a retry may help. */
export const FORGE_ERRORS = {
  /** The credential is not known to the forge, or has expired. */
  UNAUTHORIZED: 'Forge.Unauthorized',
  /** The credential may not do this. */
  FORBIDDEN: 'Forge.Forbidden',
  /** There is no such repository for this credential. */
  NOT_FOUND: 'Forge.NotFound',
  /** A rule of the forge refuses the change: a protected branch, a rule set, a secret or a file that is too large. */
  RULE_VIOLATION: 'Forge.RuleViolation',
  /** The forge does not do what it is asked for, such as a pull request without commits. */
  REFUSED: 'Forge.Refused',
  /** The forge asks for a pause. */
  RATE_LIMITED: 'Forge.RateLimited',
  /** The forge does not answer, or says that it cannot now. */
  UNAVAILABLE: 'Forge.Unavailable',
  /** The answer of the forge is not as documented. */
  UNEXPECTED: 'Forge.Unexpected',
} as const;

/** The beginning of the message of a bootstrap that did not pass. */
export const BOOTSTRAP_ENDED = 'the bootstrap: ';

/** The beginning of the message of a turn that the budget or the brake refused. */
export const TURN_NOT_BEGUN = 'the turn did not begin: ';

/** The errors of a first step after which there is no session to stop, or none that the run may stop. */
export const NOTHING_TO_STOP: readonly string[] = [LOOP_ERRORS.BAD_INPUT, LOOP_ERRORS.SESSION_BUSY, LOOP_ERRORS.TOO_MANY_RUNS, LOOP_ERRORS.BRAKED];

export const LOOP_LIMITS = {
  /** The maximum number of repairs. */
  repairs: 20,
  /** The maximum length of the prompt as JSON, in bytes. */
  promptBytes: 221_184,
  /** The maximum length of a step's request as JSON, in bytes: Step Functions' 256 KiB, less the space for a run's record and feedback. */
  requestBytes: 262_144 - 36_864,
  /** The maximum length of the reports of an agent in a state as JSON, in bytes. */
  agentBytes: 8_192,
  /** The maximum length of the output in a repair prompt, in bytes. */
  feedbackBytes: 16_384,
  /** The maximum total length of the names of changed files in a repair prompt, in characters. */
  changedFilesLength: 4_096,
  /** The maximum number of reports of a gate. */
  reportFiles: 5_000,
  /** The maximum size of the reports of a gate, in bytes. */
  reportBytes: 16_777_216,
  /** The maximum number of failing tests that a baseline holds. */
  knownFailures: 2_000,
  /** The number of characters by which the state names a failing test. */
  shortName: 6,
  /** The maximum total length of the names of tests in the record of a gate, in characters. */
  recordedTests: 400,
  /** The maximum number of times that a verification runs a gate that fails again. */
  retries: 5,
  /** The number of times that a run repeats its gates because a microVM was lost. */
  losses: 3,
  /** The maximum number of running executions to check before a session is resumed. */
  occupantsAsked: 1_000,
  /** The number of times to ask Step Functions again whether a session is busy: its answer lags when an execution has just ended. */
  busyTries: 3,
  /** The maximum number of stale markers that one run removes from a workspace. */
  takeovers: 3,
  /** The maximum number of times that a change is rebased on what others pushed. */
  rebases: 2,
  /** The number of moves of the remote branch that a record keeps: the latest ones. */
  branchMoves: 20,
  /** The maximum duration of a step that must end within one call of the driver, in seconds: Lambda's 15 minutes, less the overhead of the call. */
  oneCallSeconds: 780,
  /** The maximum number of verifications of a run, beyond one in each round: after a loss, and after a rebase. */
  moreVerifications: 6,
  /** The maximum size of a change as a pack, in bytes: it travels in commands of 64 KiB each. */
  packBytes: 67_108_864,
  /** The maximum size of a change that a publisher pushes, as a pack, in bytes. */
  publishBytes: 104_857_600,
  /** The maximum number of times that a publisher looks at a branch that others move at the same time. */
  publishTries: 5,
  /** The timeout of each of the run's own jobs in the workspace (clone, record, commit), in seconds. */
  gitSeconds: 600,
} as const;

/** The CloudWatch metrics of runs, in the driver's namespace. */
export const LOOP_METRICS = {
  dimension: 'Loop',
  outcomeDimension: 'Outcome',
  verdictDimension: 'Verdict',
  /** The name of the operation without its prefix, such as `gate`. */
  stepDimension: 'Step',
  names: {
    /** The number of runs that ended, by outcome: COMMITTED, NO_CHANGES, or the error's name. */
    RUNS: 'Runs',
    /** The number of turns of the agent in a run. */
    ROUNDS: 'Rounds',
    /** The duration of a run, in seconds. */
    RUN_SECONDS: 'RunSeconds',
    /** The number of gates that ended, by verdict. */
    GATES: 'Gates',
    /** 1 for a run that ended as `COMMITTED` or `NO_CHANGES`, and 0 for any other. Only by loop. */
    GREEN_RUNS: 'GreenRuns',
    /** 0 for a run that ended as `COMMITTED` or `NO_CHANGES`, and 1 for any other. Only by loop. */
    FAILED_RUNS: 'FailedRuns',
    /** The duration of a run, in percent of its timeout. Only by loop. */
    TIME_USED: 'TimeUsed',
    /** The estimated cost of a run, in US dollars. Only by loop. */
    COST: 'CostUsd',
    /** The number of gates that passed in the agent's session and failed in the verification. Only by loop. */
    CATCHES: 'VerificationCatches',
    /** The number of sessions that a run had to stop, and did not. Only by loop. */
    LEFT_OVER: 'SessionsNotStopped',
    /** The duration of a call of the driver for a step, in seconds, by step. */
    STEP_SECONDS: 'StepSeconds',
  },
} as const;

interface Repetition {
  readonly losses: number;
  readonly rebases: number;
  readonly baseline?: boolean;
}

/** Returns a job's name within its round, which differs each time that the gates start again. */
export function jobNameOf({ losses, rebases, baseline }: Repetition, name: string): string {
  return baseline ? `${name} before` : losses + rebases === 0 ? name : `${name} again ${losses}.${rebases}`;
}

/** Returns the name of the directory for what is moved out of the clone at a point of the run. */
export function leftDirectoryOf({ round, losses, rebases, baseline }: Repetition & { readonly round: number }): string {
  return `${baseline ? 'before' : round}-${losses}-${rebases}`;
}
