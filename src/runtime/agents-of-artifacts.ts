import type { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';

/** The environment variables that a runtime needs, by the artifact of its image. */
export const environmentsOfArtifacts = new WeakMap<AgentRuntimeArtifact, { readonly [name: string]: string }>();

/** The artifacts whose image has a coding agent, and no server other than the library's. */
export const artifactsOfAgents = new WeakSet<AgentRuntimeArtifact>();
