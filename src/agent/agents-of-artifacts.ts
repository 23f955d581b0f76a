import type { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import type { CodingAgent } from './coding-agent';

/** The agents of images, by the artifact of the image. A runtime reads from it which environment variables it needs. */
export const agentsOfArtifacts = new WeakMap<AgentRuntimeArtifact, CodingAgent>();
