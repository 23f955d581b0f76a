import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';

/** A stack of its own app, without an environment unless one is given. */
export function newStack(env?: { account: string; region: string }): Stack {
  return new Stack(new App(), 'Stack', { env });
}

/** An artifact that adds nothing to a template, so that a test sees only what it is about. */
export const IMAGE = AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1');

/** Runs the function and returns the message that it throws with. */
export function messageOf(throws: () => unknown): string {
  try {
    throws();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
