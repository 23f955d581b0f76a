import { Duration } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentTurn } from './agent-turn';
import { Commit } from './commit';
import { Gate } from './gate';
import { GitRepository } from './git-repository';
import { ProtectedPaths } from './protected-paths';
import { Verification } from './verification';
import { SessionDriver } from '../driver/session-driver';
import { RunArtifacts } from '../operate/run-artifacts';
import { RunBrake } from '../operate/run-brake';
import { RunBudget } from '../operate/run-budget';
import { RunEvents } from '../operate/run-events';

/** Determines whether a loop stops the session when a run ends. */
export enum SessionPolicy {
  /**
   * Stops the session, which ends the charges for its microVM. The service keeps the workspace for 14 days after its last use, unless the endpoint
   * is updated to another version.
   */
  STOP = 'STOP',
  /** Leaves the session running until its idle timeout, so that you can inspect it. */
  LEAVE = 'LEAVE',
}

/** Determines what failures of gates on the base mean for a run. The base is the commit that the run's branch is based on. */
export enum Baseline {
  /** A gate has to pass, whatever it does on the base. */
  NONE = 'NONE',
  /**
   * A gate that fails on the base passes if it fails with the same exit code, and nothing fails that did not fail there. With a report, each failing
   * test must also fail on the base, and at least as many tests must run. Without one, the output must be the same, apart from durations, dates and
   * the like.
   */
  KNOWN_FAILURES = 'KNOWN_FAILURES',
}

/** Properties for `CodingLoop`. */
export interface CodingLoopProps {
  /** The runtime in whose sessions the agent and the gates run: an `AgentRuntime`, an official `Runtime` or an imported one. */
  readonly runtime: IBedrockAgentRuntime;

  /** The repository that each run clones, and pushes its commit to unless `commit` is `Commit.local()`. */
  readonly repository: GitRepository;

  /** The checks that must pass before a run commits anything, in the order in which they run: 1 to 20 gates with different names. */
  readonly gates: Gate[];

  /**
   * The endpoint of the sessions, such as that of a `RuntimeRollout`.
   *
   * @default - the `DEFAULT` endpoint of the runtime, which is updated to each new version; the service then deletes the workspaces
   */
  readonly endpoint?: IRuntimeEndpoint;

  /**
   * The path of the workspace: a mount that outlives the microVM. It contains the clone in `repo` and the records of runs in `.workbench`.
   *
   * @default - the path where the runtime mounts its session storage
   */
  readonly mountPath?: string;

  /**
   * Commands that prepare the clone, such as `npm ci`. They run in order when a run starts, and the run fails if one of them fails.
   *
   * A command may be a script of several lines. Bash runs it with `set -e -o pipefail`, so that it stops at the first error, even within a pipe.
   * Background processes of a command are terminated when it ends, so start a server that gates need in the gate or in the image. All commands
   * together may have at most 31 KiB.
   *
   * @default - no commands
   */
  readonly bootstrap?: string[];

  /**
   * The timeout of all bootstrap commands together: 1 second to the `maxLifetime` of the session, which is 8 hours at most.
   *
   * @default Duration.minutes(13) - the time for which one call of the driver can follow them
   */
  readonly bootstrapTimeout?: Duration;

  /**
   * Determines how the loop runs a turn of the agent.
   *
   * @default AgentTurn.invoke(), or the turn of the agent if the image of the runtime is from `AgentImage.forAgent`: an invocation does not read what
   * the agent reports
   */
  readonly turn?: AgentTurn;

  /**
   * Determines whether the gates also run before the first turn, after the bootstrap commands.
   *
   * The field `greenBefore` of the record then shows for each gate whether it passed without the change. A gate that did says nothing about the
   * task. The results of these gates neither end the run nor count as repairs. This adds the time of all gates to the run.
   *
   * @default false - `greenBefore` is recorded only where it is already known, such as after a turn that changed nothing
   */
  readonly gatesBefore?: boolean;

  /**
   * Determines whether all gates run on the base, in a clean checkout of their own, before the first turn.
   *
   * A gate that does not pass there ends the run with `CodingLoop.BaseRed` before a turn is paid for, unless there is a `baseline`. The record has
   * the results (`baseCheck`). This adds the time of the bootstrap and of all gates to the run.
   *
   * @default false, or true with a `baseline`
   */
  readonly checkBase?: boolean;

