import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { durationFaults, secondsOf, sessionSecondsOf } from './checks';
import { addressOf, DriverTask, sessionFaults, SessionTaskProps } from './session-task';
import { JsonataResultProps, JsonPathResultProps } from './task-props';
import { BEFORE_FIRST_BYTE, FIRST_INVOKE } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS, OPERATIONS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';
import { lifecycleOf } from '../runtime/introspection';
import { INVOKE_ACTIONS } from '../runtime/perms';

/**
 * Props of `InvokeAgent` in either query language.
 *
 * @internal
 */
export interface InvokeAgentOptions {
  /**
   * What the agent gets, as JSON, with values from the state. No secrets: the template and the state machine's history show it.
   * With `IntegrationPattern.WAIT_FOR_TASK_TOKEN` it has to hold the task token.
   */
  readonly payload: sfn.TaskInput;

  /**
   * How long the agent may take to answer: 1 second to 14 minutes and 40 seconds, since a function waits for it. For longer
   * work let the agent answer at once and report by a task token, or run it as a command. At most the session's `maxLifetime`.
   *
   * @default - 14 minutes and 40 seconds, or the session's `maxLifetime` if that is shorter
   */
  readonly timeout?: Duration;

  /**
   * `REQUEST_RESPONSE`: the agent's answer is the result. `WAIT_FOR_TASK_TOKEN`: the agent answers at once, works on in the
   * background, and reports with `SendTaskSuccess` or `SendTaskFailure`; its execution role needs `states:SendTask*` on the
   * state machine.
   *
   * @default sfn.IntegrationPattern.REQUEST_RESPONSE
   */
  readonly integrationPattern?: sfn.IntegrationPattern;

  /**
   * With a task token: the longest silence of the agent, which has to call `SendTaskHeartbeat` more often than that. Shorter than
   * `callbackTimeout`.
   *
   * @default Duration.minutes(5) - with a task token; none without
   */
  readonly heartbeat?: Duration;

  /**
   * With a task token: how long all of the agent's work may take, up to the session's `maxLifetime`.
   *
   * @default - the session's `maxLifetime`, 8 hours if that is not known
   */
  readonly callbackTimeout?: Duration;

  /**
   * Whether this may be the first use of the session. For up to two minutes a new session may fail to start, such as while the image is first
   * pulled: it is then asked again, for up to 3 minutes, as long as the agent cannot have begun. `false` after another task on the same
   * session: a container that fails is reported at once.
   *
   * @default true
   */
  readonly mayStartSession?: boolean;
}

/** Props of `InvokeAgent`. */
export interface InvokeAgentProps extends SessionTaskProps, InvokeAgentOptions, JsonPathResultProps, JsonataResultProps {}
/** Props of `InvokeAgent.jsonPath`. */
export interface InvokeAgentJsonPathProps extends SessionTaskProps, InvokeAgentOptions, JsonPathResultProps {}
/** Props of `InvokeAgent.jsonata`. */
export interface InvokeAgentJsonataProps extends SessionTaskProps, InvokeAgentOptions, JsonataResultProps {}

const DEFAULT_HEARTBEAT = Duration.minutes(5);
const LONGEST_INVOKE_SECONDS = LIMITS.functionSeconds - LIMITS.functionMarginSeconds;

/**
 * Invokes the agent in a session and waits for its answer.
 *
 * The result is `{ reply, replyBytes, seconds }`: `reply` is the answer's JSON, or its text; of an event stream the last
 * event's data, with `events` as their number. An answer of more than 128 KiB leaves `reply` null and its end in `tail`.
 *
 * Errors, by name: `Workbench.AgentFailed` (it answered with `error`), `Workbench.ContainerError` (it did not start, or
 * answered with 4xx or 5xx), `Workbench.SessionStarting` (the container of a new session was not ready in
 * three minutes of tries), `Workbench.InvokeTimedOut`, `Workbench.StreamCut`, and those of the service. Only what came
 * before the agent can have begun is retried.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * new InvokeAgent(this, 'Ask the agent', {
 *   runtime,
 *   sessionId: sfn.JsonPath.stringAt('$.session.id'),
 *   payload: sfn.TaskInput.fromObject({ prompt: sfn.JsonPath.stringAt('$.prompt') }),
 *   resultPath: '$.turn',
 * });
 */
