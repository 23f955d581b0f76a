import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { addressOf, DriverTask, JsonataResultProps, JsonPathResultProps, sessionFaults, sessionSecondsOf, SessionTaskProps } from './session-task';
import { BEFORE_FIRST_BYTE, FIRST_INVOKE } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS, OPERATIONS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { durationFaults, secondsOf, throwOnFaults } from '../private/validation';
import { lifecycleOf } from '../runtime/introspection';
import { INVOKE_ACTIONS } from '../runtime/perms';

/**
 * Properties for `InvokeAgent` in either query language.
 *
 * @internal
 */
export interface InvokeAgentOptions {
  /**
   * The payload that is sent to the agent as JSON. It may contain values from the state. With `IntegrationPattern.WAIT_FOR_TASK_TOKEN`, it must
   * contain the task token.
   *
   * It must not contain secrets, because they are readable in the template and in the history of executions.
   */
  readonly payload: sfn.TaskInput;

  /**
   * The timeout of the agent's answer: 1 second to 14 minutes and 40 seconds, because a Lambda function waits for it, and at most the
   * `maxLifetime` of the session. For longer work, let the agent report with a task token, or run the agent as a command.
   *
   * @default - 14 minutes and 40 seconds, or the `maxLifetime` of the session if that is shorter
   */
  readonly timeout?: Duration;

  /**
   * The integration pattern of the task: `REQUEST_RESPONSE` or `WAIT_FOR_TASK_TOKEN`.
   *
   * With `REQUEST_RESPONSE`, the result of the task is the agent's answer. With `WAIT_FOR_TASK_TOKEN`, the agent answers at once, continues in
   * the background, and reports with `SendTaskSuccess` or `SendTaskFailure`. Grant its execution role permission to report with
   * `stateMachine.grantTaskResponse(runtime)`.
   *
   * @default sfn.IntegrationPattern.REQUEST_RESPONSE
   */
  readonly integrationPattern?: sfn.IntegrationPattern;

  /**
   * The maximum time between two calls of `SendTaskHeartbeat` by an agent that reports with a task token: at least 1 second, and less than
   * `callbackTimeout`.
   *
   * @default Duration.minutes(5) - with a task token; otherwise, no heartbeat
   */
  readonly heartbeat?: Duration;

  /**
   * The timeout of the work of an agent that reports with a task token: 1 second to the `maxLifetime` of the session.
   *
   * @default - the `maxLifetime` of the session, or 8 hours if it is not known
   */
  readonly callbackTimeout?: Duration;

  /**
   * Determines whether the task may be the first one on the session, and so start it.
   *
   * A new session can fail to start for up to 2 minutes, for example while the image is pulled for the first time. The task then invokes the agent
   * again for up to 3 minutes, unless the agent may have started to work. Set it to `false` after another task on the same session, so that the
   * task reports a failing container at once.
   *
   * @default true
   */
  readonly mayStartSession?: boolean;
}

/** Properties for `InvokeAgent`. */
export interface InvokeAgentProps extends SessionTaskProps, InvokeAgentOptions, JsonPathResultProps, JsonataResultProps {}
/** Properties for `InvokeAgent.jsonPath`. */
export interface InvokeAgentJsonPathProps extends SessionTaskProps, InvokeAgentOptions, JsonPathResultProps {}
/** Properties for `InvokeAgent.jsonata`. */
export interface InvokeAgentJsonataProps extends SessionTaskProps, InvokeAgentOptions, JsonataResultProps {}

const DEFAULT_HEARTBEAT = Duration.minutes(5);
const LONGEST_INVOKE_SECONDS = LIMITS.functionSeconds - LIMITS.functionMarginSeconds;

/**
 * Invokes the agent in a session and waits for its answer.
 *
 * The result is `{ reply, replyBytes, seconds }`. `reply` is the JSON or the text of the answer. For an event stream, it is the data of the last
 * event, and `events` is the number of events. If the answer is larger than 128 KiB, `reply` is null and `tail` contains its end.
 *
 * The task fails with one of these errors: `Workbench.AgentFailed` (the agent answered with `error`), `Workbench.ContainerError` (the container
 * did not start, or answered with 4xx or 5xx), `Workbench.SessionStarting` (the container of a new session was not ready within 3 minutes),
 * `Workbench.InvokeTimedOut`, `Workbench.StreamCut` (the connection broke), or an error of the service. The task retries an invocation only if the
 * agent cannot have started to work.
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
  /** Creates a task that uses JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: InvokeAgentJsonPathProps): InvokeAgent {
    return new InvokeAgent(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** Creates a task that uses JSONata. */
  public static jsonata(scope: Construct, id: string, props: InvokeAgentJsonataProps): InvokeAgent {
    return new InvokeAgent(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  constructor(scope: Construct, id: string, props: InvokeAgentProps) {
    const driver = props.driver ?? SessionDriver.getOrCreate(scope);
    const {
      runtime, endpoint, sessionId, driver: _driver, payload, timeout, heartbeat, callbackTimeout, mayStartSession = true, ...state
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
      ...sessionFaults({ runtime, endpoint, sessionId }),
      ...durationFaults('timeout', timeout, 1, longestSeconds, sessionSeconds < LONGEST_INVOKE_SECONDS
        ? 'the session does not live longer; raise its "maxLifetime"' : 'let the agent report with a task token, or run the agent as a command'),
      ...secretFaults(this, { payload: payload.value }),
      ...(callback ? callbackFaults(props, sessionSeconds) : requestFaults(props)),
    ]);
    driver._allow(runtime, INVOKE_ACTIONS, endpoint);
  }
}

function requestFaults({ integrationPattern, heartbeat, callbackTimeout }: InvokeAgentProps): string[] {
  return [
    ...(integrationPattern === sfn.IntegrationPattern.RUN_JOB
      ? ['"integrationPattern" must be REQUEST_RESPONSE or WAIT_FOR_TASK_TOKEN, not RUN_JOB: use WAIT_FOR_TASK_TOKEN for work that outlives an answer'] : []),
    ...((heartbeat ?? callbackTimeout) !== undefined
      ? ['"integrationPattern" must be WAIT_FOR_TASK_TOKEN for "heartbeat" and "callbackTimeout": set it, or remove them'] : []),
  ];
}

function callbackFaults({ payload, heartbeat = DEFAULT_HEARTBEAT, callbackTimeout }: InvokeAgentProps, sessionSeconds: number): string[] {
  return [
    ...durationFaults('callbackTimeout', callbackTimeout, 1, sessionSeconds, 'the session does not live longer'),
    // Step Functions rejects a heartbeat that is not shorter.
    ...durationFaults('heartbeat', heartbeat, 1, secondsOf(callbackTimeout, sessionSeconds) - 1, 'make it shorter than "callbackTimeout"'),
    ...(!sfn.FieldUtils.containsTaskToken(payload.value) && !JSON.stringify(payload.value).includes('$states.context.Task.Token')
      ? ['"payload" must contain the task token: add JsonPath.taskToken, or "{% $states.context.Task.Token %}" with JSONata'] : []),
  ];
}
