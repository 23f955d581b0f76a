import { GetAgentRuntimeResponse } from '@aws-sdk/client-bedrock-agentcore-control';
import { advanceCandidate, servesItsVersion } from './candidate';
import { Endpoint } from './control-plane';
import { configurationDigest } from './fingerprint';
import { RolloutRequest } from './rollout-request';
import { Live, Progress, Site } from './site';
import { tidyUp } from './tidy-up';

/**
 * One step of a create or an update.
 *
 * An endpoint that has passed, with the configuration and the tests that are asked for, is handed out as it is. This makes a
 * roll-back safe: CloudFormation gives the runtime its old configuration as a *new* version, and the endpoint of the old version
 * is still there, with its workspaces.
 */
export async function rollOut(request: RolloutRequest, site: Site): Promise<Progress> {
  const endpoints = await site.control.endpoints();
  const version = await site.control.version(request.version);
  const passed = await passedEndpoint(request, version, endpoints, site);
  const { waitingFor, live } = passed ? { live: passed, waitingFor: undefined } : await advanceCandidate(request, version, endpoints, site);
  return live ? { ...await tidyUp(request, live, site), live } : { waitingFor };
}

/** The version's own endpoint, or else the newest that does the same. */
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

/** For the result: attributes of the custom resource. */
export function attributesOf({ name, version }: Live) {
  return { EndpointName: name, Version: version };
}
