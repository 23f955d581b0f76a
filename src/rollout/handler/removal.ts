import { Endpoint } from './control-plane';
import { messageOf, NotThereError } from './errors';
import { RolloutRequest } from './rollout-request';
import { DONE, Live, Progress, Site } from './site';
import { stopSmokeSession } from './smoke-tests';
import { isTransient } from '../../jobs/errors';

/**
 * Handles one step of a deletion: removes the rollout's own endpoints, and waits until they are gone, since a runtime with an endpoint in
 * transition cannot be deleted.
 *
 * Where endpoints are retained, CloudFormation only ever requests the deletion of what it failed to create. That may have taken over endpoints
 * of an earlier rollout, with their workspaces, so that those that have passed stay.
 *
 * Never fails: an endpoint that cannot be removed is logged, and goes with the runtime.
 */
export async function removeAll(request: RolloutRequest, site: Site): Promise<Progress> {
  try {
    const own = await ownEndpoints(request, site);
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
 * Records which endpoint replaced which, once one has passed, and removes those that are no longer kept.
 *
 * Nothing here fails the rollout. What may work later is waited for; what does not work is logged, and left to the next rollout.
 */
export async function tidyUp(request: RolloutRequest, live: Live, site: Site): Promise<Progress> {
  try {
    const own = await ownEndpoints(request, site);
    await recordReplacements(request, own, live, site);
    await stopLeftSessions(request, own, site);
    const busy = await removeDue(request, dueEndpoints(request, own, live, site.clock.now()), site);
    if (busy !== undefined) return { waitingFor: busy };
    if (request.deleteUnusedVersions) await deleteUnusedVersions(request, site);
    return DONE;
  } catch (error) {
    if (isTransient(error)) return { waitingFor: `endpoints that are not kept to be removed (${messageOf(error)})` };
    site.log.warn('not tidied up', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}

async function ownEndpoints(request: RolloutRequest, site: Site): Promise<Endpoint[]> {
  return (await site.control.endpoints()).filter(({ rollout }) => rollout === request.rollout);
}

async function recordReplacements(request: RolloutRequest, own: readonly Endpoint[], live: Live, site: Site): Promise<void> {
  for (const { name, arn, passed, retired } of own) {
    if (name === live.name && retired !== undefined) await site.control.untag(arn, 'RETIRED');
    if (name !== live.name && retired === undefined && passed.length > 0) {
      await site.control.tag(arn, { RETIRED: `${new Date(site.clock.now()).toISOString()} ${request.id}` });
      site.log.info('endpoint replaced', { endpoint: name, by: live.name });
    }
  }
}

/**
 * Returns the endpoints that are not kept: candidates that never passed, and those that passed but are neither among the newest nor young.
 *
 * The age counts from the day on which another endpoint took its place: until then, new runs were given it. An endpoint that was replaced in
 * this request stays in any case: if a later resource of the stack fails, CloudFormation rolls back to it.
 */
function dueEndpoints(request: RolloutRequest, own: readonly Endpoint[], live: Live, now: number): Endpoint[] {
  const others = own.filter(({ name }) => name !== live.name);
  const passed = others.filter((endpoint) => endpoint.passed.length > 0).sort((a, b) => Number(b.name.slice(1)) - Number(a.name.slice(1)));
  const past = passed.slice(request.keepEndpoints - 1).filter(({ retired }) => (
    retired !== undefined && retired.by !== request.id && now - retired.at >= request.retentionSeconds * 1_000));
  return [...others.filter((endpoint) => endpoint.passed.length === 0), ...past].filter(({ status }) => status !== 'DELETING');
}

/** Removes the endpoints one by one. Returns what one of them still waits for, if anything. */
async function removeDue(request: RolloutRequest, due: readonly Endpoint[], site: Site): Promise<string | undefined> {
  if (due.length === 0) return undefined;
  const mayWait = site.clock.now() < request.began + request.drainSeconds * 1_000;
  const users = await usersOf(request, due, mayWait, site);
  if (typeof users === 'string') return users;
  let waitingFor: string | undefined;
  for (const endpoint of due) {
    const { name, passed } = endpoint;
    const user = users.get(name);
    if (user === undefined) {
      const outcome = await removeEndpoint(request, endpoint, passed.length > 0 ? 'past keepEndpoints and retention' : 'not passed', site);
      if (outcome === 'LATER') waitingFor = `endpoint "${name}" to be removed`;
    } else if (mayWait) {
      waitingFor = user;
    } else {
      site.log.warn('endpoint left', { endpoint: name, reason: user });
    }
  }
  return waitingFor;
}

/**
 * Stops the session that tested an endpoint, and starts to delete the endpoint, with all its other sessions.
 *
 * Returns whether the deletion has started, may start at the next attempt, or does not. The last is logged.
 */
async function removeEndpoint(request: RolloutRequest, endpoint: Endpoint, reason: string, site: Site): Promise<'GOING' | 'LATER' | 'LEFT'> {
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

/**
 * Stops the session that tested an endpoint, where nothing depends on it. Returns whether the session is stopped. A session that is not is
 * logged, and ends by its idle timeout.
 */
async function tryToStopSmokeSession(request: RolloutRequest, endpoint: Endpoint, site: Site): Promise<boolean> {
  try {
    await stopSmokeSession(request, endpoint, site);
    return true;
  } catch (error) {
    site.log.warn('session left', { endpoint: endpoint.name, error: (error as Error).name, reason: messageOf(error) });
    return false;
  }
}

/** Stops the sessions of requests that ended while they tested an endpoint that had passed before. */
async function stopLeftSessions(request: RolloutRequest, own: readonly Endpoint[], site: Site): Promise<void> {
  const serving = own.filter(({ status }) => status === 'READY' || status === 'UPDATE_FAILED');
  for (const endpoint of serving.filter(({ passed, request: left }) => passed.length > 0 && left !== undefined)) {
    if (await tryToStopSmokeSession(request, endpoint, site)) await site.control.tag(endpoint.arn, { REQUEST: '' });
  }
}

/**
 * Returns, for each endpoint that an execution uses, what to say about that, or what to wait for first. An endpoint whose use cannot be
 * determined in time counts as used.
 */
async function usersOf(
  request: RolloutRequest, due: readonly Endpoint[], mayWait: boolean, site: Site,
): Promise<ReadonlyMap<string, string> | string> {
  const names = due.map(({ name }) => name);
  try {
    const runs = await site.executions.using(request.drainStateMachines, names);
    return new Map([...runs].map(([name, run]) => [
      name, mayWait ? `run "${run}" on endpoint "${name}" to end` : `"${run}" still runs on it after ${request.drainSeconds} seconds`,
    ]));
  } catch (error) {
    if (mayWait && isTransient(error)) return `Step Functions to list what runs on endpoints ${names.join(', ')} (${messageOf(error)})`;
    return new Map(names.map((name) => [name, `cannot determine what runs on it (${messageOf(error)})`]));
  }
}

/** Deletes the versions that are older than the newest and that no endpoint uses, whoever created it. */
async function deleteUnusedVersions(request: RolloutRequest, site: Site): Promise<void> {
  const endpoints = await site.control.endpoints();
  const used = new Set(endpoints.flatMap(({ version, liveVersion }) => [version, liveVersion]));
  const versions = await site.control.versions();
  const newest = Math.max(Number(request.version), ...versions.map(Number));
  for (const version of versions.filter((item) => !used.has(item) && Number(item) < newest && item !== request.version)) {
    await site.control.deleteVersion(version);
    site.log.info('version deleted', { version });
  }
}
