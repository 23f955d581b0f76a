import { Validations } from 'aws-cdk-lib';
import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { isDefaultEndpoint } from '../runtime/endpoint';
import { sessionStorageMountOf } from '../runtime/introspection';

/** Id of the warning for workspaces on `DEFAULT`. Stable, since users acknowledge it by this name. */
export const WORKSPACE_ON_DEFAULT_ENDPOINT = 'cdk-agentcore-workbench:workspaceOnDefaultEndpoint';

/**
 * Warns where runs keep their workspaces in session storage behind an endpoint that moves with each deployment.
 *
 * @param scope what uses the endpoint: the warning is acknowledged there
 * @internal
 */
export function warnAboutDefaultEndpoint(scope: IConstruct, runtime: IBedrockAgentRuntime, endpoint?: IRuntimeEndpoint): void {
  const mount = sessionStorageMountOf(runtime);
  if (!isDefaultEndpoint(endpoint) || mount === undefined) return;
  Validations.of(scope).addWarning(WORKSPACE_ON_DEFAULT_ENDPOINT, `the endpoint "DEFAULT" of "${runtime.node.path}" moves to every new version, which empties `
    + `the session storage at "${mount}" of every session, also of runs under way: give "endpoint" the one of a RuntimeRollout, or, if nobody has to find `
    + `a workspace again after a deployment, acknowledge this by Validations.of(construct).acknowledge({ id: '${WORKSPACE_ON_DEFAULT_ENDPOINT}', reason: '…' })`);
}
