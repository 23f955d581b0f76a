import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { AgentTurnConfig } from './agent-turn';
import { GateConfig } from './gate';
import { LOOP_ERRORS, LOOP_LIMITS, NEXT, NOTHING_TO_STOP, STEPS } from './steps/constants';
import { ATTACHING, BEFORE_FIRST_BYTE } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS, TIMEOUT_ERRORS } from '../jobs/constants';
import { DriverTask } from '../tasks/session-task';

/** What the states are made of. All plain values, as the driver's steps want them. */
export interface LoopDefinition {
  readonly driver: SessionDriver;
  readonly runtimeArn: string;
  readonly config: { readonly [name: string]: unknown };
  /** What only the first step needs of the configuration. */
  readonly prepare: { readonly [name: string]: unknown };
  readonly bootstrap: readonly string[];
  readonly bootstrapSeconds: number;
  readonly turn: AgentTurnConfig;
  readonly gates: readonly GateConfig[];
  readonly gatesBefore: boolean;
  readonly maxRepairs: number;
  readonly commit: { readonly message: string };
  readonly stop: boolean;
}

/** One step of a run: a call of the driver, with all of the state. */
class StepTask extends DriverTask {}

/** A state waits longer than its function can run, so that the function's own end is seen. */
const STATE_SECONDS = LIMITS.functionSeconds + LIMITS.functionMarginSeconds;

/** Missing or unknown is none of the ways on: it leads to the end. */
function isNext(value: string): sfn.Condition {
  return sfn.Condition.and(sfn.Condition.isPresent('$.loop.next'), sfn.Condition.stringEquals('$.loop.next', value));
}

