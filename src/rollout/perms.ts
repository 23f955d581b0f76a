/** IAM actions of the rollout's function, sorted. */

/** Checked on the runtime and on its endpoints. */
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

/** The operation deletes one version, or the whole runtime. */
export const DELETE_VERSIONS_ACTIONS = ['bedrock-agentcore:DeleteAgentRuntime'];

/** The service has no resource type for these: a policy that names a runtime denies them. They read names and states of all runtimes. */
export const LIST_ENDPOINTS_ACTIONS = ['bedrock-agentcore:ListAgentRuntimeEndpoints'];
export const LIST_VERSIONS_ACTIONS = ['bedrock-agentcore:ListAgentRuntimeVersions'];

/** Checked on the state machines whose executions a rollout waits for. */
export const LIST_EXECUTIONS_ACTIONS = ['states:ListExecutions'];
/** Checked on the executions of these state machines. */
export const DESCRIBE_EXECUTIONS_ACTIONS = ['states:DescribeExecution', 'states:DescribeStateMachineForExecution'];
