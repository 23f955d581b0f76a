export { AgentImage, type AgentImageOptions } from './agent-image';
export { type CustomToolOptions, DevTool } from './dev-tool';
