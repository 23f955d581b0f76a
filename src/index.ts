// The public surface. What is not named here is internal, whatever its file exports.

// Runtimes, their roles and grants
export {
  AgentExecutionRole,
  type AgentExecutionRoleProps,
  AgentRuntime,
  type AgentRuntimeProps,
  type ApplicationInferenceProfileOptions,
  BedrockModel,
  type RuntimeGrantOptions,
  RuntimeGrants,
} from './runtime';

// What sessions mount
export {
  type EfsAccessPointOptions,
  Mount,
  type MountConfig,
  type S3FilesAccessPointOptions,
  SessionStorage,
} from './mount';

// Coding agents that are programs
export {
  type AiderOptions,
  type ClaudeCodeOptions,
  type CodexOptions,
  CodingAgent,
  type CodingAgentOptions,
  CodingWorkspace,
  type CodingWorkspaceProps,
  type CustomAgentOptions,
  type OpenCodeOptions,
  type StrandsOptions,
} from './coding-agent';

// Container images with developer tools
export { AgentImage, type AgentImageOptions, type BasicImageOptions, type CustomToolOptions, DevTool, type ICodingAgent } from './image';

// Work in sessions, for Step Functions
export { SessionDriver, type SessionDriverProps } from './driver';
export {
  Command,
  InvokeAgent,
  type InvokeAgentJsonataProps,
  type InvokeAgentJsonPathProps,
  type InvokeAgentProps,
  RunCommand,
  type RunCommandJsonataProps,
  type RunCommandJsonPathProps,
  type RunCommandProps,
  StopSession,
  type StopSessionJsonataProps,
  type StopSessionJsonPathProps,
  type StopSessionProps,
} from './tasks';

// Where the repository lives, and who holds the credential for it
export {
  type BasicForgeOptions,
  Forge,
  type ForgeOptions,
  GitHub,
  GitHubApp,
  type GitHubAppOptions,
  type GitHubTokenOptions,
  GitLab,
  type GitLabOptions,
  type TokenForgeOptions,
} from './forge';

// Monitoring
export { LoopDashboard, type LoopDashboardProps } from './dashboard';
export {
  type AllAlarmsOptions,
  type FailuresInARowOptions,
  type LoopAlarmOptions,
  LoopAlarms,
  RunArtifacts,
  type RunArtifactsOptions,
  RunBrake,
  type RunBrakeProps,
  RunBudget,
  type RunBudgetOptions,
  RunEvents,
  RunMessage,
  type RunPrices,
  type RunsNearTheirTimeOptions,
} from './operate';

// The loop: turn, gates, repair, commit
export {
  AgentTurn,
  Baseline,
  type CallbackTurnOptions,
  CodingLoop,
  type CodingLoopProps,
  type CommandTurnOptions,
  Commit,
  type CommitOptions,
  Gate,
  type GateOptions,
  type GitHubRepositoryOptions,
  GitRepository,
  type GitRepositoryOptions,
  type InvokeTurnOptions,
  MergeMethod,
  ProtectedPaths,
  ProtectedPathsAction,
  type ProtectedPathsOptions,
  type PullRequestOptions,
  SessionPolicy,
  Verification,
  type VerificationOptions,
} from './loop';

// Versions of a runtime, tested before they are used
export {
  RuntimeRollout,
  type RuntimeRolloutProps,
  type SmokeCommandOptions,
  type SmokeInvokeOptions,
  SmokeTest,
} from './rollout';
