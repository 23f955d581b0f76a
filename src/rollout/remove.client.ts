import { messageOf, NotThereError } from './errors.client';
import { RolloutRequest } from './rollout-request.client';
import { DONE, Progress, Site } from './site.client';
import { stopSmokeSession } from './smoke-session.client';
import { isTransient } from '../session/errors.client';

/**
 * One step of a deletion: removes the rollout's own endpoints, and waits until they are gone, since a runtime with an endpoint
 * in transition cannot be deleted.
 *
 * Fails never: what does not go is logged, and goes with the runtime.
 */
export async function remove(request: RolloutRequest, site: Site): Promise<Progress> {
  try {
    const own = (await site.control.endpoints()).filter(({ rollout }) => rollout === request.rollout);
    for (const endpoint of own.filter(({ status }) => status !== 'DELETING')) {
      await stopSmokeSession(request, endpoint, site);
      await site.control.deleteEndpoint(endpoint.name);
      site.log.info('endpoint removed', { endpoint: endpoint.name, reason: 'the rollout is deleted' });
    }
    return own.length === 0 ? DONE : { waitingFor: `endpoints ${own.map(({ name, status }) => `${name} (${status})`).join(', ')} to be gone` };
  } catch (error) {
    if (error instanceof NotThereError) return DONE;
    if (isTransient(error)) return { waitingFor: `the endpoints to be removed (${messageOf(error)})` };
    site.log.warn('endpoints left', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}
