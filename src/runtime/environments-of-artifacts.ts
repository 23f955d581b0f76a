import type { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';

/** The environment variables that a runtime needs, by the artifact of its image. */
export const environmentsOfArtifacts = new WeakMap<AgentRuntimeArtifact, { readonly [name: string]: string }>();
