import { commitOf, idOf, withCommit } from './git-object';
import { ProtocolError } from './pkt-line';
import { Announced, announced, ForgeError, pushed, Remote } from './smart-http';
import { Clock } from '../../handler/clock';
import { FORGE_ERRORS } from '../../loop/steps/constants';
import { Publication, Published } from '../../loop/steps/publication';

/** The maximum number of pushes of a publication. */
const TRIES = 4;

/**
 * Makes the commit of a verified tree, and pushes it to a branch.
 *
 * The publisher computes the commit by itself, so that nothing that a session sends can change what is published. A repeated call makes the same
 * commit, and finds it at the remote. If a connection breaks, the branch at the remote tells whether the push arrived.
 */
export async function publish(
  { remote, branch, from, commit: content, pack }: Omit<Publication, 'url'> & { readonly remote: Remote }, clock: Clock, backoffSeconds = 1,
): Promise<Published> {
  const reference = `refs/heads/${branch}`;
  const commit = commitOf(content);
  for (let tries = 1; ; tries++) {
    let there: Announced | undefined;
    try {
      there = await announced(remote);
      const id = idOf('commit', commit, there.format);
      const at = there.references.get(reference);
      if (at === id) return { kind: 'PUBLISHED', id, found: true };
      if (at !== from) return { kind: 'MOVED', id, ...(at === undefined ? {} : { at }) };
      const { rejected, said } = await pushed(remote, there, { reference, from, to: id }, withCommit(pack(), commit, there.format));
      if (rejected === undefined) return { kind: 'PUBLISHED', id };
      // Others may have pushed since the remote announced its branches.
      const now = (await announced(remote)).references.get(reference);
      if (now === id) return { kind: 'PUBLISHED', id, found: true };
      return now === from ? { kind: 'REFUSED', id, reason: rejected, said } : { kind: 'MOVED', id, ...(now === undefined ? {} : { at: now }) };
    } catch (error) {
      const wait = waitAfter(error, tries, backoffSeconds);
      if (wait === undefined) throw error;
      await clock.sleep(wait);
    }
  }
}

/** The maximum pause that a forge may ask for, in seconds: a longer one is left to the state machine. */
const LONGEST_PAUSE = 60;

/** Returns the seconds to wait before another try, or undefined if there is none. */
function waitAfter(error: unknown, tries: number, backoffSeconds: number): number | undefined {
  if (tries >= TRIES) return undefined;
  // A reply may be cut off without a sign of it.
  if (error instanceof ProtocolError) return backoffSeconds * 2 ** (tries - 1);
  if (!(error instanceof ForgeError)) return undefined;
  const { name, retryAfter } = error;
  if (name !== FORGE_ERRORS.UNAVAILABLE && name !== FORGE_ERRORS.RATE_LIMITED) return undefined;
  const wait = retryAfter ?? backoffSeconds * 2 ** (tries - 1);
  return wait <= LONGEST_PAUSE ? wait : undefined;
}
