import { isDeepStrictEqual } from 'node:util';
import type { Agent } from './agent';
import type { FilesystemConfiguration, Registry, Runtime, RuntimeConfiguration, RuntimeVersion } from './registry';
import { validateConfiguration, validateName } from './validation';

export interface RuntimeProps {
  /** Letters, digits and underscores; unique in the server. */
  readonly name: string;
  /** Mount paths of session storage (the service takes one), or file systems as in the API. @default - none */
  readonly mounts?: readonly (string | FilesystemConfiguration)[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds. @default - idle 900, maximum 28,800 */
  readonly lifecycle?: { readonly idleRuntimeSessionTimeout?: number; readonly maxLifetime?: number };
  /** Stands for the container image: another value makes another version. @default - a fixed value */
  readonly containerUri?: string;
  /** More of it, or other than the above, in the API's own names: each change makes another version. @default - nothing more */
  readonly configuration?: Partial<RuntimeConfiguration>;
  /** They make no version. @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /** @default - no agent: an invocation fails, commands work */
  readonly agent?: Agent;
  /** The access key id of the sessions' credentials, which tells servers whose requests they receive. @default 'AKIDLOCAL' */
  readonly accessKeyId?: string;
}

const ROLE_ARN = 'arn:aws:iam::123456789012:role/rehearsal';
const CONTAINER_URI = '123456789012.dkr.ecr.us-east-1.amazonaws.com/rehearsal:latest';

/** Creates or updates, by name. Without a change there is no new version, so that workspaces are found again. */
export function deploy(registry: Registry, props: RuntimeProps): { runtime: Runtime; version: RuntimeVersion } {
  const configuration = configurationOf(props);
  validateName(props.name);
  validateConfiguration(configuration);
  const existing = registry.list().find(({ name, status }) => name === props.name && status !== 'DELETING');
  if (!existing) {
    const runtime = registry.create(props.name, configuration, props.tags);
    return { runtime, version: registry.version(runtime, '1') };
  }
  existing.tags = props.tags;
  const latest = registry.version(existing, existing.latestVersion);
  // Compare as if it were read from the file, in which undefined values are absent.
  const changed = !isDeepStrictEqual(JSON.parse(JSON.stringify(configuration)), JSON.parse(JSON.stringify(latest.configuration)));
  return { runtime: existing, version: changed ? registry.update(existing, configuration) : latest };
}

function configurationOf({ mounts = [], environment, lifecycle, containerUri = CONTAINER_URI, configuration }: RuntimeProps): RuntimeConfiguration {
  const filesystemConfigurations = mounts.map(mount => typeof mount === 'string' ? { sessionStorage: { mountPath: mount } } : mount);
  const vpc = filesystemConfigurations.some(item => 'efsAccessPoint' in item || 's3FilesAccessPoint' in item);
  return {
    agentRuntimeArtifact: { containerConfiguration: { containerUri } },
    roleArn: ROLE_ARN,
    networkConfiguration: { networkMode: vpc ? 'VPC' : 'PUBLIC' },
    environmentVariables: environment,
    filesystemConfigurations,
    lifecycleConfiguration: lifecycle,
    ...configuration,
  };
}

/** Agents that were given with `createRuntime`: code, which no file keeps. */
export class Agents {
  private readonly agents = new Map<string, Agent | undefined>();

  set(runtime: Runtime, version: RuntimeVersion, agent: Agent | undefined): void {
    this.agents.set(`${runtime.id}:${version.version}`, agent);
  }

  find(runtime: Runtime, version: RuntimeVersion): Agent | undefined {
    return this.agents.get(`${runtime.id}:${version.version}`);
  }
}