  /**
   * Determines what failures of gates on the base mean for a run. A baseline holds at most 2,000 failing tests.
   *
   * @default Baseline.NONE
   */
  readonly baseline?: Baseline;

  /**
   * The maximum number of repairs in a run: 0 to 20. A run whose gates still fail after that ends with `CodingLoop.Red`.
   *
   * @default 3
   */
  readonly maxRepairs?: number;

  /**
   * Determines whether a change that has passed all gates is verified in a clean checkout before it is committed.
   *
   * @default Verification.inFreshSession()
   */
  readonly verification?: Verification;

  /**
   * Files that the agent must not change unnoticed, such as tests and the configuration of checks.
   *
   * @default - no change is refused; the record of a run lists which of the changed files usually judge a change (`judgingFiles`)
   */
  readonly protectedPaths?: ProtectedPaths;

  /**
   * Determines how the loop commits a change that has passed all gates.
   *
   * @default Commit.push()
   */
  readonly commit?: Commit;

  /**
   * Environment variables of the bootstrap commands, of a turn that is a command, and of the gates. They must not contain secrets, because the
   * service logs them.
   *
   * @default - only variables that set an identity for git and move caches to ephemeral disk
   */
  readonly environment?: { [name: string]: string };

  /**
   * Determines whether the loop stops the session when a run ends.
   *
   * @default SessionPolicy.STOP
   */
  readonly sessionPolicy?: SessionPolicy;

  /**
   * The timeout of a run: 1 minute to 30 days, and at least the timeout of each gate, of the turn and of the bootstrap commands. No step starts
   * after it.
   *
   * @default - the sum of the timeouts of all steps, at most 30 days
   */
  readonly timeout?: Duration;

  /**
   * The limits of each run. A run that exceeds its budget ends with `CodingLoop.OverBudget`, and its work stays in the workspace.
   *
   * @default - `maxRepairs` and `timeout` alone limit a run
   */
  readonly budget?: RunBudget;

  /**
   * The brake of the loop, which can be shared with other loops of the account and Region. While it is on, no run and no turn begins.
   *
   * @default - no brake
   */
  readonly brake?: RunBrake;

  /**
   * The maximum number of runs of the loop that are in progress at the same time: at least 1. A run above the limit ends with
   * `CodingLoop.TooManyRuns`, or waits for `queueTimeout`.
   *
   * Each run has one session for the agent, and at most one for a verification at a time. The AgentCore quota of active sessions applies to all
   * runtimes of an account. The driver counts runs with the `ListExecutions` API of Step Functions, which is eventually consistent: runs that start
   * within the same second may exceed the limit by a few.
   *
   * @default - no limit
   */
  readonly maxConcurrentRuns?: number;

  /**
   * The maximum time that a run waits while `maxConcurrentRuns` other runs are in progress: 30 seconds to 1 day. A run that waits longer ends with
   * `CodingLoop.TooManyRuns`. No run takes the place of one that started before it. `timeout` does not include the wait.
   *
   * @default - a run above the limit ends immediately
   */
  readonly queueTimeout?: Duration;

  /**
   * The name of the state machine. If it is set, the driver gets permission to read the executions of this state machine only, instead of all
   * state machines in the account and Region.
   *
   * @default - generated by CloudFormation
   */
  readonly stateMachineName?: string;

  /**
   * Determines which events the state machine logs, and to which log group. Execution data contains prompts.
   *
   * @default - errors without execution data, to the log group of the driver
   */
  readonly logs?: sfn.LogOptions;

  /**
   * Determines whether AWS X-Ray traces runs.
   *
   * @default true
   */
  readonly tracingEnabled?: boolean;

  /**
   * The key that encrypts the data of executions: their inputs, which contain prompts, and the input and output of states.
   *
   * @default - an AWS owned key
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The bucket to which the driver writes the files of a run while the run is in progress: the record, the logs of turns and gates, test reports, and
   * the change as a patch.
   *
   * @default - no files outside the workspace
   */
  readonly artifacts?: RunArtifacts;

  /**
   * The event bus to which the driver sends events when a run starts, after each round, and when the run ends.
   *
   * @default - no events
   */
  readonly events?: RunEvents;

  /**
   * The driver that talks to sessions.
   *
   * @default - the driver of the stack, which is created if there is none
   */
  readonly driver?: SessionDriver;
}
