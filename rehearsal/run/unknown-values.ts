import { unknownIn } from '../assembly';
import type { LocalDeployment, LoopDescription } from '../deployment';
import { rolloutsOf } from '../rollout/rollout';

/** Properties of a runtime that its sessions see. */
interface RuntimeProperties {
  readonly AgentRuntimeName?: unknown;
  readonly EnvironmentVariables?: unknown;
  readonly FilesystemConfigurations?: unknown;
  readonly LifecycleConfiguration?: unknown;
}

/** Describes the values that a loop's runs need and only CloudFormation knows, such as the export of another stack. */
export function unknownValues(deployment: LocalDeployment, loop: LoopDescription): string[] {
  const runtime = [...deployment.runtimes].find(([, arn]) => arn === loop.runtimeArn)?.[0];
  const named = [...JSON.stringify(loop.definition).matchAll(/:function:([^:"]+)/g)].map(([, name]) => name);
  const functions = [...new Set(named)].filter((name) => deployment.stack.resource(name) !== undefined);
  return [
    ...complaints(loop.logicalId, loop.definition),
    ...runtime === undefined ? [] : complaints(runtime, seenBySessions(deployment.properties(runtime))),
    ...functions.flatMap((name) => complaints(name, deployment.properties<{ readonly Environment?: unknown }>(name).Environment)),
    ...rolloutsOf(deployment, loop).flatMap(({ logicalId }) => complaints(logicalId, deployment.properties(logicalId))),
  ];
}

function seenBySessions(properties: RuntimeProperties): RuntimeProperties {
  const { AgentRuntimeName, EnvironmentVariables, FilesystemConfigurations, LifecycleConfiguration } = properties;
  return { AgentRuntimeName, EnvironmentVariables, FilesystemConfigurations, LifecycleConfiguration };
}

function complaints(logicalId: string, value: unknown): string[] {
  return unknownIn(value).map((what) => `${logicalId} needs the value of ${what}, which only CloudFormation knows`);
}
