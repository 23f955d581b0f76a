import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { LOOP_ERRORS, NEXT, STEPS } from './steps/constants';
import { ATTACHING } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS } from '../jobs/constants';
import { DriverTask } from '../tasks/session-task';

/** Sent to the driver with every step of a loop, as plain values. */
export interface LoopTarget {
  readonly driver: SessionDriver;
  /** The function that commits, if the repository has a forge. */
  readonly publisher?: lambda.IFunction;
  readonly runtimeArn: string;
  readonly config: { readonly [name: string]: unknown };
  /** Determines whether the session is stopped when a run ends. */
  readonly stop: boolean;
}

/** Properties of a state that differ from those of the other steps. */
export interface StepState extends Partial<sfn.TaskStateBaseProps> {
  readonly retries?: readonly sfn.RetryProps[];
}

/** A step that other states follow, once the driver has seen it to its end. */
export interface LoopStep {
  readonly start: sfn.State;
  readonly next: (following: sfn.State) => void;
}

/** A task that sends the whole state of a run to the driver. */
class StepTask extends DriverTask {}

/** The timeout of a state: longer than its function can run, so that the function's own end is seen. */
const STATE_SECONDS = LIMITS.functionSeconds + LIMITS.functionMarginSeconds;

/** Creates the states of one loop. A step that fails, or that answers with something unknown, leads to the state that stops the session. */
export class LoopGraph {
  /** Stops the session and ends the run as failed. */
  public readonly stopFailed: sfn.TaskStateBase;

  private readonly notStopped: sfn.Fail;

  public constructor(private readonly scope: Construct, private readonly target: LoopTarget) {
    this.notStopped = new sfn.Fail(scope, 'NotStopped', {
      stateName: 'The session may still run', error: LOOP_ERRORS.NOT_STOPPED, causePath: '$.error.Cause',
    });
    this.stopFailed = this.stop('StopFailed', 'Stop the session after a failure', false);
    this.stopFailed.next(new sfn.Fail(scope, 'Failed', { stateName: 'Not committed', errorPath: '$.failure.name', causePath: '$.failure.cause' }));
  }

  /** Creates a state that performs an operation of the driver. Its result replaces `$.loop` unless `state` says otherwise. */
  public step(id: string, stateName: string, operation: string, request: object, options: StepState = {}): sfn.TaskStateBase {
    const { retries = ATTACHING, ...state } = options;
    const { driver, publisher, runtimeArn, config } = this.target;
    return new StepTask(this.scope, id, {
      driver: operation === STEPS.COMMIT && publisher !== undefined ? { function: publisher } : driver,
      request: { operation, runtimeArn, execution: sfn.JsonPath.executionId, config, state: sfn.JsonPath.entirePayload, ...request },
      retries,
      state: { stateName, resultPath: '$.loop', taskTimeout: sfn.Timeout.duration(Duration.seconds(STATE_SECONDS)), ...state },
    });
  }

  /** Creates a state that stops the session, and ends the run with an error of its own if the session cannot be stopped. */
  public stop(id: string, stateName: string, green: boolean, outputPath?: string): sfn.TaskStateBase {
    return this.step(id, stateName, STEPS.STOP, { stop: this.target.stop, green }, { resultPath: undefined, outputPath })
      .addCatch(this.notStopped, { resultPath: '$.error' });
  }

  /** Sends every error of a task to the state that stops the session. */
  public caught<T extends sfn.TaskStateBase>(task: T): T {
    task.addCatch(this.stopFailed, { resultPath: '$.error' });
    return task;
  }

  /** Creates a choice by `$.loop.next`. A value that is missing or not listed ends the run as failed. */
  public choice(id: string, stateName: string, ways: ReadonlyArray<readonly [next: string, state: sfn.State]>): sfn.Choice {
    const choice = new sfn.Choice(this.scope, id, { stateName });
    for (const [next, state] of ways) {
      choice.when(sfn.Condition.and(sfn.Condition.isPresent('$.loop.next'), sfn.Condition.stringEquals('$.loop.next', next)), state);
    }
    return choice.otherwise(this.stopFailed);
  }

  /** Repeats a task whose job can take longer than one call of the driver, until its job has ended. */
  public untilDone(task: sfn.TaskStateBase, id: string, stateName: string): LoopStep {
    return {
      start: task,
      next: (following) => task.next(this.choice(id, stateName, [[NEXT.RUNNING, task], [NEXT.GO_ON, following]])),
    };
  }
}
