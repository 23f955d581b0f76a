import type { OperationName } from './operations';

/** The resources that the service checks an operation on. */
type CheckedOn =
  /** The runtime alone. */
  | 'runtime'
  /** The runtime and the endpoint, both of which have to be allowed. */
  | 'both'
  /** The resource that the request names: a runtime or an endpoint. */
  | 'named'
  /** No resource: a statement on anything but `*` does not count. */
  | 'none';

/** Resources of each operation, from the service authorization reference. */
export const CHECKED_ON: { readonly [operation in OperationName]: CheckedOn } = {
  InvokeAgentRuntime: 'both',
  InvokeAgentRuntimeCommand: 'both',
  StopRuntimeSession: 'both',
  CreateAgentRuntime: 'none',
  GetAgentRuntime: 'runtime',
  UpdateAgentRuntime: 'runtime',
  DeleteAgentRuntime: 'runtime',
  ListAgentRuntimes: 'none',
  ListAgentRuntimeVersions: 'none',
  CreateAgentRuntimeEndpoint: 'runtime',
  GetAgentRuntimeEndpoint: 'both',
  UpdateAgentRuntimeEndpoint: 'both',
  DeleteAgentRuntimeEndpoint: 'both',
  ListAgentRuntimeEndpoints: 'none',
  ListTagsForResource: 'named',
  TagResource: 'named',
  UntagResource: 'named',
};

/**
 * Returns the resources that a role must be allowed to use for an operation.
 *
 * @param runtimeArn the ARN of the runtime that the request names
 * @param endpoint the endpoint that the request names; without one, a call to a session goes to `DEFAULT`
 */
export function checkedResources(operation: OperationName, runtimeArn: string, endpoint: string | undefined): string[] {
  const endpointArn = (name: string) => `${runtimeArn}/runtime-endpoint/${name}`;
  switch (CHECKED_ON[operation]) {
    case 'none': return ['*'];
    case 'runtime': return [runtimeArn];
    case 'named': return [endpoint === undefined ? runtimeArn : endpointArn(endpoint)];
    case 'both': return [runtimeArn, endpointArn(endpoint ?? 'DEFAULT')];
  }
}
