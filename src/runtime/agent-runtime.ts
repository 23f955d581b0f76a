// Amazon EC2 through here, where it is loaded when it is used: most runtimes are in no VPC, and it is by far the largest module.
import { aws_ec2 as ec2, Lazy, Token, Validations } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AgentExecutionRole } from './agent-execution-role';
import { BedrockModel } from './bedrock-model';
import { lifecycleOf, networkModeOf, runtimeResourceOf } from './introspection';
import { CPU_USED, MEMORY_USED, NAMESPACE, SERVICE } from './metrics';
import { RuntimeGrants } from './runtime-grants';
import { configurationsOf, mountFaults, mountsOf } from '../mount/configurations';
import { Mount, MountConfig } from '../mount/mount';
import { addOrWarn } from '../private/grant';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';

/** Id of the warning for S3 Files without security groups. Stable, since users acknowledge it by this name. */
export const MOUNT_TARGETS_NOT_OPENED = 'cdk-agentcore-workbench:mountTargetsNotOpened';

/** Id of the warning for an image that the service may not start. Stable, since users acknowledge it by this name. */
export const IMAGE_NOT_ARM64 = 'cdk-agentcore-workbench:imageNotArm64';

/** Id of the warning for a role that the official construct made. Stable, since users acknowledge it by this name. */
export const OFFICIAL_ROLE = 'cdk-agentcore-workbench:officialExecutionRole';

/** Properties of `AgentRuntime`: those of the official `Runtime`, and what it lacks. */
export interface AgentRuntimeProps extends agentcore.RuntimeProps {
  /**
   * What is mounted into every session. At most 5: 1 session storage, 2 EFS access points, 2 S3 Files access points.
   *
   * @default - none; what a session writes is gone when it stops
   */
  readonly mounts?: Mount[];
}

/**
 * An AgentCore runtime whose sessions have filesystems, and whose execution role is allowed only what this one runtime needs.
 *
 * It is the official `Runtime`, with every prop, grant and metric of it, and the same logical ids: switching from one to the other replaces nothing.
 *
 * Every change of a runtime's configuration makes a new version of it. The endpoint `DEFAULT` moves there at once, and **the session storage of
 * every session behind a moved endpoint is emptied**.
 *
 * The service starts images for arm64 alone. An image asset for another platform, or for none, gets a warning with the id
 * `cdk-agentcore-workbench:imageNotArm64`; images that are not built by this app are not looked at.
 *
 * An image given by `AgentRuntimeArtifact.fromImageUri` names no repository, so nothing is granted for it, as in the official
 * construct: call `repository.grantPull(runtime)`.
 *
 * @resource AWS::BedrockAgentCore::Runtime
 * @example
 * const runtime = new AgentRuntime(this, 'Agent', {
 *   agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromAsset('agent', { platform: Platform.LINUX_ARM64 }),
 *   mounts: [Mount.sessionStorage('/mnt/workspace')],
 * });
 */
export class AgentRuntime extends agentcore.Runtime {
  // No private members: one that upstream gets by the same name, however private, would keep users from compiling. See docs/decisions/0032.

  constructor(scope: Construct, id: string, props: AgentRuntimeProps) {
    super(scope, id, withExecutionRole(scope, id, props));

    if (hasOfficialRole(this, props)) {
      Validations.of(this).addWarning(OFFICIAL_ROLE, 'a property injector replaced the props, so the runtime has the wider role of the ' +
        'official construct: give "executionRole" an AgentExecutionRole');
    }
    const platform = platformOf(props.agentRuntimeArtifact);
    if (platform !== undefined && !/^linux\/arm64(\/|$)/.test(platform)) {
      Validations.of(this).addWarning(IMAGE_NOT_ARM64, `the image of "agentRuntimeArtifact" is built for ${platform}, and the service starts arm64 alone: ` +
        'give AgentRuntimeArtifact.fromAsset the platform Platform.LINUX_ARM64');
    }
    const resource = runtimeResourceOf(this)!;
    const configs = (props.mounts ?? []).map((mount) => mount.bind(this));
    if (configs.length > 0) {
      // Ours first, so that the messages count as the user does. What a later official construct puts there itself stays.
      resource.filesystemConfigurations = [...configs.map(({ configuration }) => configuration), ...configurationsOf(resource)];
    }
    throwOnFaults(this, [
      ...mountFaults(mountsOf(resource), 'mounts', networkModeOf(this)),
      ...lifecycleFaults(this),
      ...roleFaults(this, props),
    ]);
    configs.forEach((config) => connect(this, config));
  }

  /**
   * Allows to run commands in sessions, on every endpoint: `InvokeAgentRuntimeCommand`. `RuntimeGrants` allows it on one endpoint alone.
   *
   * A command has the credentials of the execution role, and none of the agent's own restrictions apply to it.
   */
  public grantInvokeCommand(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).invokeCommand(grantee);
  }

  /**
   * Allows to open an interactive shell in sessions, on every endpoint: `InvokeAgentRuntimeCommandShell`. `RuntimeGrants` allows it on one
   * endpoint alone.
   *
   * A shell has the credentials of the execution role, and none of the agent's own restrictions apply to it.
   */
  public grantInvokeCommandShell(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).invokeCommandShell(grantee);
  }

  /**
   * Allows to stop sessions, on every endpoint: `StopRuntimeSession`. `RuntimeGrants` allows it on one endpoint alone. A session can be
   * resumed later.
   */
  public grantStopSession(grantee: iam.IGrantable): iam.Grant {
    return RuntimeGrants.fromRuntime(this).stopSession(grantee);
  }

  /** Allows the agent to invoke a model, streamed or not. No model may be invoked otherwise. */
  public grantInvokeModel(model: BedrockModel): iam.Grant {
    return model.grantInvoke(this, this);
  }

  /**
   * The vCPU hours that the sessions of this runtime used, up to an hour late. Documented by the service; not confirmed in an account.
   *
   * By default the sum over 5 minutes.
   */
  public metricCpuUsed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return usage(this, CPU_USED, props);
  }

  /**
   * The GB hours of memory that the sessions of this runtime used, up to an hour late. Documented by the service; not confirmed in an account.
   *
   * By default the sum over 5 minutes.
   */
  public metricMemoryUsed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return usage(this, MEMORY_USED, props);
  }
}

