import { ArnFormat, CustomResource, Duration, RemovalPolicy, Stack, Tokenization } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ATTRIBUTES, LIMITS } from './handler/constants';
import {
  DELETE_VERSIONS_ACTIONS, DESCRIBE_EXECUTIONS_ACTIONS, LIST_ENDPOINTS_ACTIONS, LIST_EXECUTIONS_ACTIONS, LIST_VERSIONS_ACTIONS, ROLLOUT_ACTIONS,
  SMOKE_COMMAND_ACTIONS, SMOKE_INVOKE_ACTIONS,
} from './perms';
import { RolloutProvider } from './rollout-provider';
import { rolloutFaults, smokeTestFaults, smokeTestProperties } from './rollout-rules';
import { SmokeTest, SmokeTestConfig } from './smoke-test';
import { exportFaults, stackFaults } from './stack-rules';
import { throwOnFaults } from '../private/validation';
import { sessionStorageMountOf } from '../runtime/introspection';

/** Properties of a `RuntimeRollout`. */
export interface RuntimeRolloutProps {
  /** The runtime whose versions are rolled out: an `AgentRuntime` or the official `Runtime` of this app. One rollout for each runtime. */
  readonly runtime: agentcore.Runtime;

  /**
   * What a version has to do before its endpoint is handed out, at most 20 tests. An empty list hands out untested versions.
   *
   * @default - bash and git answer, and the runtime's session storage is writable if it has any
   */
  readonly smokeTests?: SmokeTest[];

  /**
   * How many endpoints are kept whatever their age, the one that is handed out among them: 1 to 9.
   *
   * A runtime has at most 10 endpoints, `DEFAULT` among them, unless the quota is raised. With 9, the next version finds no room.
   *
   * @default 4
   */
  readonly keepEndpoints?: number;

  /**
   * How long an endpoint is kept after another took its place, whatever their number: up to 3,650 days. With the endpoint goes the session storage of
   * every session on it, which by itself lives for 14 days after its last use.
   *
   * What was replaced by the newest deployment is kept in any case, for a roll-back.
   *
   * @default Duration.days(14)
   */
  readonly retention?: Duration;

  /**
   * How long a rollout may take as a whole, 1 to 50 minutes; a deployment waits for it. Then it fails and says what it waited for.
   *
   * @default Duration.minutes(30)
   */
  readonly timeout?: Duration;

  /**
   * Names of the state machines whose runs are waited for: an endpoint is not removed while one of them runs on it.
   *
   * Names, and not state machines: their definitions name the endpoint, so that a reference back would be a circle.
   *
   * @default - none; an endpoint that the other rules do not keep is removed, with whatever runs on it
   */
  readonly drainStateMachineNames?: string[];

  /**
   * How long a deployment waits for such runs, from its begin; at most as long as `timeout`. What still runs then keeps its endpoint
   * until the next deployment.
   *
   * @default Duration.minutes(10) - or `timeout`, if that is shorter
   */
  readonly drainTimeout?: Duration;

  /**
   * Whether versions are deleted that no endpoint uses and that are older than the newest one. A runtime has at most 1,000.
   *
   * Grants `DeleteAgentRuntime` on this runtime, which is the only operation that deletes a version.
   *
   * @default false
   */
  readonly deleteUnusedVersions?: boolean;

  /**
   * What becomes of the endpoints when the rollout leaves the stack. They take the session storage of their sessions with them; with `RETAIN` they
   * stay until the runtime is deleted, and a rollout of the same name in this stack takes them over. One that cannot be
   * created then removes only endpoints that never passed.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * How long the logs of the functions are kept. They hold names, versions and states, never a command's output.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key that encrypts the functions' logs.
   *
   * A key of this app gets the statement that CloudWatch Logs needs. The policy of an imported one has to have it: for the service
   * `logs.<region>.amazonaws.com`, the actions `kms:Decrypt`, `kms:Encrypt`, `kms:GenerateDataKey*` and `kms:ReEncrypt*`, under the
   * condition that `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<region>:<account>:log-group:*`.
   *
   * @default - CloudWatch Logs' own encryption
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * Gives each version of a runtime an endpoint of its own, tests it, and only then hands out its name.
 *
 * Without it, all sessions are on the endpoint `DEFAULT`, which moves to a new version at once, untested, and session storage behind a
 * moved endpoint is emptied. The endpoints of a rollout (`v7` for version 7) never move: new runs use the newest one that passed; runs under way,
 * and sessions that are resumed later, stay on theirs, and with it keep their workspace.
 *
 * A version that fails its tests fails the deployment, with the output as its reason; its endpoint is removed and all others are as they were. A
 * version that is configured like one that had passed, as after a roll-back, gets the endpoint of that one, untested.
 *
 * ## Limitations
 *
 * - An image is known by its URI. Two versions with one URI are the same, even if a mutable tag points elsewhere by then: name images by
 *   digest, or let the CDK build them.
 * - The runtime, the rollout, and whatever refers to `endpoint` or `version` have to be in one stack, or in nested stacks of it:
 *   CloudFormation refuses to change what one stack exports to another. Others can read the name from a parameter when they run.
 * - `DEFAULT` still moves. Sessions that were begun on it before there was a rollout lose their workspaces with the next version.
 * - The tags of an endpoint, all with the prefix `cdk-agentcore-workbench:`, are the rollout's memory. Without them it does not know its endpoints.
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
   * The endpoint that new work should use. Its name is only known after the deployment.
   *
   * Grants of this library that are given it cover all endpoints of the runtime, since runs under way are still on an older one.
   */
  public readonly endpoint: agentcore.IRuntimeEndpoint;

