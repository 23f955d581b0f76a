import { apiError } from '../api-failure';
import { ForgeError } from '../smart-http';

/** The pause after a rate limit without a `retry-after`, in seconds: most limits of GitLab are per minute ("Rate limits" in its documentation). */
const PAUSE = 60;

/** The statuses with which GitLab refuses what it understands. */
const REFUSALS = [400, 405, 406, 409, 410, 413, 422];

/** A request that failed. */
export interface Failed {
  /** 0 if there is no answer. */
  readonly status: number;
  /** GitLab's own words. */
  readonly words: string;
  readonly retryAfter?: string | null;
}

/**
 * Returns GitLab's own words. They are in `message` or in `error`, and are a text, a list of texts, or lists of texts by the names of fields.
 *
 * @param data the answer, if it is JSON
 * @param text the answer
 */
export function wordsOf(data: unknown, text: string): string {
  if (typeof data !== 'object' || data === null) return /^\s*</.test(text) ? '' : text.trim();
  const { message, error, error_description: description } = data as Readonly<Record<string, unknown>>;
  return [...textsOf(message), ...textsOf(error), ...textsOf(description)].join('; ');
}

function textsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object') return [String(value)];
  return Object.entries(value).map(([field, texts]) => (field === 'base' ? textsOf(texts).join(', ') : `${field} ${textsOf(texts).join(', ')}`));
}

/** Converts an answer that is not a success into an error. @param now milliseconds since the epoch */
export function failureOf({ status, words, retryAfter }: Failed, now: number): ForgeError {
  const pause = status === 429 ? pauseOf(retryAfter, now) : undefined;
  return apiError({ forge: 'GitLab', status: status === 0 ? undefined : status, words, pause, refusals: REFUSALS });
}

/** Returns the seconds of a header `retry-after`, which is a number or a date. */
function pauseOf(value: string | null | undefined, now: number): number {
  if (/^\d{1,6}$/.test(value ?? '')) return Number(value);
  const date = Date.parse(value ?? '');
  return Number.isNaN(date) ? PAUSE : Math.max(0, Math.ceil((date - now) / 1_000));
}
