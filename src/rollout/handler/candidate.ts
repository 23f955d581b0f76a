import { GetAgentRuntimeResponse } from '@aws-sdk/client-bedrock-agentcore-control';
import { LIMITS } from './constants';
import { Endpoint } from './control-plane';
import { messageOf, NoRoomError, RolloutError } from './errors';
import { RolloutRequest } from './rollout-request';
import { Progress, Site } from './site';
import { stopSmokeSession } from './smoke-session';
import { smokeTest } from './smoke-tests';
import { SupersededError } from './turn';

/** After 2, 4 and 8 times the back-off, 14 s in all: CloudFormation waits for its answer. */
const ABANDON_TRIES = 4;

/** The endpoint of a version. It never moves to another. */
export function endpointNameOf(version: string): string {
  return `v${version}`;
}

/**
 * Brings the endpoint of a version one step further: version ready, endpoint made, endpoint ready, tests passed.
 *
 * Which step is next is read from the service each time, so that it does not matter where an earlier call ended.
 */
export async function advanceCandidate(
  request: RolloutRequest, version: GetAgentRuntimeResponse, endpoints: readonly Endpoint[], site: Site,
): Promise<Progress> {
  const name = endpointNameOf(request.version);
  const candidate = endpoints.find((endpoint) => endpoint.name === name);
  if (candidate === undefined) return makeCandidate(request, version, endpoints, site);
  if (candidate.status === 'DELETING') return { waitingFor: `the former endpoint "${name}" to be gone, which is DELETING` };
  // One that is just being made may not show its tags yet.
  if (candidate.status !== 'CREATING') refuseWhatIsNotOurs(candidate, request);

  switch (candidate.status) {
    case 'CREATING':
    case 'UPDATING':
      return { waitingFor: `endpoint "${name}" to become READY, which is ${candidate.status}` };
    case 'READY':
      return testCandidate(request, candidate, site);
    default:
      if (servesItsVersion(candidate)) return testCandidate(request, candidate, site);
      refuseWhatSomebodyHas(candidate, request);
      return replaceCandidate(request, candidate, site);
  }
}

async function makeCandidate(
  { version, rollout, id, runtimeId }: RolloutRequest,
  { status, failureReason }: GetAgentRuntimeResponse,
  endpoints: readonly Endpoint[],
  site: Site,
): Promise<Progress> {
  const name = endpointNameOf(version);
  if (status?.endsWith('_FAILED')) throw new RolloutError(`version ${version} of the runtime is ${status}: ${failureReason ?? 'the service gives no reason'}`);
  if (status !== 'READY') return { waitingFor: `version ${version} of the runtime to become READY, which is ${status}` };
  try {
    await site.control.createEndpoint(name, version, `Version ${version}, made and tested by a RuntimeRollout`, { ROLLOUT: rollout, REQUEST: id });
  } catch (error) {
    if (error instanceof NoRoomError) throw new RolloutError(noRoom(runtimeId, endpoints, site.clock.now()));
    throw error;
  }
  site.log.info('endpoint made', { endpoint: name });
  return { waitingFor: `endpoint "${name}" to become READY, which was just made` };
}

/**
 * Whether an endpoint serves the version that it is named after: not one that somebody moved, or that is on its way out.
 *
 * One that somebody changed in vain is as it was: the update failed, and what it has served so far it goes on to serve.
 */
export function servesItsVersion({ name, status, version, liveVersion, passed }: Endpoint): boolean {
  const isServing = status === 'READY' || (status === 'UPDATE_FAILED' && passed.length > 0);
  return isServing && liveVersion !== undefined && version === liveVersion && name === endpointNameOf(liveVersion);
}

/** A version without an endpoint of its own would be handed out under the name of something else. */
function refuseWhatIsNotOurs({ name, version, rollout }: Endpoint, request: RolloutRequest): void {
  if (rollout !== request.rollout) {
    throw new RolloutError(`endpoint "${name}" is there already and was not made by this rollout, but by ${rollout ?? 'somebody else'}: ${waysOut(name, request)}`);
  }
  if (version !== request.version) {
    throw new RolloutError(`endpoint "${name}" was moved to version ${version} by somebody: ${waysOut(name, request)}`);
  }
}

/** What has passed may have workspaces, which a rollout never deletes to help itself. */
function refuseWhatSomebodyHas({ name, status, passed }: Endpoint, request: RolloutRequest): void {
  if (passed.length === 0) return;
  throw new RolloutError(`endpoint "${name}" has passed before, but is ${status} by now, since somebody changed it: ${waysOut(name, request)}`);
}

function waysOut(name: string, { runtimeId }: RolloutRequest): string {
  const remove = `aws bedrock-agentcore-control delete-agent-runtime-endpoint --agent-runtime-id ${runtimeId} --endpoint-name ${name}`;
  return `nothing was changed; remove it, with the session storage behind it, by "${remove}", or deploy a change of the runtime, which makes another version`;
}

async function testCandidate(request: RolloutRequest, candidate: Endpoint, site: Site): Promise<Progress> {
  const { name, arn } = candidate;
  if (candidate.request !== request.id) {
    // Somebody died while testing it, or it passed other tests than these. The tag leads a deletion to our session.
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

/** It failed in this request: that is the end of it. In an earlier one: it only is in the way. */
async function replaceCandidate(request: RolloutRequest, { name, arn, status, request: tested }: Endpoint, site: Site): Promise<Progress> {
  if (tested === request.id) throw new RolloutError(`endpoint "${name}" is ${status}: ${await site.control.failureReason(name)}`);
  await site.control.tag(arn, { REQUEST: request.id });
  await site.control.deleteEndpoint(name);
  return { waitingFor: `the former endpoint "${name}" to be gone, which was ${status}` };
}

function noRoom(runtimeId: string, endpoints: readonly Endpoint[], now: number): string {
  const days = (since: number) => Math.floor((now - since) / 86_400_000);
  const list = endpoints.map(({ name, rollout, retired }) => (
    rollout === undefined ? `${name} (not of a rollout)` : retired === undefined ? name : `${name} (replaced ${days(retired.at)} days ago)`));
  return `no room for another endpoint: the runtime has ${endpoints.length}, ${list.join(', ')}; nothing was changed. Either raise the quota "endpoints per agent" `
    + 'in Service Quotas, or deploy a smaller "keepEndpoints" or "retention" before the change of the runtime, '
    + `or remove one, with the session storage behind it, by "aws bedrock-agentcore-control delete-agent-runtime-endpoint --agent-runtime-id ${runtimeId} --endpoint-name NAME"`;
}

/**
 * Removes what this request made and nobody was given: the session first, then the endpoint.
 *
 * An endpoint that had passed before is somebody's. What cannot be removed now is found by the next request.
 */
export async function abandonCandidate(request: RolloutRequest, site: Site): Promise<void> {
  const name = endpointNameOf(request.version);
  let isStopped = false;
  for (let tries = 1; tries <= ABANDON_TRIES; tries++) {
    try {
      const candidate = (await site.control.endpoints()).find((endpoint) => endpoint.name === name);
      if (candidate?.rollout !== request.rollout || candidate.status === 'DELETING') return;
      if (candidate.request === request.id && !isStopped) {
        isStopped = true; // or cannot be: the endpoint's end is the session's
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
