import { ArnFormat, CustomResource, Duration, RemovalPolicy, Stack, Tokenization } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { ATTRIBUTES, LIMITS } from './handler/constants';
import {
  DELETE_VERSIONS_ACTIONS, DESCRIBE_EXECUTIONS_ACTIONS, LIST_ENDPOINTS_ACTIONS, LIST_EXECUTIONS_ACTIONS, LIST_VERSIONS_ACTIONS, ROLLOUT_ACTIONS,
  SMOKE_COMMAND_ACTIONS,
} from './perms';
import { RolloutProvider } from './rollout-provider';
import { exportFaults, rolloutFaults } from './rollout-rules';
import { RuntimeRolloutProps } from './runtime-rollout-props';
import { SmokeTest } from './smoke-test';
import { throwOnFaults } from '../private/validation';
import { sessionStorageMountOf } from '../runtime/introspection';

/**
 * Creates an endpoint for each version of a runtime, and tests it before it is used.
 *
 * Without a rollout, all sessions use the `DEFAULT` endpoint. The service immediately updates it to each new version, untested, and deletes the
 * session storage of its sessions. The endpoints of a rollout, such as `v7` for version 7, are never updated: new runs use the newest endpoint that
 * passed its tests, while runs in progress and resumed sessions stay on their endpoint and keep their workspaces.
 *
 * If a version fails its tests, the deployment fails and reports their output. The endpoint of the version is removed, and all others stay as they
 * are. A version whose configuration has already passed, such as after a rollback, reuses the endpoint of that version without tests.
 *
 * ## Limitations
 *
 * - An image is identified by its URI. Versions with the same URI count as equal, even if a mutable tag has moved: reference images by digest, or
 *   let the CDK build them.
 * - The runtime, the rollout, and everything that refers to `endpoint` or `version` must be in one stack or in its nested stacks, because
 *   CloudFormation does not update an export that another stack imports. Other stacks can read the name from a parameter at run time.
 * - The service still updates `DEFAULT`. Sessions that started on it before the rollout was added lose their workspaces with the next version.
 * - The state of the rollout is stored in tags of its endpoints, with the prefix `cdk-agentcore-workbench:`. It ignores endpoints without them.
 *
 * @example
 * declare const runtime: AgentRuntime;
 * const rollout = new RuntimeRollout(this, 'Rollout', {
 *   runtime,
 *   smokeTests: [
 *     SmokeTest.tools(),
 *     SmokeTest.writable('/mnt/workspace'),
 *     SmokeTest.invoke({ prompt: 'Answer with OK' }, { expect: 'OK' }),
 *   ],
 * });
 * new CfnOutput(this, 'Endpoint', { value: rollout.endpoint.endpointName });
 */
export class RuntimeRollout extends Construct {
  /**
   * The endpoint for new runs. Its name is not known until deployment.
   *
   * Grants of this library through this endpoint cover all endpoints of the runtime, because runs in progress may use an older one.
   */
  public readonly endpoint: agentcore.IRuntimeEndpoint;

  /**
   * The version of the runtime that the endpoint points at.
   *
   * After a rollback, it is not the newest version, but an older one with the same configuration.
   */
  public readonly version: string;

  constructor(scope: Construct, id: string, props: RuntimeRolloutProps) {
    super(scope, id);

    const { runtime, drainStateMachineNames = [] } = props;
    const timeout = props.timeout ?? Duration.seconds(LIMITS.timeoutSeconds.default);
    const tests = props.smokeTests ?? SmokeTest._defaults(sessionStorageMountOf(runtime), timeout);
    throwOnFaults(this, rolloutFaults(this, props, tests, timeout));
    const drainArns = drainStateMachineNames.map((resourceName) => Stack.of(this).formatArn({
      service: 'states', resource: 'stateMachine', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }));

    const provider = new RolloutProvider(this, 'Provider', {
      logRetention: props.logRetention,
      encryptionKey: props.encryptionKey,
      statements: statementsFor(props, tests, drainArns),
    });
    const isRetained = props.removalPolicy === RemovalPolicy.RETAIN || props.removalPolicy === RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::RuntimeRollout',
      serviceToken: provider.serviceToken,
      // A create that fails is always undone, and the handler has to distinguish that from the removal of the rollout.
      removalPolicy: isRetained ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : props.removalPolicy,
      properties: {
        RuntimeId: runtime.agentRuntimeId,
        RuntimeArn: runtime.agentRuntimeArn,
        RuntimeVersion: runtime.agentRuntimeVersion,
        SmokeTests: tests.map((test) => test._bind()),
        KeepEndpoints: Tokenization.stringifyNumber(props.keepEndpoints ?? LIMITS.keepEndpoints.default),
        RetentionSeconds: Tokenization.stringifyNumber(props.retention?.toSeconds() ?? LIMITS.retentionSeconds.default),
        TimeoutSeconds: Tokenization.stringifyNumber(timeout.toSeconds()),
        DeleteUnusedVersions: `${props.deleteUnusedVersions ?? false}`,
        DrainStateMachines: drainArns,
        DrainSeconds: Tokenization.stringifyNumber(props.drainTimeout?.toSeconds() ?? defaultDrainSeconds(timeout)),
        RetainEndpoints: `${isRetained}`,
      },
    });
    this.node.addValidation({ validate: () => exportFaults(this, resource) });
    const endpointName = resource.getAttString(ATTRIBUTES.ENDPOINT_NAME);
    this.version = resource.getAttString(ATTRIBUTES.VERSION);
    this.endpoint = agentcore.RuntimeEndpoint.fromRuntimeEndpointAttributes(this, 'Endpoint', {
      agentRuntimeArn: runtime.agentRuntimeArn,
      agentRuntimeEndpointArn: `${runtime.agentRuntimeArn}/runtime-endpoint/${endpointName}`,
      endpointName,
      liveVersion: this.version,
    });
  }
}

function defaultDrainSeconds(timeout: Duration): number {
  return timeout.isUnresolved() ? timeout.toSeconds() : Math.min(LIMITS.drainSeconds, timeout.toSeconds());
}

/** Returns the least that the function needs for these props, on this runtime and its endpoints. */
function statementsFor(
  { runtime, deleteUnusedVersions }: RuntimeRolloutProps, tests: readonly SmokeTest[], drainArns: string[],
): iam.PolicyStatement[] {
  const { agentRuntimeArn: arn } = runtime;
  const statement = (actions: string[], resources: string[]) => new iam.PolicyStatement({ actions, resources });
  const smokeActions = new Set([...SMOKE_COMMAND_ACTIONS, ...tests.flatMap(({ _actions }) => _actions)]);
  return [
    statement([...ROLLOUT_ACTIONS, ...smokeActions].sort(), [arn, `${arn}/*`]),
    ...(deleteUnusedVersions ? [statement(DELETE_VERSIONS_ACTIONS, [arn])] : []),
    // The service checks lists on no resource.
    statement([...LIST_ENDPOINTS_ACTIONS, ...(deleteUnusedVersions ? LIST_VERSIONS_ACTIONS : [])], ['*']),
    ...(drainArns.length > 0 ? [
      statement(LIST_EXECUTIONS_ACTIONS, drainArns),
      statement(DESCRIBE_EXECUTIONS_ACTIONS, drainArns.map((drainArn) => `${drainArn.replace(':stateMachine:', ':execution:')}:*`)),
    ] : []),
  ];
}
