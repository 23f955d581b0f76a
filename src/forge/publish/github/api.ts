import { Failure, forgeError, isTransient, pauseOf } from './failure';
import { loadCore, Octokit } from './octokit';
import { Place } from './place';
import { Clock } from '../../../handler/clock';
import { LONGEST_PAUSE, REDIRECT_STATUSES, redirected, TRIES } from '../api-failure';
import { ForgeError } from '../smart-http';

/** The permissions of a token, as GitHub names them. */
export type Permissions = Readonly<Partial<Record<'contents' | 'pull_requests' | 'checks' | 'issues' | 'statuses', 'read' | 'write'>>>;

/** Makes and renews tokens. */
export interface Tokens {
  /** Returns the value of the header `authorization`. */
  authorization(permissions: Permissions): Promise<string>;
  /** Forgets a token that GitHub does not accept any more. Returns false if there is no way to another one. */
  renew(permissions: Permissions): boolean;
  /** Replaces every secret of the client in a text. */
  withoutSecrets(text: string): string;
}

/** Options of a request, given as `request` to Octokit. */
export interface CallOptions {
  /** The permissions of the token; undefined if the request has its own header `authorization`. */
  readonly permissions?: Permissions;
  /** Determines whether the request may be sent again when it is unknown if it arrived. @default - true for all methods but POST */
  readonly isRepeatable?: boolean;
}

/** The time after the first request in which requests are repeated, in seconds: a function with many requests must end before it is ended. */
const PATIENCE = 240;

/** The maximum time of a request, in milliseconds. GitHub itself ends requests after 10 seconds. */
const TIMEOUT = 30_000;

/** The pause before a new token is used after a refusal, in seconds: GitHub's servers need a moment to know a token. */
const RENEWAL_PAUSE = 1;

/** A kept connection may be closed by the other side while the function is frozen between two invocations. */
const HEADERS = { 'x-github-api-version': '2022-11-28', 'connection': 'close' };

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Returns an Octokit whose requests carry the token of their step, wait for short rate limits, are repeated where that is safe, and fail with a
 * `ForgeError`.
 *
 * Octokit's plugins for retries and throttling are not used: they repeat a POST whose answer was lost, which makes a second comment, they wait by
 * timers instead of the clock, also between writes, and they would double the size of the bundle.
 */
export function connected(place: Place, tokens: Tokens, clock: Clock): Octokit {
  const { Octokit: Core } = loadCore();
  const octokit = new Core({ baseUrl: place.api, userAgent: 'cdk-agentcore-workbench', log: silent, request: { redirect: 'manual', log: silent } });
  let until: number | undefined;
  octokit.hook.wrap('request', async (request, options) => {
    until ??= clock.now() + PATIENCE * 1_000;
    const { permissions, isRepeatable = options.method !== 'POST' } = (options.request ?? {}) as CallOptions;
    const { method, headers, body, ...parsed } = (request as unknown as Octokit['request']).endpoint(options);
    let { url } = parsed;
    let redirects = 0;
    for (let tries = 1; ; tries++) {
      const authorization = permissions === undefined ? {} : { authorization: await tokens.authorization(permissions) };
      try {
        const answer = await request({
          method,
          url,
          headers: { ...headers, ...HEADERS, ...authorization },
          ...body === undefined ? {} : { data: body },
          request: { ...options.request, signal: AbortSignal.timeout(TIMEOUT) },
        } as never);
        if (!REDIRECT_STATUSES.includes(answer.status)) return complete(answer);
        url = redirected('GitHub', url, String(answer.headers.location ?? ''), ++redirects);
        tries--;
      } catch (error) {
        if (error instanceof ForgeError) throw error;
        const failure = hasWords(error as Failure) ? error as Failure : INCOMPLETE;
        const pause = pauseAfter(failure, { permissions, isRepeatable, tries });
        if (pause === undefined || clock.now() + pause * 1_000 > until) throw forgeError(failure, clock.now(), tokens.withoutSecrets);
        await clock.sleep(pause);
      }
    }
  });
  return octokit;

  /** Returns the seconds to wait before another try, or undefined if there is none. */
  function pauseAfter(failure: Failure, { permissions, isRepeatable, tries }: Required<Omit<CallOptions, 'permissions'>> & CallOptions & { tries: number }) {
    if (tries >= TRIES) return undefined;
    const limited = pauseOf(failure, clock.now());
    if (limited !== undefined) return limited <= LONGEST_PAUSE ? limited : undefined; // it was refused, so it may be repeated
    if (failure.status === 401 && permissions !== undefined) return tokens.renew(permissions) ? RENEWAL_PAUSE : undefined;
    return isTransient(failure) && isRepeatable ? 2 ** (tries - 1) : undefined;
  }
}

const INCOMPLETE: Failure = { message: 'the answer is not complete, or is not JSON' };

/** Determines whether a refusal is complete: without its words, it is not known what GitHub refuses. */
function hasWords({ response }: Failure): boolean {
  return response === undefined || typeof response.data !== 'string' || !/\bjson\b/.test(String(response.headers['content-type']));
}

/** Octokit hands on an answer that broke off, as text. */
function complete<T extends { readonly data: unknown }>(answer: T): T {
  if (typeof answer.data === 'object' && answer.data !== null) return answer;
  throw INCOMPLETE;
}