export class InvokeAgent extends DriverTask {
  /** A state that reads its input by JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: InvokeAgentJsonPathProps): InvokeAgent {
    return new InvokeAgent(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** A state that reads its input by JSONata. */
  public static jsonata(scope: Construct, id: string, props: InvokeAgentJsonataProps): InvokeAgent {
    return new InvokeAgent(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  constructor(scope: Construct, id: string, props: InvokeAgentProps) {
    const driver = props.driver ?? SessionDriver.of(scope);
    const {
      runtime, endpointName, sessionId, driver: _driver, payload, timeout, heartbeat, callbackTimeout, mayStartSession = true, ...state
    } = props;
    const callback = props.integrationPattern === sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN;
    const sessionSeconds = sessionSecondsOf(runtime);
    const longestSeconds = Math.min(LONGEST_INVOKE_SECONDS, sessionSeconds);
    const timeoutSeconds = timeout?.toSeconds({ integral: false }) ?? longestSeconds;
    const lifetime = Duration.seconds(lifecycleOf(runtime)?.maxLifetime ?? LIMITS.sessionSeconds);
    super(scope, id, {
      driver,
      request: {
        operation: OPERATIONS.INVOKE,
        ...addressOf(props),
        timeoutSeconds,
        payload: sorted(payload.value),
        ...(mayStartSession ? {} : { answered: true }),
      },
      retries: mayStartSession ? FIRST_INVOKE : BEFORE_FIRST_BYTE,
      state: {
        ...state,
        ...(callback
          ? {
            taskTimeout: sfn.Timeout.duration(callbackTimeout ?? lifetime),
            heartbeatTimeout: sfn.Timeout.duration(heartbeat ?? DEFAULT_HEARTBEAT),
          }
          : { taskTimeout: sfn.Timeout.duration(Duration.seconds(LIMITS.functionSeconds + LIMITS.functionMarginSeconds)) }),
      },
    });
    throwOnFaults(this, [
      ...sessionFaults({ runtime, endpointName, sessionId }),
      ...durationFaults('timeout', timeout, 1, longestSeconds, sessionSeconds < LONGEST_INVOKE_SECONDS
        ? 'the session does not live longer; raise its "maxLifetime"' : 'let the agent report by a task token, or run it as a command'),
      ...secretFaults(this, { payload: payload.value }),
      ...(callback ? callbackFaults(props, sessionSeconds) : requestFaults(props)),
    ]);
    driver._allow(runtime, INVOKE_ACTIONS, endpointName);
  }
}

function requestFaults({ integrationPattern, heartbeat, callbackTimeout }: InvokeAgentProps): string[] {
  return [
    ...(integrationPattern === sfn.IntegrationPattern.RUN_JOB
      ? ['"integrationPattern" is RUN_JOB, REQUEST_RESPONSE and WAIT_FOR_TASK_TOKEN are allowed: use the latter for work that outlives an answer'] : []),
    ...((heartbeat ?? callbackTimeout) !== undefined
      ? ['"heartbeat" and "callbackTimeout" need "integrationPattern" WAIT_FOR_TASK_TOKEN: set it, or leave them out'] : []),
  ];
}

function callbackFaults({ payload, heartbeat = DEFAULT_HEARTBEAT, callbackTimeout }: InvokeAgentProps, sessionSeconds: number): string[] {
  return [
    ...durationFaults('callbackTimeout', callbackTimeout, 1, sessionSeconds, 'the session does not live longer'),
    // Step Functions refuses one that is not shorter.
    ...durationFaults('heartbeat', heartbeat, 1, secondsOf(callbackTimeout, sessionSeconds) - 1, 'it has to be shorter than "callbackTimeout"'),
    ...(!sfn.FieldUtils.containsTaskToken(payload.value) && !JSON.stringify(payload.value).includes('$states.context.Task.Token')
      ? ['"payload" does not hold the task token: put JsonPath.taskToken into it, or "{% $states.context.Task.Token %}" with JSONata'] : []),
  ];
}
