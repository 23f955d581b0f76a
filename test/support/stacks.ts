import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, IRuntimeEndpoint, RuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';

/** Returns a stack in its own app, without an environment unless one is given. */
export function newStack(env?: { account: string; region: string }): Stack {
  return new Stack(new App(), 'Stack', { env });
}

/** Returns an imported endpoint. Its name may be one that no endpoint can have. */
export function endpointNamed(endpointName: string): IRuntimeEndpoint {
  const agentRuntimeArn = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789';
  const agentRuntimeEndpointArn = `${agentRuntimeArn}/runtime-endpoint/${endpointName}`;
  return RuntimeEndpoint.fromRuntimeEndpointAttributes(newStack(), 'Endpoint', { agentRuntimeArn, agentRuntimeEndpointArn, endpointName });
}

/** An artifact that adds nothing to a template, so that a test sees only its subject. */
export const IMAGE = AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1');

/** Runs the function and returns the message of the error that it throws. */
export function messageOf(throws: () => unknown): string {
  try {
    throws();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
