import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { SessionDriver } from '../driver/session-driver';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { sorted } from '../private/sorted';
import { endpointNameFaults } from '../runtime/runtime-grants';

/**
 * Props of every task on a session.
 *
 * @internal
 */
export interface SessionTaskProps extends sfn.StateBaseProps {
  /** The runtime whose session it is: ours, the official construct's or an imported one. */
  readonly runtime: IBedrockAgentRuntime;

  /**
   * Name of the endpoint through which the session is reached. A session belongs to one endpoint: all tasks on it have to
   * name the same one.
   *
   * @default - the runtime's `DEFAULT` endpoint, which moves to every new version, and wipes session storage as it does
   */
  readonly endpointName?: string;

  /**
   * The session's id: 33 to 100 characters, usually from the state. A session that does not exist yet begins with its first use.
   */
  readonly sessionId: string;

  /**
   * The function that talks to the session.
   *
   * @default - the stack's own, made when it is first needed
   */
  readonly driver?: SessionDriver;
}

/** Words that are the same for a request of each operation. */
export function addressOf(props: SessionTaskProps): { [name: string]: unknown } {
  return {
    runtimeArn: props.runtime.agentRuntimeArn,
    ...(props.endpointName === undefined ? {} : { qualifier: props.endpointName }),
    sessionId: props.sessionId,
  };
}

/** Rules for what `SessionTaskProps` adds. An expression of the state can only be checked when it runs. */
export function sessionFaults({ endpointName, sessionId }: SessionTaskProps): string[] {
  return [
    ...endpointFaults(endpointName),
    ...(isExpression(sessionId) ? [] : sessionIdFaults(sessionId)),
  ];
}

/** A fault for a literal name that no endpoint can have; a wildcard would let the driver reach more than is meant. */
export function endpointFaults(endpointName: string | undefined): string[] {
  return endpointName === undefined || isExpression(endpointName) ? [] : endpointNameFaults(endpointName);
}

function sessionIdFaults(sessionId: string): string[] {
  const { min, max } = LIMITS.sessionId;
  if (sessionId.length < min || sessionId.length > max) {
    return [`"sessionId" has ${sessionId.length} characters, ${min} to ${max} are allowed: make it longer, such as by a UUID, or read it from the state`];
  }
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(sessionId)
    ? []
    : [`"sessionId" is "${sessionId}", letters, digits, "-" and "_" are allowed, the first a letter or digit: change it`];
}

/** Maps of a user's, as far as a state takes them. */
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
  readonly driver: SessionDriver;
  /** Sent to the driver, with paths or expressions in it. */
  readonly request: { readonly [name: string]: unknown };
  readonly retries: readonly sfn.RetryProps[];
  readonly state: sfn.TaskStateBaseProps;
}

/**
 * A state that asks the driver for something, with the retries that are safe for it.
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
    // The plain form: the driver's result is the state's, without the envelope of `lambda:invoke`.
    return { Resource: driver.function.functionArn, ...this._renderParametersOrArguments(request, language) };
  }
}
