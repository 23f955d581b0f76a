import { abandonCandidate, advance } from './candidate';
import { LIMITS } from './constants';
import { messageOf, NotThereError, reasonOf, RolloutError } from './errors';
import { removeAll, tidyUp } from './removal';
import { requestOf, RolloutEvent, RolloutRequest } from './rollout-request';
import { DONE, Live, Progress, Site, Turn } from './site';
import { ERRORS } from '../../jobs/constants';
import { isTransient, SessionError } from '../../jobs/errors';

/** The answer to the provider framework. */
export interface Completion {
  readonly IsComplete: boolean;
  readonly Data?: ReturnType<typeof attributesOf>;
}

/**
 * Handles one step of a request. Returns whether it was the last.
 *
 * The framework asks every few seconds and fails the deployment at the first error, so that an error which may pass is not thrown until the
 * request has timed out. The message of an error becomes CloudFormation's reason.
 */
export async function handleRollout(event: RolloutEvent, unguarded: Site): Promise<Completion> {
  const request = requestOf(event, unguarded.clock.now());
  const turn = new Turn(request, unguarded);
  const { site } = turn;
  const seconds = request.type === 'Delete' ? LIMITS.deleteSeconds : request.timeoutSeconds;
  const deadline = request.began + seconds * 1_000;
  try {
    const progress = await step(request, turn, { ...site, until: Math.min(site.until, deadline) });
    // The step may have taken its failure to change anything for no error.
    if (turn.over !== undefined) throw turn.over;
    if (progress.waitingFor === undefined) return complete(progress);
    if (site.clock.now() < deadline) {
      site.log.info('waiting', { for: progress.waitingFor });
      return { IsComplete: false };
    }
    if (request.type !== 'Delete' && progress.live === undefined) {
      throw new RolloutError(`waited ${seconds} seconds for ${progress.waitingFor}; "timeout" can be up to ${LIMITS.timeoutSeconds.max} seconds`);
    }
    site.log.warn('endpoints left', { reason: `waited ${seconds} seconds for ${progress.waitingFor}` });
    return complete(progress);
  } catch (error) {
    if (turn.over === undefined) await abandonCandidate(request, site);
    throw failure(turn.over ?? error, site);
  }
}

function complete({ live }: Progress): Completion {
  return { IsComplete: true, ...(live ? { Data: attributesOf(live) } : {}) };
}

/** Returns the attributes of the custom resource. */
export function attributesOf({ name, version }: Live) {
  return { EndpointName: name, Version: version };
}

async function step(request: RolloutRequest, turn: Turn, site: Site): Promise<Progress> {
  try {
    if (await turn.take()) return { waitingFor: 'calls of an earlier request to arrive' };
    return await (request.type === 'Delete' ? removeAll(request, site) : rollOut(request, site));
  } catch (error) {
    if (turn.over === undefined && mayPass(error, request, site)) return { waitingFor: `the service to answer (${messageOf(error)})` };
    // A deletion never fails: endpoints that it cannot even look up are left.
    if (turn.over !== undefined || request.type !== 'Delete') throw error;
    site.log.warn('endpoints left', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}

/** Handles one step of a create or an update. */
async function rollOut(request: RolloutRequest, site: Site): Promise<Progress> {
  const { live, waitingFor } = await advance(request, site);
  return live ? { ...await tidyUp(request, live, site), live } : { waitingFor };
}

/** Returns whether an error may pass: throttling, conflicts, failures of the service, and anything created or allowed only just now. */
function mayPass(error: unknown, request: RolloutRequest, site: Site): boolean {
  if (isTransient(error)) return true;
  const isNew = error instanceof NotThereError || (error instanceof SessionError && error.name === ERRORS.ACCESS_DENIED);
  return isNew && site.clock.now() < request.began + LIMITS.propagationSeconds * 1_000;
}

/** Returns an error without a stack, which the framework would append to the message, in the little room that there is. */
function failure(error: unknown, site: Site): Error {
  site.log.warn('failed', { error: (error as Error).name, reason: messageOf(error) });
  const failed = new Error(reasonOf(messageOf(error), error instanceof RolloutError ? error.tail : undefined));
  failed.name = 'RolloutFailed';
  failed.stack = failed.name;
  return failed;
}
