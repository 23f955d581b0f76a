import { Reference, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

const ROLLOUT = Symbol.for('cdk-agentcore-workbench.RuntimeRollout');

/** Makes the attributes of a custom resource known as those of a rollout. Here, since grants may not know rollouts. */
export function markAsRollout(resource: IConstruct): void {
  // References to attributes are to the L1 below it.
  Object.defineProperty(resource.node.defaultChild, ROLLOUT, { value: true });
}

/**
 * Whether the name of an endpoint is a rollout's: it changes with a deployment, while runs under way and sessions that are resumed
 * stay on the endpoint they began on.
 */
export function isRolloutEndpoint(endpointName: string): boolean {
  return Tokenization.reverseString(endpointName).tokens.some((token) => Reference.isReference(token) && ROLLOUT in token.target);
}
