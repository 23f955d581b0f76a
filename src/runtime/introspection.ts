/**
 * Reads the configuration of a runtime at synth, whether it is an `AgentRuntime`, an official `Runtime` or a `CfnRuntime`. The
 * configuration of an imported runtime is not known.
 *
 * Step Functions tasks and loops validate their limits against it.
 */
import { CfnRuntime, IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { normalizeMountPath } from '../mount/constants';
import { mountsOf, settled } from '../mount/mount-rules';

/** The lifetime of sessions. */
export interface SessionLifecycle {
  /** The number of seconds without a request after which a session stops; `undefined` is the service's default of 900; may be a token. */
  readonly idleRuntimeSessionTimeout?: number;
  /** The number of seconds after which a session stops in any case; `undefined` is the service's default of 28,800; may be a token. */
  readonly maxLifetime?: number;
}

/** Returns the L1 resource of a runtime; `undefined` if the runtime is imported. */
export function runtimeResourceOf(runtime: IConstruct): CfnRuntime | undefined {
  if (CfnRuntime.isCfnRuntime(runtime)) return runtime;
  const child = runtime.node.defaultChild;
  return CfnRuntime.isCfnRuntime(child) ? child : undefined;
}

/**
 * Returns the mount path of the runtime's session storage, without a trailing slash; `undefined` if it has none or is imported. May be a
 * token.
 */
export function sessionStorageMountOf(runtime: IBedrockAgentRuntime): string | undefined {
  const resource = runtimeResourceOf(runtime);
  const mountPath = resource && mountsOf(resource).find(({ sessionStorage }) => sessionStorage !== undefined)?.sessionStorage?.mountPath;
  return mountPath === undefined ? undefined : normalizeMountPath(mountPath);
}

/** Returns the lifecycle configuration of the runtime's sessions; `undefined` if the runtime is imported. */
export function lifecycleOf(runtime: IBedrockAgentRuntime): SessionLifecycle | undefined {
  const resource = runtimeResourceOf(runtime);
  return resource && (settled(resource, resource.lifecycleConfiguration) ?? {});
}

/** Returns the environment variables of the runtime, which may be empty; `undefined` if the runtime is imported. Values may be tokens. */
export function environmentOf(runtime: IBedrockAgentRuntime): { readonly [name: string]: string } | undefined {
  const resource = runtimeResourceOf(runtime);
  return resource && (settled(resource, resource.environmentVariables) ?? {});
}

/** Returns the network mode, `PUBLIC` or `VPC`; `undefined` if the runtime is imported or the mode is not known at synth. */
export function networkModeOf(runtime: IConstruct): string | undefined {
  const resource = runtimeResourceOf(runtime);
  const mode = resource && settled(resource, resource.networkConfiguration)?.networkMode;
  return typeof mode === 'string' ? mode : undefined;
}
