import type { ApiReply } from '../forge-server';

/** An answer of the API, with a body that becomes JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request is refused, in the words of GitLab. */
export class ApiError extends Error {
  /** @param body the answer: GitLab has `message` for what it refuses, and `error` for what it does not understand */
  constructor(readonly status: number, readonly body: object, readonly headers: Readonly<Record<string, string>> = {}) {
    super(JSON.stringify(body));
  }
}

/** A refusal whose message is a text, a list of texts, or lists of texts by the names of fields. */
export function refused(status: number, message: string | readonly string[] | Readonly<Record<string, readonly string[]>>): ApiError {
  return new ApiError(status, { message });
}

export const notFound = (what?: string) => refused(404, what === undefined ? '404 Not found' : `404 ${what} Not Found`);
export const forbidden = () => refused(403, '403 Forbidden');
export const unauthorized = () => refused(401, '401 Unauthorized');

export function replyOf({ status, headers, body }: Answer): ApiReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