/** Makes the states of a loop, below `scope`, and returns the first. Their names are what a person reads in the console. */
export function loopStates(scope: Construct, definition: LoopDefinition): sfn.IChainable {
  const { turn, gates, gatesBefore, commit } = definition;

  type StateProps = Partial<sfn.TaskStateBaseProps>;
  const step = (id: string, name: string, operation: string, request: object, state: StateProps = {}) => new StepTask(scope, id, {
    driver: definition.driver,
    request: {
      operation,
      runtimeArn: definition.runtimeArn,
      execution: sfn.JsonPath.executionId,
      config: definition.config,
      state: sfn.JsonPath.entirePayload,
      ...request,
    },
    retries: operation === STEPS.TURN && turn.command === undefined ? BEFORE_FIRST_BYTE : ATTACHING,
    state: { stateName: name, resultPath: '$.loop', taskTimeout: sfn.Timeout.duration(Duration.seconds(STATE_SECONDS)), ...state },
  });

  const failed = new sfn.Fail(scope, 'Failed', { stateName: 'Not committed', errorPath: '$.failure.name', causePath: '$.failure.cause' });
  const refused = new sfn.Fail(scope, 'Refused', { stateName: 'Refused, nothing was started', errorPath: '$.Error', causePath: '$.failure.errorMessage' });
  const running = new sfn.Fail(scope, 'NotStopped', {
    stateName: 'The session may still run', error: LOOP_ERRORS.NOT_STOPPED, causePath: '$.error.Cause',
  });

  const stop = (id: string, name: string, green: boolean, outputPath?: string) =>
    step(id, name, STEPS.STOP, { stop: definition.stop, green }, { resultPath: undefined, outputPath }).addCatch(running, { resultPath: '$.error' });
  const done = stop('Stop', 'Stop the session', true, '$.output');
  const stopFailed = stop('StopFailed', 'Stop the session after a failure', false);
  stopFailed.next(failed);
  const caught = (task: sfn.TaskStateBase) => task.addCatch(stopFailed, { resultPath: '$.error' });

  const prepare = step('Prepare', 'Prepare the run', STEPS.PREPARE, {
    config: { ...definition.config, ...definition.prepare },
    startedAt: sfn.JsonPath.executionStartTime,
  }, { resultPath: undefined });
  // In the place of the input: one that is no object has no place for it. Lambda's cause is JSON, and the message in it is the record.
  const refuse = new sfn.Pass(scope, 'Refuse', {
    stateName: 'Say why it is refused',
    parameters: { Error: sfn.JsonPath.stringAt('$.Error'), failure: sfn.JsonPath.stringToJson(sfn.JsonPath.stringAt('$.Cause')) },
  });
  refuse.next(refused);
  prepare.addCatch(refuse, { errors: [...NOTHING_TO_STOP], resultPath: '$' });
  caught(prepare);

  const ask = turn.callback
    ? step('Turn', 'Ask the agent', STEPS.TURN, { timeoutSeconds: LIMITS.functionSeconds, taskToken: sfn.JsonPath.taskToken }, {
      integrationPattern: sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
      taskTimeout: sfn.Timeout.duration(Duration.seconds(turn.timeoutSeconds)),
      heartbeatTimeout: sfn.Timeout.duration(turn.heartbeat),
      resultPath: sfn.JsonPath.DISCARD,
    })
    : step('Turn', 'Ask the agent', STEPS.TURN, { timeoutSeconds: turn.timeoutSeconds, ...(turn.command === undefined ? {} : { command: turn.command }) });
  // Apart from other failures, since a timeout's own name does not say that it was the agent who kept silent.
  if (turn.callback) ask.addCatch(stopFailed, { errors: [...TIMEOUT_ERRORS], resultPath: '$.silence' });
  caught(ask);
  const record = caught(step('Snapshot', 'Record what changed', STEPS.SNAPSHOT, { maxRepairs: definition.maxRepairs, ...(gatesBefore ? { gatesBefore } : {}) }));
  const first = gatesBefore ? record : ask;

  if (definition.bootstrap.length === 0) {
    prepare.next(first);
  } else {
    const bootstrap = caught(step('Bootstrap', 'Bootstrap the workspace', STEPS.BOOTSTRAP, {
      commands: definition.bootstrap, timeoutSeconds: definition.bootstrapSeconds,
    }));
    prepare.next(bootstrap);
    bootstrap.next(definition.bootstrapSeconds <= LOOP_LIMITS.oneCallSeconds ? first : new sfn.Choice(scope, 'Bootstrapped', { stateName: 'Is the workspace ready?' })
      .when(isNext(NEXT.RUNNING), bootstrap)
      .when(isNext(NEXT.GO_ON), first)
      .otherwise(stopFailed));
  }

  ask.next(turn.command === undefined ? record : new sfn.Choice(scope, 'Answered', { stateName: 'Is the agent done?' })
    .when(isNext(NEXT.RUNNING), ask)
    .when(isNext(NEXT.GO_ON), record)
    .otherwise(stopFailed));

  const save = caught(step('Commit', definition.config.push ? 'Commit and push' : 'Commit', STEPS.COMMIT, { ...commit, gates: gates.map(({ name }) => name) }));
  save.next(definition.config.push
    ? new sfn.Choice(scope, 'Pushed', { stateName: 'Is it pushed?' })
      .when(isNext(NEXT.GO_ON), done)
      .when(isNext(NEXT.NO_CHANGES), done)
      .when(isNext(NEXT.AGAIN), record)
      .otherwise(stopFailed)
    : done);

  // From the last gate to the first, since each goes on to the one after it.
  const firstGate = [...gates].reverse().reduce<sfn.State>((following, gate, index) => {
    const number = gates.length - index;
    const lastBefore = gatesBefore && index === 0;
    const run = caught(step(`Gate${number}`, `Run gate: ${gate.name}`, STEPS.GATE, { gate, maxRepairs: definition.maxRepairs, ...(lastBefore ? { lastBefore } : {}) }));
    const passed = new sfn.Choice(scope, `Gate${number}Passed`, { stateName: `Did it pass: ${gate.name}?` });
    if (lastBefore) passed.when(isNext(NEXT.BEGIN), ask);
    run.next(passed
      .when(isNext(NEXT.PASSED), following)
      .when(isNext(NEXT.REPAIR), ask)
      .when(isNext(NEXT.AGAIN), record)
      .when(isNext(NEXT.RUNNING), run)
      .otherwise(stopFailed));
    return run;
  }, save);

  record.next(new sfn.Choice(scope, 'Recorded', { stateName: 'Is all of it recorded?' })
    .when(isNext(NEXT.GO_ON), firstGate)
    .when(isNext(NEXT.REPAIR), ask)
    .otherwise(stopFailed));

  return prepare;
}
