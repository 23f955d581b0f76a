/**
 * What can be read of a runtime at synth, whether it is ours, the official one or a bare resource. An imported one says nothing.
 *
 * Step Functions tasks and loops check their limits against it.
 */
import { CfnRuntime, IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { mountsOf, settled } from '../mount/configurations';

/** How long a session lives, in seconds. */
export interface SessionLifecycle {
  /** Seconds without a request after which a session stops; `undefined` is the service's default of 900; may be a token. */
  readonly idleRuntimeSessionTimeout?: number;
  /** Seconds after which a session stops in any case; `undefined` is the service's default of 28,800; may be a token. */
  readonly maxLifetime?: number;
}

/** The resource behind a runtime; none when it was imported. */
export function runtimeResourceOf(runtime: IConstruct): CfnRuntime | undefined {
  if (CfnRuntime.isCfnRuntime(runtime)) return runtime;
  const child = runtime.node.defaultChild;
  return CfnRuntime.isCfnRuntime(child) ? child : undefined;
}

/** Where the runtime mounts session storage, without a trailing slash. `undefined` if it has none, or is imported. May be a token. */
export function sessionStorageMountOf(runtime: IBedrockAgentRuntime): string | undefined {
  const resource = runtimeResourceOf(runtime);
  const mountPath = resource && mountsOf(resource).find(({ kind }) => kind === 'sessionStorage')?.mountPath;
  return mountPath?.replace(/\/$/, '');
}

/** The lifecycle settings of the runtime's sessions. `undefined` if the runtime is imported. */
export function lifecycleOf(runtime: IBedrockAgentRuntime): SessionLifecycle | undefined {
  const resource = runtimeResourceOf(runtime);
  return resource && (settled(resource, resource.lifecycleConfiguration) ?? {});
}

/** The environment variables of the runtime. Empty if there are none, `undefined` if the runtime is imported. Values may be tokens. */
export function environmentOf(runtime: IBedrockAgentRuntime): { readonly [name: string]: string } | undefined {
  const resource = runtimeResourceOf(runtime);
  return resource && (settled(resource, resource.environmentVariables) ?? {});
}

/** `PUBLIC` or `VPC`. `undefined` if the runtime is imported or the mode not known at synth. */
export function networkModeOf(runtime: IConstruct): string | undefined {
  const resource = runtimeResourceOf(runtime);
  const mode = resource && settled(resource, resource.networkConfiguration)?.networkMode;
  return typeof mode === 'string' ? mode : undefined;
}
