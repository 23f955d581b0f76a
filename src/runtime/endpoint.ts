import { Stack, Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { isExpression } from '../private/expression';

/** The endpoint that every runtime has, which moves to each new version. */
const DEFAULT = 'DEFAULT';

/** https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_CreateAgentRuntimeEndpoint.html */
const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/;

/** Returns a fault for a literal name that no endpoint can have. A wildcard would silently widen what the user meant to narrow. */
export function endpointFaults(endpoint: IRuntimeEndpoint | undefined): string[] {
  if (endpoint === undefined || isExpression(endpoint.endpointName) || NAME.test(endpoint.endpointName)) return [];
  return [`"endpoint" must have a name of 1 to 48 letters, digits and "_" that starts with a letter, not "${endpoint.endpointName}": use an endpoint of the runtime`];
}

/**
 * Returns the ARNs on which an action in a runtime's sessions is allowed: the service checks the runtime and the endpoint.
 *
 * A name that is only known after synth stands for every endpoint. It may be another after the next deployment, as a rollout's is, while
 * runs under way and resumed sessions stay on the endpoint that they began on.
 */
export function sessionResources({ agentRuntimeArn: arn }: IBedrockAgentRuntime, endpoint?: IRuntimeEndpoint): string[] {
  const name: unknown = endpoint && Stack.of(endpoint).resolve(endpoint.endpointName);
  const isKnown = typeof name === 'string' && NAME.test(name);
  return [arn, isKnown ? `${arn}/runtime-endpoint/${name}` : `${arn}/*`];
}

/** Returns whether sessions are reached through the endpoint `DEFAULT`. */
export function isDefaultEndpoint(endpoint: IRuntimeEndpoint | undefined): boolean {
  return endpoint === undefined || (!Token.isUnresolved(endpoint.endpointName) && endpoint.endpointName === DEFAULT);
}
