/** The operations of the data and the control plane that the server knows. */
export const OPERATIONS = [
  'InvokeAgentRuntime',
  'InvokeAgentRuntimeCommand',
  'StopRuntimeSession',
  'CreateAgentRuntime',
  'GetAgentRuntime',
  'UpdateAgentRuntime',
  'DeleteAgentRuntime',
  'ListAgentRuntimes',
  'ListAgentRuntimeVersions',
  'CreateAgentRuntimeEndpoint',
  'GetAgentRuntimeEndpoint',
  'UpdateAgentRuntimeEndpoint',
  'DeleteAgentRuntimeEndpoint',
  'ListAgentRuntimeEndpoints',
  'ListTagsForResource',
  'TagResource',
  'UntagResource',
] as const;

export type OperationName = typeof OPERATIONS[number];
