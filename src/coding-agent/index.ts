export { CodingAgent } from './coding-agent';
export {
  type AiderOptions,
  type ClaudeCodeOptions,
  type CodexOptions,
  type CodingAgentOptions,
  type CustomAgentOptions,
  type OpenCodeOptions,
  type StrandsOptions,
} from './coding-agent-options';
export { CodingWorkspace, type CodingWorkspaceProps } from './coding-workspace';
