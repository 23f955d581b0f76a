// EC2, by far the largest module, loads on first use when it is imported from the root: most runtimes are not in a VPC.
import { aws_ec2 as ec2, Lazy, Validations } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AgentExecutionRole } from './agent-execution-role';
import { environmentsOfArtifacts } from './agents-of-artifacts';
import { BedrockModel } from './bedrock-model';
import { lifecycleOf, networkModeOf, runtimeResourceOf } from './introspection';
import { RuntimeGrants } from './runtime-grants';
import { lifecycleFaults, roleFaults } from './runtime-rules';
import { Mount, MountConfig } from '../mount/mount';
import { configurationsOf, mountFaults, mountsOf } from '../mount/mount-rules';
import { addOrWarn } from '../private/grant';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';

// The IDs of warnings. Users acknowledge them by these IDs: do not change them.
const IMAGE_NOT_ARM64 = 'cdk-agentcore-workbench:imageNotArm64';
const OFFICIAL_ROLE = 'cdk-agentcore-workbench:officialExecutionRole';

/** Properties for `AgentRuntime`. */
export interface AgentRuntimeProps extends agentcore.RuntimeProps {
  /**
   * The file systems to mount into every session.
   *
   * A runtime can have at most 5 mounts: 1 session storage, 2 EFS access points and 2 S3 Files access points. EFS and S3 Files require VPC mode.
   *
   * @default - no mounts; the files that a session writes are lost when it stops
   */
  readonly mounts?: Mount[];
}

/**
 * An AgentCore runtime with file systems in its sessions and an execution role with least privilege.
 *
 * It extends the official `Runtime`, with the same props, grants, metrics and logical IDs, so that an app can switch from one to the other
 * without replacing resources.
 *
 * Every change to the configuration of a runtime creates a version. The service immediately updates the `DEFAULT` endpoint to that version,
 * and **deletes the session storage of all sessions of an updated endpoint**. Use `RuntimeRollout` to keep it.
 *
 * The service only starts arm64 images. An image asset for another platform, or without a platform, causes the warning
 * `cdk-agentcore-workbench:imageNotArm64`. Images that this app does not build are not checked.
 *
 * As with the official construct, an image from `AgentRuntimeArtifact.fromImageUri` grants no permission to pull it:
 * call `repository.grantPull(runtime)`.
 *
 * @resource AWS::BedrockAgentCore::Runtime
 * @example
 * const runtime = new AgentRuntime(this, 'Agent', {
 *   agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromAsset('agent', { platform: Platform.LINUX_ARM64 }),
 *   mounts: [Mount.sessionStorage('/mnt/workspace')],
 * });
 */
export class AgentRuntime extends agentcore.Runtime {
  // No private members: if a later official construct has one of the same name, user code no longer compiles. See docs/decisions/0032.

  constructor(scope: Construct, id: string, props: AgentRuntimeProps) {
    super(scope, id, withExecutionRole(scope, id, props));

    if (hasOfficialRole(this, props)) {
      Validations.of(this).addWarning(OFFICIAL_ROLE, 'a property injector replaced the props, so the runtime has the execution role of the official '
        + 'construct, which has more permissions: set "executionRole" to an AgentExecutionRole');
    }
    const platform = platformOf(props.agentRuntimeArtifact);
    if (platform !== undefined && !/^linux\/arm64(\/|$)/.test(platform)) {
      Validations.of(this).addWarning(IMAGE_NOT_ARM64, `the image of "agentRuntimeArtifact" is built for ${platform}, but the service only starts arm64 images: `
        + 'pass "platform: Platform.LINUX_ARM64" to AgentRuntimeArtifact.fromAsset');
    }
    const resource = runtimeResourceOf(this)!;
    const configs = (props.mounts ?? []).map((mount) => mount.bind(this));
    if (configs.length > 0) {
      // These come first, so that indexes in messages are those of "mounts". Mounts that a later official construct adds are kept.
      resource.filesystemConfigurations = [...configs.map(({ configuration }) => configuration), ...configurationsOf(resource)];
    }
    throwOnFaults(this, [
      ...mountFaults(mountsOf(resource), 'mounts', networkModeOf(this)),
      ...lifecycleFaults(lifecycleOf(this)!),
      ...props.executionRole instanceof AgentExecutionRole ? roleFaults(props.executionRole, this) : [],
    ]);
    configs.forEach((config) => connect(this, config));
  }

