import { Endpoint } from './control-plane';
import { messageOf } from './errors';
import { removeEndpoint } from './remove';
import { RolloutRequest } from './rollout-request';
import { DONE, Live, Progress, Site } from './site';
import { stopLeftSessions } from './smoke-session';
import { isTransient } from '../../jobs/errors';

/**
 * What is left to do when an endpoint has passed: note who took whose place, and remove what the rules do not keep.
 *
 * None of it fails the rollout. What may work later is waited for; what does not work is logged, and left to the next one.
 */
export async function tidyUp(request: RolloutRequest, live: Live, site: Site): Promise<Progress> {
  try {
    const own = (await site.control.endpoints()).filter(({ rollout }) => rollout === request.rollout);
    await noteWhoIsLive(request, own, live, site);
    await stopLeftSessions(request, own, site);
    const busy = await removeAll(request, dueEndpoints(request, own, live, site.clock.now()), site);
    if (busy !== undefined) return { waitingFor: busy };
    if (request.deleteUnusedVersions) await deleteUnusedVersions(request, site);
    return DONE;
  } catch (error) {
    if (isTransient(error)) return { waitingFor: `endpoints that are not kept to be removed (${messageOf(error)})` };
    site.log.warn('not tidied up', { error: (error as Error).name, reason: messageOf(error) });
    return DONE;
  }
}

async function noteWhoIsLive(request: RolloutRequest, own: readonly Endpoint[], live: Live, site: Site): Promise<void> {
  for (const { name, arn, passed, retired } of own) {
    if (name === live.name && retired !== undefined) await site.control.untag(arn, 'RETIRED');
    if (name !== live.name && retired === undefined && passed.length > 0) {
      await site.control.tag(arn, { RETIRED: `${new Date(site.clock.now()).toISOString()} ${request.id}` });
      site.log.info('endpoint replaced', { endpoint: name, by: live.name });
    }
  }
}

/**
 * What the rules do not keep: candidates that never passed, and of those that did whatever is neither among the newest nor young.
 *
 * The age counts from the day on which another took the endpoint's place: until then it was given to new runs. What was replaced in this very
 * request stays in any case: if a later resource of the stack fails, CloudFormation rolls back to it.
 */
export function dueEndpoints(request: RolloutRequest, own: readonly Endpoint[], live: Live, now: number): Endpoint[] {
  const others = own.filter(({ name }) => name !== live.name);
  const passed = others.filter((endpoint) => endpoint.passed.length > 0).sort((a, b) => Number(b.name.slice(1)) - Number(a.name.slice(1)));
  const past = passed.slice(request.keepEndpoints - 1).filter(({ retired }) => (
    retired !== undefined && retired.by !== request.id && now - retired.at >= request.retentionSeconds * 1_000));
  return [...others.filter((endpoint) => endpoint.passed.length === 0), ...past].filter(({ status }) => status !== 'DELETING');
}

/** Removes them one by one. Returns what one of them still waits for, if anything. */
async function removeAll(request: RolloutRequest, due: readonly Endpoint[], site: Site): Promise<string | undefined> {
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

/** For each endpoint that a run uses, what to say of that; or what there is to wait for first. What cannot be found out in time counts as used. */
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
    if (mayWait && isTransient(error)) return `Step Functions to say what runs on endpoints ${names.join(', ')} (${messageOf(error)})`;
    return new Map(names.map((name) => [name, `what runs on it cannot be found out (${messageOf(error)})`]));
  }
}

/** Versions that are older than the newest and that no endpoint uses, whoever made it. */
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
