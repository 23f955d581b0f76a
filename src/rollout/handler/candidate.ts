import { GetAgentRuntimeResponse } from '@aws-sdk/client-bedrock-agentcore-control';
import { LIMITS } from './constants';
import { configurationDigest, Endpoint } from './control-plane';
import { messageOf, NoRoomError, RolloutError } from './errors';
import { RolloutRequest } from './rollout-request';
import { Live, Progress, Site, SupersededError } from './site';
import { smokeTest, stopSmokeSession } from './smoke-tests';

/** The waits are 2, 4, 8 and 16 times the back-off, 30 s in all: CloudFormation waits for its answer. */
const ABANDON_TRIES = 4;

/** Returns the name of the endpoint of a version, which never moves to another. */
function endpointNameOf(version: string): string {
  return `v${version}`;
}

/**
 * Returns whether an endpoint serves the version that it is named after, and so was not moved and is not being deleted.
 *
 * A failed update leaves an endpoint as it was: it continues to serve the same version.
 */
function servesItsVersion({ name, status, version, liveVersion, passed }: Endpoint): boolean {
  const isServing = status === 'READY' || (status === 'UPDATE_FAILED' && passed.length > 0);
  return isServing && liveVersion !== undefined && version === liveVersion && name === endpointNameOf(liveVersion);
}

/**
 * Brings the endpoint of a version one step further: version ready, endpoint created, endpoint ready, tests passed.
 *
 * Each step reads from the service which one is next, so that it does not matter where an earlier call ended.
 *
 * An endpoint that has passed the same tests with the same configuration is returned as it is. This makes a rollback safe: CloudFormation gives
 * the runtime its old configuration as a *new* version, and the endpoint of the old version still exists, with its workspaces.
 */
export async function advance(request: RolloutRequest, site: Site): Promise<Progress> {
  const endpoints = await site.control.endpoints();
  const version = await site.control.version(request.version);
  const live = await passedEndpoint(request, version, endpoints, site);
  return live ? { live } : advanceCandidate(request, version, endpoints, site);
}

/** Returns the version's own endpoint, or else the newest one with the same configuration. */
async function passedEndpoint(
  request: RolloutRequest, version: GetAgentRuntimeResponse, endpoints: readonly Endpoint[], site: Site,
): Promise<Live | undefined> {
  const passed = endpoints
    .filter((endpoint) => endpoint.rollout === request.rollout && endpoint.passed.includes(request.testsDigest) && servesItsVersion(endpoint))
    .sort((a, b) => Number(b.version) - Number(a.version));
  const own = passed.find((endpoint) => endpoint.version === request.version);
  if (own) return { name: own.name, version: request.version };
  const wanted = configurationDigest(version);
  for (const endpoint of passed) {
    if (configurationDigest(await site.control.version(endpoint.version!)) === wanted) return { name: endpoint.name, version: endpoint.version! };
  }
  return undefined;
}

async function advanceCandidate(
  request: RolloutRequest, version: GetAgentRuntimeResponse, endpoints: readonly Endpoint[], site: Site,
): Promise<Progress> {
  const name = endpointNameOf(request.version);
  const candidate = endpoints.find((endpoint) => endpoint.name === name);
  if (candidate === undefined) return createCandidate(request, version, endpoints, site);
  if (candidate.status === 'DELETING') return { waitingFor: `the former endpoint "${name}" to be gone, which is DELETING` };
  // An endpoint may not show its tags while it is created.
  if (candidate.status !== 'CREATING') refuseForeignEndpoint(candidate, request);

  switch (candidate.status) {
    case 'CREATING':
    case 'UPDATING':
      return { waitingFor: `endpoint "${name}" to become READY, which is ${candidate.status}` };
    case 'READY':
      return testCandidate(request, candidate, site);
    default:
      if (servesItsVersion(candidate)) return testCandidate(request, candidate, site);
      refuseEndpointInUse(candidate, request);
      return replaceCandidate(request, candidate, site);
  }
}

async function createCandidate(
  { version, rollout, id, runtimeId }: RolloutRequest,
  { status, failureReason }: GetAgentRuntimeResponse,
  endpoints: readonly Endpoint[],
  site: Site,
): Promise<Progress> {
  const name = endpointNameOf(version);
  if (status?.endsWith('_FAILED')) throw new RolloutError(`version ${version} of the runtime is ${status}: ${failureReason ?? 'the service gives no reason'}`);
  if (status !== 'READY') return { waitingFor: `version ${version} of the runtime to become READY, which is ${status}` };
  try {
    await site.control.createEndpoint(name, version, `Version ${version}, created and tested by a RuntimeRollout`, { ROLLOUT: rollout, REQUEST: id });
  } catch (error) {
    if (error instanceof NoRoomError) throw new RolloutError(noRoom(runtimeId, endpoints, site.clock.now()));
    throw error;
  }
  site.log.info('endpoint created', { endpoint: name });
  return { waitingFor: `endpoint "${name}" to become READY, which was just created` };
}

