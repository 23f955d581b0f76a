import { strikeBeforeStart } from './data-plane';
import { conflict, ServiceError, validation } from './errors';
import type { Exchange } from './exchange';
import { LIMITS } from './limits';
import type { Operation, Plane } from './plane';
import type { Endpoint, Registry, Runtime, RuntimeConfiguration, RuntimeVersion, Status } from './registry';
import { strikeBeforeReply } from './reply';
import { modelled } from './shapes';
import { setTags, Tags, tagsOf, validateTags } from './tags';
import { validateConfiguration, validateName } from './validation';

type Input = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;
interface Reply { readonly status: number; readonly body?: unknown }
type Handler = (plane: Plane, input: Input, parameters: Parameters) => Reply | Promise<Reply>;

/** The control plane's operations, by name. */
export const controlPlane = {
  CreateAgentRuntime: operation(({ registry }, input) => {
    const { agentRuntimeName, clientToken, tags, ...configuration } = input;
    validateName(agentRuntimeName);
    validateConfiguration(configuration as RuntimeConfiguration);
    validateTags(tags as Tags | undefined);
    const runtime = registry.create(agentRuntimeName as string, configuration as RuntimeConfiguration, tags as Tags | undefined);
    return { status: 202, body: { ...runtimeSummary(runtime, registry.version(runtime, '1')), status: 'CREATING', createdAt: time(runtime.createdAt) } };
  }),

  GetAgentRuntime: operation(({ registry }, _, { runtime: id, version }) => {
    const runtime = registry.find(id);
    return { status: 200, body: runtimeDetails(runtime, registry.version(runtime, version ?? runtime.latestVersion)) };
  }),

  UpdateAgentRuntime: operation(({ registry }, input, { runtime: id }) => {
    const runtime = settled(registry.find(id));
    const { clientToken, ...configuration } = input;
    validateConfiguration(configuration as RuntimeConfiguration);
    settled(registry.endpoint(runtime, 'DEFAULT'), 'DEFAULT');
    if (runtime.versions.length >= LIMITS.versionsPerRuntime) {
      throw new ServiceError('ServiceQuotaExceededException', `There may be at most ${LIMITS.versionsPerRuntime} versions of a runtime`);
    }
    const version = registry.update(runtime, configuration as RuntimeConfiguration);
    return {
      status: 202,
      body: { ...runtimeSummary(runtime, version), status: 'UPDATING', createdAt: time(runtime.createdAt), lastUpdatedAt: time(runtime.lastUpdatedAt) },
    };
  }),

  DeleteAgentRuntime: operation(async ({ registry, sessions, workspaces }, _, { runtime: id, version }) => {
    const runtime = settled(registry.find(id));
    if (version !== undefined) {
      return deleteVersion(registry, runtime, version);
    }
    runtime.endpoints.forEach(endpoint => settled(endpoint, endpoint.name));
    await sessions.close(runtime.id);
    workspaces.remove(runtime.id);
    registry.remove(runtime);
    return { status: 202, body: { status: 'DELETING', agentRuntimeId: runtime.id } };
  }),

  ListAgentRuntimes: operation(({ registry }, _, parameters) => page('agentRuntimes', registry.list().map(runtime =>
    listed(runtime, registry.version(runtime, runtime.latestVersion))), parameters)),

  ListAgentRuntimeVersions: operation(({ registry }, _, parameters) => {
    const runtime = registry.find(parameters.runtime);
    return page('agentRuntimes', [...runtime.versions].reverse().map(version => listed(runtime, version)), parameters);
  }),

  CreateAgentRuntimeEndpoint: operation(({ registry }, { name, agentRuntimeVersion, description, tags }, { runtime: id }) => {
    const runtime = registry.find(id);
    validateName(name, 'name');
    validateTags(tags as Tags | undefined);
    const version = registry.version(runtime, (agentRuntimeVersion ?? runtime.latestVersion) as string);
    if (runtime.status !== 'READY') {
      throw conflict(`Agent runtime '${runtime.id}' is ${runtime.status}`);
    }
    if (runtime.endpoints.some(endpoint => endpoint.name === name)) {
      throw conflict(`An endpoint with the name '${String(name)}' already exists for agent '${runtime.id}'`);
    }
    if (runtime.endpoints.length >= LIMITS.endpointsPerRuntime) {
      throw new ServiceError('ServiceQuotaExceededException', `There may be at most ${LIMITS.endpointsPerRuntime} endpoints of a runtime`);
    }
    const endpoint = registry.addEndpoint(runtime, name as string, version.version, { description, tags } as Pick<Endpoint, 'description' | 'tags'>);
    return { status: 202, body: { ...endpointDetails(runtime, endpoint), status: 'CREATING', endpointName: endpoint.name, agentRuntimeId: runtime.id } };
  }),

  GetAgentRuntimeEndpoint: operation(({ registry }, _, { runtime: id, endpoint }) => {
    const runtime = registry.find(id);
    return { status: 200, body: endpointDetails(runtime, registry.endpoint(runtime, endpoint)) };
  }),

  UpdateAgentRuntimeEndpoint: operation(({ registry }, { agentRuntimeVersion, description }, { runtime: id, endpoint: name }) => {
    const runtime = registry.find(id);
    const endpoint = settled(registry.endpoint(runtime, name), name);
    const version = registry.version(runtime, (agentRuntimeVersion ?? endpoint.targetVersion) as string);
    registry.retarget(runtime, endpoint, version.version, description as string | undefined);
    return { status: 202, body: { ...endpointDetails(runtime, endpoint), status: 'UPDATING' } };
  }),

  ListAgentRuntimeEndpoints: operation(({ registry }, _, parameters) => {
    const runtime = registry.find(parameters.runtime);
    return page('runtimeEndpoints', runtime.endpoints.map(endpoint => endpointDetails(runtime, endpoint)), parameters);
  }),

  DeleteAgentRuntimeEndpoint: operation(async ({ registry, sessions, workspaces }, _, { runtime: id, endpoint: name }) => {
    const runtime = registry.find(id);
    const endpoint = settled(registry.endpoint(runtime, name), name);
    if (name === 'DEFAULT') {
      throw conflict('The DEFAULT endpoint cannot be deleted');
    }
    await sessions.close(runtime.id, name);
    workspaces.remove(runtime.id, name);
    registry.removeEndpoint(runtime, endpoint);
    return { status: 202, body: { status: 'DELETING', agentRuntimeId: runtime.id, endpointName: name } };
  }),

  ListTagsForResource: operation(({ registry }, _, { resource }) => ({ status: 200, body: { tags: tagsOf(registry, resource) } })),

  TagResource: operation(({ registry }, { tags }, { resource }) => {
    setTags(registry, resource, { ...tagsOf(registry, resource), ...tags as Tags });
    return { status: 204 };
  }),

  UntagResource: operation(({ registry }, _, { resource, tagKeys }) => {
    const gone = tagKeys.split(',');
    setTags(registry, resource, Object.fromEntries(Object.entries(tagsOf(registry, resource)).filter(([key]) => !gone.includes(key))));
    return { status: 204 };
  }),
};

