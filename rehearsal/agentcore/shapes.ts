const RUNTIME = ['agentRuntimeArn', 'agentRuntimeId', 'agentRuntimeVersion', 'status'];
const ENDPOINT = ['agentRuntimeEndpointArn', 'agentRuntimeArn', 'status', 'createdAt'];
const VERSIONS = ['liveVersion', 'targetVersion'];

/** The fields that the service's model has in each reply of the control plane. A client that read others would work here and fail in the service. */
const REPLIES: Readonly<Record<string, readonly string[]>> = {
  CreateAgentRuntime: [...RUNTIME, 'createdAt', 'workloadIdentityDetails'],
  UpdateAgentRuntime: [...RUNTIME, 'createdAt', 'lastUpdatedAt', 'workloadIdentityDetails'],
  GetAgentRuntime: [
    ...RUNTIME, 'createdAt', 'lastUpdatedAt', 'workloadIdentityDetails', 'agentRuntimeName', 'description', 'failureReason', 'roleArn', 'agentRuntimeArtifact',
    'networkConfiguration', 'lifecycleConfiguration', 'protocolConfiguration', 'environmentVariables', 'authorizerConfiguration', 'requestHeaderConfiguration',
    'metadataConfiguration', 'filesystemConfigurations', 'capacityProviderConfiguration', 'platformVersion',
  ],
  DeleteAgentRuntime: ['status', 'agentRuntimeId', 'agentRuntimeVersion'],
  CreateAgentRuntimeEndpoint: [...ENDPOINT, 'targetVersion', 'agentRuntimeId', 'endpointName'],
  UpdateAgentRuntimeEndpoint: [...ENDPOINT, ...VERSIONS, 'lastUpdatedAt'],
  GetAgentRuntimeEndpoint: [...ENDPOINT, ...VERSIONS, 'lastUpdatedAt', 'name', 'id', 'description', 'failureReason'],
  DeleteAgentRuntimeEndpoint: ['status', 'agentRuntimeId', 'endpointName'],
};

/** The same of the items of lists. */
const ITEMS: Readonly<Record<string, readonly string[]>> = {
  agentRuntimes: [...RUNTIME, 'agentRuntimeName', 'description', 'lastUpdatedAt'],
  runtimeEndpoints: [...ENDPOINT, ...VERSIONS, 'lastUpdatedAt', 'name', 'id', 'description'],
};

/** A reply as the service's model has it. */
export function modelled(operation: string, body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if (operation in REPLIES) return pick(body, REPLIES[operation]);
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [
    name, name in ITEMS ? (value as object[]).map((item) => pick(item, ITEMS[name])) : value as unknown,
  ]));
}

function pick(value: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}