function noRoom(runtimeId: string, endpoints: readonly Endpoint[], now: number): string {
  const days = (since: number) => Math.floor((now - since) / 86_400_000);
  const list = endpoints.map(({ name, rollout, retired }) => (
    rollout === undefined ? `${name} (not of a rollout)` : retired === undefined ? name : `${name} (replaced ${days(retired.at)} days ago)`));
  return `no room for another endpoint: the runtime has ${endpoints.length}, ${list.join(', ')}; nothing was changed. Raise the quota "endpoints per agent" `
    + 'in Service Quotas, or deploy a smaller "keepEndpoints" or "retention" before the change of the runtime, '
    + `or delete an endpoint and its session storage with "${deletionOf(runtimeId, 'NAME')}"`;
}

/** A version without an endpoint of its own would be returned under the name of something else. */
function refuseForeignEndpoint({ name, version, rollout }: Endpoint, request: RolloutRequest): void {
  if (rollout !== request.rollout) {
    throw new RolloutError(`endpoint "${name}" already exists and was not created by this rollout, but by ${rollout ?? 'somebody else'}: ${waysOut(name, request)}`);
  }
  if (version !== request.version) {
    throw new RolloutError(`endpoint "${name}" was moved to version ${version} from outside: ${waysOut(name, request)}`);
  }
}

/** An endpoint that has passed may have workspaces, which a rollout never deletes to help itself. */
function refuseEndpointInUse({ name, status, passed }: Endpoint, request: RolloutRequest): void {
  if (passed.length === 0) return;
  throw new RolloutError(`endpoint "${name}" passed before, but is now ${status}, since it was changed from outside: ${waysOut(name, request)}`);
}

function waysOut(name: string, { runtimeId }: RolloutRequest): string {
  return `nothing was changed; delete the endpoint and its session storage with "${deletionOf(runtimeId, name)}", or deploy a change of the runtime, which creates another version`;
}

function deletionOf(runtimeId: string, name: string): string {
  return `aws bedrock-agentcore-control delete-agent-runtime-endpoint --agent-runtime-id ${runtimeId} --endpoint-name ${name}`;
}

async function testCandidate(request: RolloutRequest, candidate: Endpoint, site: Site): Promise<Progress> {
  const { name, arn } = candidate;
  if (candidate.request !== request.id) {
    // A function died while it tested the endpoint, or the endpoint passed other tests. The tag leads a deletion to our session.
    await stopSmokeSession(request, candidate, site);
    await site.control.tag(arn, { REQUEST: request.id });
  }
  const waitingFor = await smokeTest(request, name, site);
  if (waitingFor !== undefined) return { waitingFor };
  await stopSmokeSession(request, { name, request: request.id }, site);
  const passed = [request.testsDigest, ...candidate.passed].slice(0, LIMITS.passedSets);
  await site.control.tag(arn, { PASSED: passed.join(' '), REQUEST: '' });
  site.log.info('endpoint passed', { endpoint: name, tests: request.tests.length });
  return { live: { name, version: request.version } };
}

/** Fails if the endpoint failed in this request. One that failed in an earlier request is deleted, to be created again. */
async function replaceCandidate(request: RolloutRequest, { name, arn, status, request: tested }: Endpoint, site: Site): Promise<Progress> {
  if (tested === request.id) throw new RolloutError(`endpoint "${name}" is ${status}: ${await site.control.failureReason(name)}`);
  await site.control.tag(arn, { REQUEST: request.id });
  await site.control.deleteEndpoint(name);
  return { waitingFor: `the former endpoint "${name}" to be gone, which was ${status}` };
}

/**
 * Removes what this request created and nobody was given: first the session, then the endpoint.
 *
 * An endpoint that passed before may be in use and stays. What cannot be removed now is left to the next request.
 */
export async function abandonCandidate(request: RolloutRequest, site: Site): Promise<void> {
  const name = endpointNameOf(request.version);
  let isStopped = false;
  for (let tries = 1; tries <= ABANDON_TRIES; tries++) {
    try {
      const candidate = (await site.control.endpoints()).find((endpoint) => endpoint.name === name);
      if (candidate?.rollout !== request.rollout || candidate.status === 'DELETING') return;
      if (candidate.request === request.id && !isStopped) {
        isStopped = true; // even if this fails: the session ends with its endpoint
        await stopSmokeSession(request, candidate, site);
      }
      if (candidate.passed.length > 0) return;
      await site.control.deleteEndpoint(name);
      site.log.info('endpoint removed', { endpoint: name, reason: 'not passed' });
      return;
    } catch (error) {
      if (error instanceof SupersededError) return;
      site.log.warn('endpoint not removed', { endpoint: name, error: (error as Error).name, reason: messageOf(error) });
      await site.clock.sleep(site.backoffSeconds * 2 ** tries);
    }
  }
}
