import { Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { sorted } from '../private/sorted';
import { endpointFaults } from '../runtime/endpoint';
import { lifecycleOf } from '../runtime/introspection';

/**
 * Properties that are common to all tasks on a session.
 *
 * @internal
 */
export interface SessionTaskProps extends sfn.StateBaseProps {
  /** The runtime of the session: an `AgentRuntime`, an official `Runtime` or an imported one. */
  readonly runtime: IBedrockAgentRuntime;

  /**
   * The endpoint of the session. A session belongs to one endpoint, so all tasks on it must use the same one.
   *
   * To read the name of the endpoint from the state, import an endpoint whose name is a JSONPath or JSONata expression.
   *
   * @default - the `DEFAULT` endpoint of the runtime, which is updated to each new version; the service then deletes the session storage
   */
  readonly endpoint?: IRuntimeEndpoint;

  /**
   * The ID of the session, usually read from the state. The session is created when the ID is first used.
   *
   * It must have 33 to 100 characters, start with a letter or digit, and contain only letters, digits, hyphens and underscores.
   */
  readonly sessionId: string;

  /**
   * The driver that talks to the session.
   *
   * @default - the driver of the stack, which is created if there is none
   */
  readonly driver?: SessionDriver;
}

/**
 * Properties for the result of a task that uses JSONPath.
 *
 * @internal
 */
export interface JsonPathResultProps extends sfn.JsonPathCommonOptions, sfn.AssignableStateOptions {
  /**
   * The path in the input where the result is placed, or `JsonPath.DISCARD` to pass on the input without the result.
   *
   * @default - the result replaces the input
   */
  readonly resultPath?: string;

  /**
   * The JSON that replaces the result before `resultPath` is applied. It may select parts of the result.
   *
   * @default - the whole result
   */
  readonly resultSelector?: { [key: string]: unknown };
}

/**
 * Properties for the result of a task that uses JSONata.
 *
 * @internal
 */
export interface JsonataResultProps extends sfn.JsonataCommonOptions, sfn.AssignableStateOptions {}

/** Returns the fields that the requests of all operations share. */
export function addressOf(props: SessionTaskProps): { [name: string]: unknown } {
  return {
    runtimeArn: props.runtime.agentRuntimeArn,
    ...(props.endpoint === undefined ? {} : { qualifier: props.endpoint.endpointName }),
    sessionId: props.sessionId,
  };
}

/** Returns the maximum lifetime of the runtime's sessions, in seconds: the service's own maximum if it is not known at synth. */
export function sessionSecondsOf(runtime: IBedrockAgentRuntime): number {
  const lifetime = lifecycleOf(runtime)?.maxLifetime;
  return lifetime === undefined || Token.isUnresolved(lifetime) ? LIMITS.sessionSeconds : Math.min(lifetime, LIMITS.sessionSeconds);
}

/** Returns the faults of `SessionTaskProps`. An expression can only be checked when the state runs. */
export function sessionFaults({ endpoint, sessionId }: SessionTaskProps): string[] {
  return [
    ...endpointFaults(endpoint),
    ...(isExpression(sessionId) ? [] : sessionIdFaults(sessionId)),
  ];
}

function sessionIdFaults(sessionId: string): string[] {
  const { min, max } = LIMITS.sessionId;
  if (sessionId.length < min || sessionId.length > max) {
    return [`"sessionId" must have ${min} to ${max} characters, not ${sessionId.length}: use a UUID, or read it from the state`];
  }
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(sessionId)
    ? []
    : [`"sessionId" must be letters, digits, "-" and "_", beginning with a letter or digit, not "${sessionId}": change it`];
}

/** Sorts the user's maps in the props of a state. */
function inOrder<T extends sfn.TaskStateBaseProps>(state: T): T {
  const { resultSelector, assign, outputs } = state as sfn.TaskStateBaseProps & { readonly resultSelector?: object; readonly outputs?: unknown };
  return {
    ...state,
    ...(resultSelector === undefined ? {} : { resultSelector: sorted(resultSelector) }),
    ...(assign === undefined ? {} : { assign: sorted(assign) }),
    ...(outputs === undefined ? {} : { outputs: sorted(outputs) }),
  };
}

/** @internal */
export interface DriverTaskConfig {
  /** The driver, or another function that takes its requests. */
  readonly driver: Pick<SessionDriver, 'function'>;
  /** The request to the driver, which may contain paths or expressions. */
  readonly request: { readonly [name: string]: unknown };
  readonly retries: readonly sfn.RetryProps[];
  readonly state: sfn.TaskStateBaseProps;
}

/**
 * A state that sends a request to the driver, with the retries that are safe for the request.
 *
 * @internal
 */
export abstract class DriverTask extends sfn.TaskStateBase {
  protected readonly taskMetrics?: sfn.TaskMetricsConfig;
  protected readonly taskPolicies?: iam.PolicyStatement[];

  private readonly config: DriverTaskConfig;

  constructor(scope: Construct, id: string, config: DriverTaskConfig) {
    super(scope, id, inOrder(config.state));
    this.config = config;
    this.taskPolicies = [new iam.PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources: [config.driver.function.functionArn],
    })];
    for (const retry of config.retries) this.addRetry(retry);
  }

  /** @internal */
  protected _renderTask(topLevelQueryLanguage?: sfn.QueryLanguage): object {
    const { driver, request, state } = this.config;
    const language = state.queryLanguage ?? topLevelQueryLanguage ?? sfn.QueryLanguage.JSON_PATH;
    if (state.integrationPattern === sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN) {
      return {
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        ...this._renderParametersOrArguments({ FunctionName: driver.function.functionArn, Payload: request }, language),
      };
    }
    // The plain form: the driver's result is the state's result, without the envelope of `lambda:invoke`.
    return { Resource: driver.function.functionArn, ...this._renderParametersOrArguments(request, language) };
  }
}
