import { Endpoint } from './control-plane';
import { messageOf, NotThereError } from './errors';
import { RolloutRequest } from './rollout-request';
import { DONE, Progress, Site } from './site';
import { stopLeftSessions, tryToStopSmokeSession } from './smoke-session';
import { isTransient } from '../../jobs/errors';

/**
 * One step of a deletion: removes the rollout's own endpoints, and waits until they are gone, since a runtime with an endpoint
 * in transition cannot be deleted.
 *
 * Where endpoints are retained, CloudFormation only ever asks for the deletion of what it failed to create. That may have taken over endpoints
 * of an earlier rollout, with their workspaces: what has passed stays.
 *
 * Fails never: what does not go is logged, and goes with the runtime.
 */
export async function remove(request: RolloutRequest, site: Site): Promise<Progress> {
  try {
    const own = (await site.control.endpoints()).filter(({ rollout }) => rollout === request.rollout);
    const retained = own.filter(({ passed }) => request.retainEndpoints && passed.length > 0);
    await stopLeftSessions(request, retained, site);
    const going: string[] = [];
    for (const endpoint of own.filter((item) => !retained.includes(item))) {
      if (endpoint.status === 'DELETING' || await removeEndpoint(request, endpoint, 'the rollout is deleted', site) !== 'LEFT') going.push(endpoint.name);
    }
    return going.length === 0 ? DONE : { waitingFor: `endpoints ${going.join(', ')} to be gone` };
  } catch (error) {
    if (error instanceof NotThereError) return DONE;
    if (isTransient(error)) return { waitingFor: `the service to answer (${messageOf(error)})` };
    site.log.warn('endpoints left', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}

/**
 * Stops the session that tested an endpoint, and begins to remove the endpoint, which takes all its other sessions with it.
 *
 * Returns whether it goes, may go at the next try, or does not; the last is logged.
 */
export async function removeEndpoint(request: RolloutRequest, endpoint: Endpoint, reason: string, site: Site): Promise<'GOING' | 'LATER' | 'LEFT'> {
  const { name } = endpoint;
  if (endpoint.status === 'READY') await tryToStopSmokeSession(request, endpoint, site);
  try {
    await site.control.deleteEndpoint(name);
    site.log.info('endpoint removed', { endpoint: name, reason });
    return 'GOING';
  } catch (error) {
    if (isTransient(error)) return 'LATER';
    site.log.warn('endpoint left', { endpoint: name, error: (error as Error).name, reason: messageOf(error) });
    return 'LEFT';
  }
}
