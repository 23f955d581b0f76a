export { AgentExecutionRole, type AgentExecutionRoleProps } from './agent-execution-role';
export { AgentRuntime, type AgentRuntimeProps } from './agent-runtime';
export { type ApplicationInferenceProfileOptions, BedrockModel } from './bedrock-model';
export { type RuntimeGrantOptions, RuntimeGrants } from './runtime-grants';
