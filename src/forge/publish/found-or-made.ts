import { ForgeError } from './smart-http';
import { Clock } from '../../handler/clock';
import { FORGE_ERRORS } from '../../loop/steps/constants';

interface Search<T> {
  readonly find: () => Promise<T | undefined>;
  readonly make: () => Promise<T>;
  /** Determines whether a refusal means that somebody else has just made it. @default - no refusal means that */
  readonly existed?: (error: ForgeError) => boolean;
}

/** The maximum number of tries to make it. It is looked for once more after the last one. */
const TRIES = 4;

/**
 * Finds a thing at a forge, or makes it.
 *
 * An answer that was lost leaves open whether the thing was made. It is looked for before it is made again, so that there are never two.
 */
export async function foundOrMade<T>(
  { find, make, existed = () => false }: Search<T>, clock: Clock,
): Promise<{ readonly value: T; readonly isFound: boolean }> {
  let failed: ForgeError | undefined;
  for (let tries = 1; ; tries++) {
    const found = await find();
    if (found !== undefined) return { value: found, isFound: true };
    if (failed !== undefined && tries > TRIES) throw failed;
    try {
      return { value: await make(), isFound: false };
    } catch (error) {
      if (!(error instanceof ForgeError) || !(error.name === FORGE_ERRORS.UNAVAILABLE || existed(error))) throw error;
      failed = error;
      // The lists of a forge may lag behind a moment.
      await clock.sleep(2 ** (tries - 1));
    }
  }
}
