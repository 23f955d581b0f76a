/** IAM actions of the rollout's function, sorted. */

/** On the runtime and on its endpoints, both of which the service looks at. */
export const ROLLOUT_ACTIONS = [
  'bedrock-agentcore:CreateAgentRuntimeEndpoint',
  'bedrock-agentcore:DeleteAgentRuntimeEndpoint',
  'bedrock-agentcore:GetAgentRuntime',
  'bedrock-agentcore:GetAgentRuntimeEndpoint',
  'bedrock-agentcore:ListTagsForResource',
  'bedrock-agentcore:TagResource',
  'bedrock-agentcore:UntagResource',
];
export const SMOKE_COMMAND_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntimeCommand', 'bedrock-agentcore:StopRuntimeSession'];
export const SMOKE_INVOKE_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntime'];

/** The same operation deletes one version, and the whole runtime. */
export const DELETE_VERSIONS_ACTIONS = ['bedrock-agentcore:DeleteAgentRuntime'];

/** The service knows no resource for these: allowed on a runtime, they are denied. They read names and states, of every runtime of the region. */
export const LIST_ENDPOINTS_ACTIONS = ['bedrock-agentcore:ListAgentRuntimeEndpoints'];
export const LIST_VERSIONS_ACTIONS = ['bedrock-agentcore:ListAgentRuntimeVersions'];

/** On the state machines whose runs are waited for. */
export const LIST_EXECUTIONS_ACTIONS = ['states:ListExecutions'];
/** On their executions. */
export const DESCRIBE_EXECUTIONS_ACTIONS = ['states:DescribeExecution', 'states:DescribeStateMachineForExecution'];
