import type { RuntimeProps } from '../agentcore';

/** Properties of an `AWS::BedrockAgentCore::Runtime`, with values for their references. */
export interface RuntimeProperties {
  readonly AgentRuntimeName: string;
  /** They are set on the runtime, and make no version. */
  readonly Tags?: Readonly<Record<string, unknown>>;
  readonly RoleArn?: unknown;
  readonly ProtocolConfiguration?: unknown;
  readonly [other: string]: unknown;
}

/** The names in it are the user's own. */
const MAPS = ['EnvironmentVariables'];

/**
 * Returns what CloudFormation passes to the API: everything but the name and the tags, in the API's own names. A change of any of it makes a new
 * version.
 */
export function runtimeConfiguration(
  { RoleArn, ProtocolConfiguration: serverProtocol, ...properties }: Omit<RuntimeProperties, 'AgentRuntimeName' | 'Tags'>,
): RuntimeProps['configuration'] {
  return {
    ...inWordsOfTheApi(properties) as object,
    // One that only an account can tell, such as a parameter's, is some role or other.
    ...typeof RoleArn === 'string' && RoleArn.startsWith('arn:') ? { roleArn: RoleArn } : {},
    ...serverProtocol === undefined ? {} : { protocolConfiguration: { serverProtocol } },
  };
}

function inWordsOfTheApi(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inWordsOfTheApi);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [
    name.charAt(0).toLowerCase() + name.slice(1),
    MAPS.includes(name) ? item : inWordsOfTheApi(item),
  ]));
}