  /** The runtime's version behind the endpoint. After a roll-back an older one than the newest, with the same configuration. */
  public readonly version: string;

  constructor(scope: Construct, id: string, props: RuntimeRolloutProps) {
    super(scope, id);

    const { runtime, drainStateMachineNames = [] } = props;
    const isRetained = props.removalPolicy === RemovalPolicy.RETAIN || props.removalPolicy === RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    const timeout = props.timeout ?? Duration.seconds(LIMITS.timeoutSeconds.default);
    const tests = props.smokeTests?.map((test) => test.bind()) ?? defaultTests(runtime, timeout);
    throwOnFaults(this, [...rolloutFaults(props), ...stackFaults(this, runtime), ...smokeTestFaults(this, tests, timeout)]);
    const drainArns = drainStateMachineNames.map((resourceName) => Stack.of(this).formatArn({
      service: 'states', resource: 'stateMachine', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }));

    const provider = new RolloutProvider(this, 'Provider', {
      logRetention: props.logRetention,
      encryptionKey: props.encryptionKey,
      statements: statementsFor(props, tests.some(({ payload }) => payload !== undefined), drainArns),
    });
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::RuntimeRollout',
      serviceToken: provider.serviceToken,
      // A create that fails is undone in any case, which the handler has to tell from the end of the rollout.
      removalPolicy: isRetained ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : props.removalPolicy,
      properties: {
        RuntimeId: runtime.agentRuntimeId,
        RuntimeArn: runtime.agentRuntimeArn,
        RuntimeVersion: runtime.agentRuntimeVersion,
        SmokeTests: tests.map(smokeTestProperties),
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

function defaultTests(runtime: agentcore.Runtime, timeout: Duration): SmokeTestConfig[] {
  const mount = sessionStorageMountOf(runtime);
  const tests = [
    SmokeTest.command('bash --version'),
    SmokeTest.command('git --version'),
    ...(mount === undefined ? [] : [SmokeTest.writable(mount)]),
  ].map((test) => test.bind());
  if (timeout.isUnresolved()) return tests;
  // Nobody gave them theirs: they are no reason to refuse a short rollout.
  const most = Math.floor(timeout.toSeconds({ integral: false }) / 2);
  return tests.map((test) => ({ ...test, timeout: Duration.seconds(Math.min(test.timeout.toSeconds(), most)) }));
}

/** What the function that does the work may do: with this runtime and its endpoints, and only what these props ask for. */
function statementsFor({ runtime, deleteUnusedVersions }: RuntimeRolloutProps, invokes: boolean, drainArns: string[]): iam.PolicyStatement[] {
  const { agentRuntimeArn: arn } = runtime;
  const statement = (actions: string[], resources: string[]) => new iam.PolicyStatement({ actions, resources });
  return [
    statement([...ROLLOUT_ACTIONS, ...SMOKE_COMMAND_ACTIONS, ...(invokes ? SMOKE_INVOKE_ACTIONS : [])].sort(), [arn, `${arn}/*`]),
    ...(deleteUnusedVersions ? [statement(DELETE_VERSIONS_ACTIONS, [arn])] : []),
    // The service looks at no resource when it lists.
    statement([...LIST_ENDPOINTS_ACTIONS, ...(deleteUnusedVersions ? LIST_VERSIONS_ACTIONS : [])], ['*']),
    ...(drainArns.length > 0 ? [
      statement(LIST_EXECUTIONS_ACTIONS, drainArns),
      statement(DESCRIBE_EXECUTIONS_ACTIONS, drainArns.map((drainArn) => `${drainArn.replace(':stateMachine:', ':execution:')}:*`)),
    ] : []),
  ];
}
