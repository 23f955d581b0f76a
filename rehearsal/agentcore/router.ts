import { invokeCommand } from './command';
import { controlPlane } from './control-plane';
import type { Exchange } from './exchange';
import { invokeAgent } from './invoke';
import type { OperationName } from './operations';
import type { Operation, Plane } from './plane';
import { stopSession } from './stop';

interface Route {
  readonly operation: OperationName;
  readonly method: string;
  readonly path: RegExp;
  readonly run: Operation;
}

const RUNTIME = '/runtimes/(?<runtime>[^/]+)';
const ENDPOINTS = `${RUNTIME}/runtime-endpoints`;
const TAGS = '/tags/(?<resource>[^/]+)';

const ROUTES: readonly Route[] = [
  data('InvokeAgentRuntime', 'invocations', invokeAgent),
  data('InvokeAgentRuntimeCommand', 'commands', invokeCommand),
  data('StopRuntimeSession', 'stopruntimesession', stopSession),
  control('CreateAgentRuntime', 'PUT', '/runtimes'),
  control('ListAgentRuntimes', 'POST', '/runtimes'),
  control('GetAgentRuntime', 'GET', RUNTIME),
  control('UpdateAgentRuntime', 'PUT', RUNTIME),
  control('DeleteAgentRuntime', 'DELETE', RUNTIME),
  control('ListAgentRuntimeVersions', 'POST', `${RUNTIME}/versions`),
  control('CreateAgentRuntimeEndpoint', 'PUT', ENDPOINTS),
  control('ListAgentRuntimeEndpoints', 'POST', ENDPOINTS),
  control('GetAgentRuntimeEndpoint', 'GET', `${ENDPOINTS}/(?<endpoint>[^/]+)`),
  control('UpdateAgentRuntimeEndpoint', 'PUT', `${ENDPOINTS}/(?<endpoint>[^/]+)`),
  control('DeleteAgentRuntimeEndpoint', 'DELETE', `${ENDPOINTS}/(?<endpoint>[^/]+)`),
  control('ListTagsForResource', 'GET', TAGS),
  control('TagResource', 'POST', TAGS),
  control('UntagResource', 'DELETE', TAGS),
];

function data(operation: OperationName, path: string, run: Operation): Route {
  return { operation, method: 'POST', path: new RegExp(`^${RUNTIME}/${path}/?$`), run };
}

function control(operation: keyof typeof controlPlane, method: string, path: string): Route {
  return { operation, method, path: new RegExp(`^${path}/?$`), run: controlPlane[operation] };
}

export interface Routed {
  readonly operation: OperationName;
  readonly runtime?: string;
  readonly qualifier?: string;
  run(exchange: Exchange, plane: Plane): Promise<void> | void;
}

/** Finds the operation of a request by the bindings of the service models. */
export function route(method: string, target: string): Routed | undefined {
  const url = new URL(target, 'http://localhost');
  for (const { operation, method: wanted, path, run } of ROUTES) {
    const match = wanted === method ? path.exec(url.pathname) : null;
    if (match) {
      const parameters = { ...query(url), ...decode(match.groups ?? {}) };
      const tagged = parameters.resource?.split('/runtime-endpoint/');
      return {
        operation,
        runtime: parameters.runtime ?? tagged?.[0],
        qualifier: parameters.qualifier ?? parameters.endpoint ?? tagged?.[1],
        run: (exchange, plane) => run(exchange, plane, parameters),
      };
    }
  }
  return undefined;
}

/** A list, such as the keys of tags to remove, comes as one parameter for each item. */
function query({ searchParams }: URL): Record<string, string> {
  return Object.fromEntries([...searchParams.keys()].map(name => [name, searchParams.getAll(name).join(',')]));
}

function decode(groups: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}
