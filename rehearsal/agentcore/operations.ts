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

/** Operations of Step Functions, Secrets Manager and Lambda, which whoever made the server answers; faults strike them too. */
export type OtherOperationName = 'DescribeExecution' | 'DescribeStateMachineForExecution' | 'ListExecutions' | 'GetSecretValue' | 'Invoke';

export type OperationName = typeof OPERATIONS[number];
