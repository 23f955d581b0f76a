import { Stack, Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { NAME, NAME_FORMAT } from './runtime-rules';
import { isExpression } from '../private/expression';

/** The endpoint that every runtime has, which the service updates to each new version. */
const DEFAULT = 'DEFAULT';

/** Returns a fault for a literal name that no endpoint can have. A wildcard would silently widen a grant that is meant to be narrow. */
export function endpointFaults(endpoint: IRuntimeEndpoint | undefined): string[] {
  if (endpoint === undefined || isExpression(endpoint.endpointName) || NAME.test(endpoint.endpointName)) return [];
  return [`"endpoint" must have a name ${NAME_FORMAT}, not "${endpoint.endpointName}": use an endpoint of the runtime`];
}

/**
 * Returns the ARNs on which an action in a runtime's sessions is allowed: the service checks the runtime and the endpoint.
 *
 * A name that is not known at synth stands for every endpoint: it may change with the next deployment, as a rollout's does, while runs in
 * progress and resumed sessions stay on the endpoint that they started on.
 */
export function sessionResources({ agentRuntimeArn: arn }: IBedrockAgentRuntime, endpoint?: IRuntimeEndpoint): string[] {
  const name: unknown = endpoint && Stack.of(endpoint).resolve(endpoint.endpointName);
  const isKnown = typeof name === 'string' && NAME.test(name);
  return [arn, isKnown ? `${arn}/runtime-endpoint/${name}` : `${arn}/*`];
}

/** Determines whether sessions are reached through the endpoint `DEFAULT`. */
export function isDefaultEndpoint(endpoint: IRuntimeEndpoint | undefined): boolean {
  return endpoint === undefined || (!Token.isUnresolved(endpoint.endpointName) && endpoint.endpointName === DEFAULT);
}
