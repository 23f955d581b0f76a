import { ForgeError } from './smart-http';
import { FORGE_ERRORS } from '../../loop/steps/constants';

/** The maximum number of tries of a request to an API. */
export const TRIES = 4;

/** The maximum pause within a call, in seconds: a longer one is left to the state machine. */
export const LONGEST_PAUSE = 60;

/** The maximum length of a forge's words. */
export const QUOTE_LENGTH = 2_000;

/** The statuses of redirects. */
export const REDIRECT_STATUSES: readonly number[] = [301, 302, 307, 308];

/** The maximum number of redirects. */
const REDIRECTS = 3;

/** Returns the URL to which an API redirects from a renamed repository. A credential does not follow to another host. */
export function redirected(forge: string, from: string, location: string, redirects: number): string {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (to === undefined || to.origin !== new URL(from).origin || redirects > REDIRECTS) {
    throw new ForgeError(FORGE_ERRORS.UNEXPECTED, `${forge} redirects from ${new URL(from).host} to ${to?.host ?? 'no URL'}, which is not followed: use the URL of the repository itself`);
  }
  return to.href;
}

/** Returns the reason of a failed connection, which `fetch` keeps behind its own error. */
export function lastCause(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  const { cause: deeper, message, code } = cause as { readonly cause?: unknown; readonly message?: string; readonly code?: string };
  return lastCause(deeper) ?? (message || code);
}

/** An answer of an API that is not a success. */
export interface ApiFailure {
  /** The name of the forge. */
  readonly forge: string;
  /** The HTTP status; undefined if there is no answer. */
  readonly status?: number;
  /** The words of the forge. */
  readonly words: string;
  /** The pause that the forge asks for, in seconds. */
  readonly pause?: number;
  /** The statuses with which the forge refuses what it understands. */
  readonly refusals: readonly number[];
}

/** Returns the error for a failure of an API. The words must not have secrets. */
export function apiError({ forge, status, words, pause, refusals }: ApiFailure): ForgeError {
  const [name, summary] = kindOf();
  return new ForgeError(name, status === undefined ? summary : `${summary} (HTTP ${status})`, words.slice(0, QUOTE_LENGTH), pause);

  function kindOf(): [ForgeError['name'], string] {
    if (status === undefined) return [FORGE_ERRORS.UNAVAILABLE, `${forge} does not answer`];
    if (pause !== undefined) return [FORGE_ERRORS.RATE_LIMITED, `${forge} asks for a pause`];
    if (/\barchived\b/i.test(words) && (status === 403 || status === 422)) return [FORGE_ERRORS.FORBIDDEN, 'the repository is archived: unarchive it, or use another one'];
    if (status === 401) return [FORGE_ERRORS.UNAUTHORIZED, `${forge} does not accept the credential: check the secret, and whether the token has expired`];
    if (status === 403) return [FORGE_ERRORS.FORBIDDEN, 'the credential does not have the permission'];
    if (status === 404) return [FORGE_ERRORS.NOT_FOUND, `${forge} does not have this for the credential: check the name of the repository, and what the credential can access`];
    if (refusals.includes(status)) return [FORGE_ERRORS.REFUSED, `${forge} refuses the request`];
    return status >= 500 ? [FORGE_ERRORS.UNAVAILABLE, `${forge} cannot handle the request now`] : [FORGE_ERRORS.UNEXPECTED, `${forge} does not answer as its API does`];
  }
}

/** Does what a pull request can do without. Adds a warning, and returns false, if the forge refuses it. */
export async function tried(warnings: string[], what: string, action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    warnings.push(`${what}: ${error.quote === '' ? error.summary : error.quote}`);
    return false;
  }
}
