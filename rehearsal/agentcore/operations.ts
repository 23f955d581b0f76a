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

/**
 * Operations of Step Functions, Secrets Manager, Lambda, EventBridge, S3 and Systems Manager. The owner of the server answers them, and faults apply
 * to them too.
 */
export type OtherOperationName =
  | 'StartExecution' | 'StopExecution' | 'DescribeExecution' | 'DescribeStateMachine' | 'DescribeStateMachineForExecution' | 'ListExecutions'
  | 'GetExecutionHistory' | 'GetSecretValue' | 'Invoke' | 'PutEvents' | 'PutObject' | 'GetObject' | 'HeadObject' | 'ListObjectsV2' | 'GetParameter'
  | 'PutParameter';

export type OperationName = typeof OPERATIONS[number];
