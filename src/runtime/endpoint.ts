import { Stack, Token, Validations } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { sessionStorageMountOf } from './introspection';
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

/** The id of the warning about workspaces on `DEFAULT`. Users acknowledge the warning by this id, so it must not change. */
export const WORKSPACE_ON_DEFAULT_ENDPOINT = 'cdk-agentcore-workbench:workspaceOnDefaultEndpoint';

/**
 * Warns about workspaces in session storage behind an endpoint that moves with each deployment.
 *
 * @param scope The user of the endpoint, where the warning is acknowledged
 */
export function warnAboutDefaultEndpoint(scope: IConstruct, runtime: IBedrockAgentRuntime, endpoint?: IRuntimeEndpoint): void {
  const isDefault = endpoint === undefined || (!Token.isUnresolved(endpoint.endpointName) && endpoint.endpointName === DEFAULT);
  const mount = sessionStorageMountOf(runtime);
  if (!isDefault || mount === undefined) return;
  Validations.of(scope).addWarning(WORKSPACE_ON_DEFAULT_ENDPOINT, `the endpoint "DEFAULT" of "${runtime.node.path}" moves to every new version, which empties `
    + `the session storage at "${mount}" of every session, including runs in progress: set "endpoint" to that of a RuntimeRollout, or, if no workspace is needed `
    + `after a deployment, acknowledge this with Validations.of(construct).acknowledge({ id: '${WORKSPACE_ON_DEFAULT_ENDPOINT}', reason: '…' })`);
}
