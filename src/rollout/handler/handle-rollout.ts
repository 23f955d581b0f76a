import { abandonCandidate } from './candidate';
import { LIMITS } from './constants';
import { messageOf, NotThereError, RolloutError } from './errors';
import { reasonOf } from './reason';
import { remove } from './remove';
import { attributesOf, rollOut } from './roll-out';
import { requestOf, RolloutEvent, RolloutRequest } from './rollout-request';
import { DONE, Progress, Site } from './site';
import { Turn } from './turn';
import { ERRORS } from '../../jobs/constants';
import { isTransient, SessionError } from '../../jobs/errors';

/** What the provider framework wants to know. */
export interface Completion {
  readonly IsComplete: boolean;
  readonly Data?: { readonly EndpointName: string; readonly Version: string };
}

/**
 * One step of a request, and whether it was the last.
 *
 * The framework asks every few seconds and fails the deployment at the first error, so what may pass is no error here, until the
 * request's own time is up. An error's message becomes CloudFormation's reason.
 */
export async function handleRollout(event: RolloutEvent, unguarded: Site): Promise<Completion> {
  const request = requestOf(event, unguarded.clock.now());
  const turn = new Turn(request, unguarded.control);
  const site = turn.guard(unguarded);
  const seconds = request.type === 'Delete' ? LIMITS.deleteSeconds : request.timeoutSeconds;
  const deadline = request.began + seconds * 1_000;
  try {
    const progress = await step(request, turn, { ...site, until: Math.min(site.until, deadline) });
    // Whatever came of it: its own failure to change anything may not have been an error.
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

async function step(request: RolloutRequest, turn: Turn, site: Site): Promise<Progress> {
  try {
    if (await turn.take(site)) return { waitingFor: 'calls of an earlier request to arrive' };
    return await (request.type === 'Delete' ? remove(request, site) : rollOut(request, site));
  } catch (error) {
    if (turn.over === undefined && mayPass(error, request, site)) return { waitingFor: `the service to answer (${messageOf(error)})` };
    // A deletion never fails: what it may not even begin with is left.
    if (turn.over !== undefined || request.type !== 'Delete') throw error;
    site.log.warn('endpoints left', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}

/** Throttling, conflicts with a transition, failures of the service; and what has only just been made or allowed. */
function mayPass(error: unknown, request: RolloutRequest, site: Site): boolean {
  if (isTransient(error)) return true;
  const isNew = error instanceof NotThereError || (error instanceof SessionError && error.name === ERRORS.ACCESS_DENIED);
  return isNew && site.clock.now() < request.began + LIMITS.propagationSeconds * 1_000;
}

/** The framework puts the stack below the message, of which there is too little room to share. */
function failure(error: unknown, site: Site): Error {
  site.log.warn('failed', { error: (error as Error).name, reason: messageOf(error) });
  const failed = new Error(reasonOf(messageOf(error), error instanceof RolloutError ? error.tail : undefined));
  failed.name = 'RolloutFailed';
  failed.stack = failed.name;
  return failed;
}
