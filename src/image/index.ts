export { AgentImage } from './agent-image';
export { type AgentImageOptions, type BasicImageOptions } from './agent-image-options';
export { type CustomToolOptions, DevTool } from './dev-tool';
export { type ICodingAgent } from './i-coding-agent';
