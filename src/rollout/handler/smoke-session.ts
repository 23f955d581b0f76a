import { createHash } from 'crypto';
import { Endpoint } from './control-plane';
import { messageOf } from './errors';
import { RolloutRequest } from './rollout-request';
import { Site } from './site';
import { ERRORS } from '../../jobs/constants';
import { SessionAddress } from '../../jobs/exec';
import { stopSession } from '../../jobs/stop-session';

/**
 * The throw-away session in which a request tests an endpoint: the same whenever the request is handled again, so that what was
 * begun is found, and another for each request, so that nothing of an earlier test is.
 */
export function smokeSession({ runtimeArn }: RolloutRequest, endpointName: string, requestId: string): SessionAddress {
  const id = createHash('sha256').update(JSON.stringify([requestId, endpointName])).digest('hex');
  return { runtimeArn, qualifier: endpointName, sessionId: `smoke-${id}` };
}

/** Stops the session of the request that tests the endpoint, or did and ended. One that is gone is stopped, as is one whose endpoint is gone. */
export async function stopSmokeSession(request: RolloutRequest, endpoint: Pick<Endpoint, 'name' | 'request'>, site: Site): Promise<void> {
  if (endpoint.request === undefined) return;
  try {
    await stopSession(site.sessions, smokeSession(request, endpoint.name, endpoint.request), site.clock, site.backoffSeconds);
  } catch (error) {
    // With its endpoint a session cannot be reached any more.
    if ((error as Error).name !== ERRORS.NOT_FOUND) throw error;
  }
}

/** The same where nothing depends on it. Returns whether it is stopped; what is not is logged, and ends by its idle timeout. */
export async function tryToStopSmokeSession(request: RolloutRequest, endpoint: Endpoint, site: Site): Promise<boolean> {
  try {
    await stopSmokeSession(request, endpoint, site);
    return true;
  } catch (error) {
    site.log.warn('session left', { endpoint: endpoint.name, error: (error as Error).name, reason: messageOf(error) });
    return false;
  }
}

/** Stops what a request left that ended while it tested an endpoint that had passed before. */
export async function stopLeftSessions(request: RolloutRequest, own: readonly Endpoint[], site: Site): Promise<void> {
  const serving = own.filter(({ status }) => status === 'READY' || status === 'UPDATE_FAILED');
  for (const endpoint of serving.filter(({ passed, request: left }) => passed.length > 0 && left !== undefined)) {
    if (await tryToStopSmokeSession(request, endpoint, site)) await site.control.tag(endpoint.arn, { REQUEST: '' });
  }
}