  /**
   * Grants permission to run commands in sessions, through all endpoints: `bedrock-agentcore:InvokeAgentRuntimeCommand`. Use
   * `RuntimeGrants` to grant it through one endpoint.
   *
   * A command runs with the credentials of the execution role, and is not subject to the agent's own restrictions.
   *
   * @param grantee The principal to grant permission to
   */
  public grantInvokeCommand(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).invokeCommand(grantee);
  }

  /**
   * Grants permission to open interactive shells in sessions, through all endpoints: `bedrock-agentcore:InvokeAgentRuntimeCommandShell`.
   * Use `RuntimeGrants` to grant it through one endpoint.
   *
   * A shell runs with the credentials of the execution role, and is not subject to the agent's own restrictions.
   *
   * @param grantee The principal to grant permission to
   */
  public grantInvokeCommandShell(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).invokeCommandShell(grantee);
  }

  /**
   * Grants permission to stop sessions, through all endpoints: `bedrock-agentcore:StopRuntimeSession`. Use `RuntimeGrants` to grant it
   * through one endpoint. A stopped session can be resumed.
   *
   * @param grantee The principal to grant permission to
   */
  public grantStopSession(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).stopSession(grantee);
  }

  /**
   * Grants the execution role permission to invoke a model, with or without response streaming. Without such a grant, it cannot invoke any
   * model.
   *
   * @param model The model to grant permission to invoke
   */
  public grantInvokeModel(model: BedrockModel): iam.Grant {
    return model.grantInvoke(this, this);
  }

  /**
   * Returns a metric of the vCPU hours that the sessions of this runtime used.
   *
   * By default, the metric is the sum over 5 minutes. The service publishes it with a delay of up to an hour. It is documented, but has not
   * been verified in an account.
   *
   * @param props Options for the metric
   */
  public metricCpuUsed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return usage(this, 'CPUUsed-vCPUHours', props);
  }

  /**
   * Returns a metric of the memory, in GB hours, that the sessions of this runtime used.
   *
   * By default, the metric is the sum over 5 minutes. The service publishes it with a delay of up to an hour. It is documented, but has not
   * been verified in an account.
   *
   * @param props Options for the metric
   */
  public metricMemoryUsed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return usage(this, 'MemoryUsed-GBHours', props);
  }
}

/**
 * Returns the platform of an image asset; `undefined` for images that are not built here, and for code.
 *
 * Neither the official artifact nor its asset has a public property for it, so this reads the private ones. It returns `undefined` if an
 * artifact does not have them.
 */
function platformOf(artifact: object): string | undefined {
  const { directory, options } = artifact as { readonly directory?: unknown; readonly options?: { readonly platform?: Platform } };
  if (typeof directory !== 'string' || typeof options !== 'object') return undefined;
  return options.platform?.platform ?? 'the architecture of the machine that builds it, since it has no "platform"';
}

function hasOfficialRole(runtime: AgentRuntime, { executionRole }: AgentRuntimeProps): boolean {
  return executionRole === undefined && runtime.role.node.scope === runtime && !(runtime.role instanceof AgentExecutionRole);
}

/** @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/observability-runtime-metrics.html */
function usage(runtime: AgentRuntime, metricName: string, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
  // Not `metric()`: its dimensions change from release to release, and these metrics have dimensions of their own, which must match exactly.
  return new cloudwatch.Metric({
    namespace: 'AWS/Bedrock-AgentCore',
    metricName,
    statistic: cloudwatch.Stats.SUM,
    ...props,
    dimensionsMap: { Service: 'AgentCore.Runtime', Resource: runtime.agentRuntimeArn, ...props?.dimensionsMap },
  }).attachTo(runtime);
}

function connect(runtime: AgentRuntime, { statements = [], mountTargets = [], dependencies = [] }: MountConfig): void {
  for (const statement of statements) addOrWarn(runtime, runtime, statement);
  for (const mountTarget of mountTargets) {
    // Adds the rules to the runtime's stack, so that a file system in another stack does not depend on it.
    runtime.connections.allowTo(mountTarget, ec2.Port.tcp(2049), `mount into ${runtime.node.path}`);
  }
  if (dependencies.length > 0) runtimeResourceOf(runtime)!.node.addDependency(...dependencies);
}

/**
 * Returns the props for the official construct, with an `AgentExecutionRole` if no role is given.
 *
 * The role must be a child of the runtime to have the logical ID of the official role, but the runtime is not a construct before `super()`
 * returns. The official constructor reads the prop after it has become one, so a getter can create the role in the right scope.
 *
 * The getter is not enumerable, so that a property injector that copies the props neither calls it too early nor copies an `undefined` that
 * overrides its own role.
 */
function withExecutionRole(scope: Construct, id: string, props: AgentRuntimeProps): agentcore.RuntimeProps {
  const { mounts, ...given } = props;
  const { tags } = given;
  const ofAgent = environmentsOfArtifacts.get(props.agentRuntimeArtifact);
  // What the user sets for this runtime is more specific than what the agent of its image has.
  const environmentVariables = ofAgent === undefined ? given.environmentVariables : { ...ofAgent, ...given.environmentVariables };
  const official = {
    ...given,
    ...(environmentVariables === undefined ? {} : { environmentVariables: sorted(environmentVariables) }),
    ...(tags === undefined ? {} : { tags: sorted(tags) }),
  };
  if (props.executionRole instanceof AgentExecutionRole) return { ...official, runtimeName: props.runtimeName ?? props.executionRole.runtimeName };
  if (props.executionRole !== undefined) return official;

  let role: AgentExecutionRole | undefined;
  return Object.defineProperty(official, 'executionRole', {
    enumerable: false,
    get: () => {
      const runtime = scope.node.tryFindChild(id) as agentcore.Runtime | undefined;
      if (runtime === undefined) return undefined;
      return role ??= new AgentExecutionRole(runtime, 'ExecutionRole', {
        runtimeName: Lazy.string({ produce: () => runtime.agentRuntimeName }),
      });
    },
  });
}