function operation(handler: Handler): Operation {
  return async (exchange: Exchange, plane, parameters) => {
    await strikeBeforeStart(exchange, { registry: plane.registry });
    const input = parse(exchange.call.body);
    const token = input.clientToken ?? parameters.clientToken;
    const key = JSON.stringify([exchange.call.operation, token]);
    const reply = plane.replies.get(key) as Reply | undefined ?? await handler(plane, input, parameters);
    if (token !== undefined) {
      plane.replies.set(key, reply);
    }
    await strikeBeforeReply(exchange);
    exchange.json(reply.status, modelled(exchange.call.operation!, reply.body));
  };
}

function parse(body: Buffer): Input {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8')) as Input;
  } catch {
    throw validation('the body is not JSON');
  }
}

/** Fails for a resource in transition, which cannot be changed. */
function settled<T extends { readonly status: Status }>(item: T, name = 'The agent runtime'): T {
  if (!['READY', 'CREATE_FAILED', 'UPDATE_FAILED', 'DELETE_FAILED'].includes(item.status)) {
    throw conflict(`${name} is ${item.status}; wait until it is READY`);
  }
  return item;
}

function deleteVersion(registry: Registry, runtime: Runtime, version: string): Reply {
  registry.version(runtime, version);
  const user = runtime.endpoints.find(({ liveVersion, targetVersion }) => liveVersion === version || targetVersion === version);
  if (user) {
    throw conflict(`Version ${version} is used by endpoint '${user.name}'`);
  }
  registry.removeVersion(runtime, version);
  return { status: 202, body: { status: 'DELETING', agentRuntimeId: runtime.id, agentRuntimeVersion: version } };
}

function runtimeSummary({ arn, id, name, status }: Runtime, { version }: RuntimeVersion) {
  return {
    agentRuntimeArn: arn,
    agentRuntimeId: id,
    agentRuntimeVersion: version,
    agentRuntimeName: name,
    status,
    workloadIdentityDetails: { workloadIdentityArn: `${arn.replace(/:runtime\/.*/, '')}:workload-identity-directory/default/workload-identity/${id}` },
  };
}

function listed(runtime: Runtime, version: RuntimeVersion) {
  const { workloadIdentityDetails, ...summary } = runtimeSummary(runtime, version);
  // The model has it as required, also where there is none.
  return { ...summary, description: version.configuration.description ?? '', lastUpdatedAt: time(version.createdAt) };
}

function runtimeDetails(runtime: Runtime, version: RuntimeVersion) {
  return {
    lifecycleConfiguration: { idleRuntimeSessionTimeout: LIMITS.idleTimeout.default, maxLifetime: LIMITS.maxLifetime.default },
    networkConfiguration: { networkMode: 'PUBLIC' },
    // The service has set this by default since 2026.
    metadataConfiguration: { requireMMDSV2: true },
    ...version.configuration,
    ...runtimeSummary(runtime, version),
    failureReason: runtime.failureReason,
    createdAt: time(runtime.createdAt),
    lastUpdatedAt: time(version.createdAt),
  };
}

function endpointDetails(runtime: Runtime, endpoint: Endpoint) {
  return {
    agentRuntimeEndpointArn: `${runtime.arn}/runtime-endpoint/${endpoint.name}`,
    agentRuntimeArn: runtime.arn,
    name: endpoint.name,
    id: endpoint.id,
    status: endpoint.status,
    liveVersion: endpoint.liveVersion,
    targetVersion: endpoint.targetVersion,
    description: endpoint.description,
    failureReason: endpoint.failureReason,
    createdAt: time(endpoint.createdAt),
    lastUpdatedAt: time(endpoint.lastUpdatedAt),
  };
}

function page(name: string, items: readonly unknown[], { maxResults = '100', nextToken = '0' }: Parameters): Reply {
  const from = Number(nextToken);
  const to = from + Number(maxResults);
  if (!Number.isInteger(from) || !Number.isInteger(to) || to <= from) {
    throw validation('maxResults or nextToken is not valid');
  }
  return { status: 200, body: { [name]: items.slice(from, to), nextToken: to < items.length ? `${to}` : undefined } };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
