/** IAM actions, sorted. Each operation on a session has a list of its own, so that it can be granted alone. */

export const INVOKE_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntime'];
export const INVOKE_FOR_USER_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntimeForUser'];
export const INVOKE_COMMAND_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntimeCommand'];
export const INVOKE_COMMAND_SHELL_ACTIONS = ['bedrock-agentcore:InvokeAgentRuntimeCommandShell'];
export const STOP_SESSION_ACTIONS = ['bedrock-agentcore:StopRuntimeSession'];

/** Actions that the execution role needs for its own logs. */
export const RUNTIME_LOGS_ACTIONS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'];
export const DESCRIBE_LOG_GROUPS_ACTIONS = ['logs:DescribeLogGroups'];
export const TRACES_ACTIONS = ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
export const METRICS_ACTIONS = ['cloudwatch:PutMetricData'];
export const WORKLOAD_IDENTITY_ACTIONS = [
  'bedrock-agentcore:GetWorkloadAccessToken',
  'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
  'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
];

export const INVOKE_MODEL_ACTIONS = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
