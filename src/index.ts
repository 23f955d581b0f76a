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

// Filesystems of sessions
export {
  type EfsAccessPointOptions,
  Filesystem,
  type FilesystemConfig,
  type S3FilesAccessPointOptions,
  SessionStorage,
} from './filesystem';

// Container images with developer tools
export { AgentImage, type AgentImageOptions, type CustomToolOptions, DevTool } from './image';
