import { apiError, lastCause } from '../api-failure';
import { ForgeError } from '../smart-http';

/** The parts of Octokit's errors that are read. Its classes come with the bundle, so that `instanceof` needs them loaded. */
export interface Failure {
  readonly status?: number;
  readonly message: string;
  readonly cause?: unknown;
  readonly response?: { readonly headers: Readonly<Record<string, string | number | undefined>>; readonly data: unknown };
}

/** The pause after a secondary rate limit without a `retry-after`, in seconds. Source: "Rate limits for the REST API" in GitHub's documentation. */
const SECONDARY_PAUSE = 60;

/** Returns GitHub's own words: the message, and those of the errors behind it. */
export function wordsOf({ response, message, cause }: Failure): string {
  if (response === undefined) return lastCause(cause) ?? message;
  const data = response.data as { message?: unknown; errors?: unknown } | undefined;
  if (typeof data?.message !== 'string') return '';
  const errors = Array.isArray(data.errors) ? data.errors.map(errorWords) : [];
  return [data.message, ...errors].join('; ');
}

function errorWords(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message, resource, field, code } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return typeof message === 'string' ? message : `${resource}.${field} is ${code}`;
}

/** Returns the seconds that GitHub asks to wait for, or undefined if the failure is not a rate limit. @param now milliseconds since the epoch */
export function pauseOf({ status, response, message }: Failure, now: number): number | undefined {
  if (response === undefined || (status !== 403 && status !== 429)) return undefined;
  const after = Number(response.headers['retry-after']);
  if (Number.isFinite(after)) return Math.max(0, Math.ceil(after));
  if (String(response.headers['x-ratelimit-remaining']) === '0') {
    const reset = Number(response.headers['x-ratelimit-reset']);
    // One second more: the reset is in whole seconds, and the limit holds until then.
    return Number.isFinite(reset) ? Math.max(1, Math.ceil(reset - now / 1_000) + 1) : SECONDARY_PAUSE;
  }
  return status === 429 || /secondary rate limit|abuse detection/i.test(message) ? SECONDARY_PAUSE : undefined;
}

/** Determines whether a repeated request may succeed. */
export function isTransient({ status, response }: Failure): boolean {
  return response === undefined || (status ?? 500) >= 500;
}

/** Converts an error of Octokit into one of a forge. @param withoutSecrets removes the credentials that the request was made with */
export function forgeError(failure: Failure, now: number, withoutSecrets: (text: string) => string): ForgeError {
  const status = failure.response === undefined ? undefined : failure.status;
  return apiError({ forge: 'GitHub', status, words: withoutSecrets(wordsOf(failure)), pause: pauseOf(failure, now), refusals: [409, 410, 422] });
}
