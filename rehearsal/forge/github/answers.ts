import type { ApiReply } from '../forge-server';

/** An answer of the API, with a body that becomes JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const DOCUMENTATION = 'https://docs.github.com/rest';

/** A request is refused, in the words of GitHub. */
export class ApiError extends Error {
  constructor(
    readonly status: number, message: string, readonly errors?: readonly unknown[], readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  get answer(): Answer {
    const { status, message, errors, headers } = this;
    return { status, headers, body: { message, ...errors === undefined ? {} : { errors }, documentation_url: DOCUMENTATION, status: `${status}` } };
  }
}

/** An error of one field. */
export interface FieldError {
  readonly resource: string;
  readonly field?: string;
  readonly code: 'missing_field' | 'invalid' | 'custom';
  readonly message?: string;
}

export function validationFailed(...errors: readonly FieldError[]): ApiError {
  return new ApiError(422, 'Validation Failed', errors);
}

export function notFound(): ApiError {
  return new ApiError(404, 'Not Found');
}

export function replyOf({ status, headers, body }: Answer): ApiReply {
  const type: Readonly<Record<string, string>> = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: { ...type, 'x-github-request-id': 'REHEARSAL', ...headers }, ...body === undefined ? {} : { body: JSON.stringify(body) } };
}
