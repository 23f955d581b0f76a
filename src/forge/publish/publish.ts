import { commitOf, emptyPack, idOf, ObjectFormat, withCommit } from './git-object';
import { ProtocolError } from './pkt-line';
import { Announced, announced, ForgeError, pushed, Remote } from './smart-http';
import { Clock } from '../../handler/clock';
import { FORGE_ERRORS } from '../../loop/steps/constants';
import { Publication, Published } from '../../loop/steps/publication';

/** The maximum number of pushes of a publication. */
const TRIES = 4;

/** The destination of a publication, and its pauses. */
interface Way {
  readonly remote: Remote;
  readonly clock: Clock;
  readonly backoffSeconds?: number;
}

/**
 * Makes the commit of a verified tree, and pushes it to a branch.
 *
 * The publisher computes the commit by itself, so that nothing that a session sends can change what is published. A repeated call makes the same
 * commit, and finds it at the remote. If a connection breaks, the branch at the remote tells whether the push arrived.
 */
export async function publish(
  { remote, branch, from, commit: content, pack }: Omit<Publication, 'url'> & { readonly remote: Remote }, clock: Clock, backoffSeconds?: number,
): Promise<Published> {
  const commit = commitOf(content);
  const objects = (format: ObjectFormat) => ({ id: idOf('commit', commit, format), pack: () => withCommit(pack(), commit, format) });
  return put(`refs/heads/${branch}`, from, objects, { remote, clock, backoffSeconds });
}

/** The namespace of references for commits that are to be signed. Rules for branches do not apply there. */
const SIGNING = 'refs/workbench/signing/';

/**
 * Publishes a verified tree in a commit that the forge makes and signs. The objects are pushed first, to a reference that is deleted afterwards.
 *
 * @param sign makes the commit of objects that are at the forge, and returns its ID
 */
export async function publishSigned(
  { remote, branch, from, commit: content, pack }: Omit<Publication, 'url'> & { readonly remote: Remote },
  sign: () => Promise<string>, clock: Clock, backoffSeconds?: number,
): Promise<Published> {
  const way = { remote, clock, backoffSeconds };
  const commit = commitOf(content);
  const objects = (format: ObjectFormat) => ({ id: idOf('commit', commit, format), pack: () => withCommit(pack(), commit, format) });
  const aside = `${SIGNING}${idOf('commit', commit)}`;
  const there = await put(aside, undefined, objects, way);
  if (there.kind !== 'PUBLISHED') return there;
  const id = await sign();
  const done = await put(`refs/heads/${branch}`, from, (format) => ({ id, pack: () => emptyPack(format) }), way);
  // It disturbs nobody if it stays.
  const gone = { reference: aside, from: there.id, to: '0'.repeat(id.length) };
  await announced(remote).then((to) => pushed(remote, to, gone, nothing())).catch(() => undefined);
  return { ...done, signed: true };
}

async function* nothing(): AsyncGenerator<Buffer> {
  yield* [];
}

/** Puts a commit on a reference, unless the reference is another than expected. */
async function put(
  reference: string, from: string | undefined,
  objectsIn: (format: ObjectFormat) => { readonly id: string; readonly pack: () => AsyncIterable<Buffer> },
  { remote, clock, backoffSeconds = 1 }: Way,
): Promise<Published> {
  for (let tries = 1; ; tries++) {
    try {
      const there: Announced = await announced(remote);
      const { id, pack } = objectsIn(there.format);
      const at = there.references.get(reference);
      if (at === id) return { kind: 'PUBLISHED', id, found: true };
      if (at !== from) return { kind: 'MOVED', id, ...(at === undefined ? {} : { at }) };
      const { rejected, said } = await pushed(remote, there, { reference, from, to: id }, pack());
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