/**
 * What an image asset is built for. `undefined` for images that are not built here, and for code.
 *
 * The official artifact keeps its options to itself, and the asset has forgotten them: they are read where they are, and an artifact of another
 * form says nothing.
 */
function platformOf(artifact: object): string | undefined {
  const { directory, options } = artifact as { readonly directory?: unknown; readonly options?: { readonly platform?: Platform } };
  if (typeof directory !== 'string' || typeof options !== 'object') return undefined;
  return options.platform?.platform ?? 'the architecture of the machine that builds it, since it has no "platform"';
}

function hasOfficialRole(runtime: AgentRuntime, { executionRole }: AgentRuntimeProps): boolean {
  return executionRole === undefined && runtime.role.node.scope === runtime && !(runtime.role instanceof AgentExecutionRole);
}

function usage(runtime: AgentRuntime, metricName: string, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
  // Not by `metric()`, whose dimensions change from release to release: these metrics have a set of their own, and CloudWatch wants it exactly.
  return new cloudwatch.Metric({
    namespace: NAMESPACE,
    metricName,
    statistic: cloudwatch.Stats.SUM,
    ...props,
    dimensionsMap: { Service: SERVICE, Resource: runtime.agentRuntimeArn, ...props?.dimensionsMap },
  }).attachTo(runtime);
}

/** The service refuses these as well, but only when the stack is deployed. */
function lifecycleFaults(runtime: AgentRuntime): string[] {
  const { idleRuntimeSessionTimeout: idle, maxLifetime } = lifecycleOf(runtime)!;
  // The service fills in one that is left out so that they fit.
  if (idle === undefined || maxLifetime === undefined) return [];
  if (Token.isUnresolved(idle) || Token.isUnresolved(maxLifetime) || idle <= maxLifetime) return [];
  return [
    `"idleRuntimeSessionTimeout" is ${idle} seconds, must be at most "maxLifetime", which is ${maxLifetime} seconds: ` +
    'lower the one or raise the other',
  ];
}

function roleFaults(runtime: AgentRuntime, { executionRole }: AgentRuntimeProps): string[] {
  if (!(executionRole instanceof AgentExecutionRole)) return [];
  const { runtimeName, stack } = executionRole;
  const faults = knownToDiffer(runtimeName, runtime.agentRuntimeName)
    ? [`"executionRole" is for the runtime "${runtimeName}", must be for this one, "${runtime.agentRuntimeName}": give both the same "runtimeName"`]
    : [];
  // The trust policy names them too, so that the service could not take the role.
  const places = (['account', 'region'] as const).filter((place) => knownToDiffer(stack[place], runtime.stack[place])).map((place) =>
    `"executionRole" is for runtimes of the ${place} "${stack[place]}", must be for this one's, "${runtime.stack[place]}": ` +
    `make the role in a stack of that ${place}`);
  return [...faults, ...places];
}

function connect(runtime: AgentRuntime, { configuration, statements = [], mountTargets = [], dependencies = [] }: MountConfig): void {
  for (const statement of statements) addOrWarn(runtime, runtime, statement);
  const nfs = ec2.Port.tcp(2049);
  for (const mountTarget of mountTargets) {
    // From this side, so that a file system in another stack does not come to depend on this one.
    runtime.connections.allowTo(mountTarget, nfs, `mount into ${runtime.node.path}`);
  }
  if (configuration.s3FilesAccessPoint !== undefined && mountTargets.length === 0) {
    Validations.of(runtime).addWarning(MOUNT_TARGETS_NOT_OPENED, 'no "securityGroups" are given for a file system of S3 Files, ' +
      'and no mount target of it in this app has any: they have to let the runtime in on TCP 2049, or every invocation fails with HTTP 424');
  }
  if (dependencies.length > 0) runtimeResourceOf(runtime)!.node.addDependency(...dependencies);
}

/** Whether both are known at synth, and not the same. */
function knownToDiffer(one: string, other: string): boolean {
  return !Token.isUnresolved(one) && !Token.isUnresolved(other) && one !== other;
}

/**
 * The props for the official construct, with a role of ours unless one is given.
 *
 * The role has to be a child of the runtime to have the official role's logical id, and the runtime is no construct before
 * `super()` has run. But the official constructor reads the prop only once it is one, so that a getter can make the role in
 * its right place.
 *
 * Not enumerable: a property injector that copies the props shall neither trigger it too early, nor find an `undefined`
 * that overrides a role of its own.
 */
function withExecutionRole(scope: Construct, id: string, props: AgentRuntimeProps): agentcore.RuntimeProps {
  const { mounts, ...given } = props;
  const { environmentVariables, tags } = given;
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
