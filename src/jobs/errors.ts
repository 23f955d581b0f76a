import { ERRORS } from './constants';
import { maskSecrets } from '../handler/mask';

export type ErrorName = typeof ERRORS[keyof typeof ERRORS];

/** Infrastructure failed, or the request was wrong. Step Functions sees `name` as the error and `message` in its cause. */
export class SessionError extends Error {
  readonly quote?: string;

  /**
   * @param summary what happened, in our own words: this is logged
   * @param options.quote what somebody else said, such as the service or the agent: it may hold a prompt or an output; what looks like a
   *   secret is masked
   */
  constructor(readonly name: ErrorName, readonly summary: string, options: { readonly cause?: unknown; readonly quote?: string } = {}) {
    super(options.quote ? `${summary}: ${maskSecrets(options.quote)}` : summary, { cause: options.cause });
    this.quote = options.quote;
  }
}

/** Nothing came from the session, for longer than it may be silent. */
export class SilenceError extends SessionError {
  constructor(seconds: number) {
    super(ERRORS.STREAM_CUT, `nothing came from the session for ${seconds} seconds`);
  }
}

/** Determines whether a retry is safe and may help, for calls that may be repeated: those of a job, and a stop. */
export function isTransient(error: unknown): error is SessionError {
  const transient: string[] = [ERRORS.THROTTLED, ERRORS.CONFLICT, ERRORS.SERVER, ERRORS.STREAM_CUT];
  return error instanceof SessionError && transient.includes(error.name);
}

/** Exceptions of AgentCore's data plane, in a reply or in its stream; status codes decide for what is not listed. */
const BY_EXCEPTION: { readonly [exception: string]: ErrorName } = {
  ThrottlingException: ERRORS.THROTTLED,
  ServiceQuotaExceededException: ERRORS.THROTTLED,
  RetryableConflictException: ERRORS.CONFLICT,
  ConflictException: ERRORS.CONFLICT,
  InternalServerException: ERRORS.SERVER,
  ValidationException: ERRORS.VALIDATION,
  AccessDeniedException: ERRORS.ACCESS_DENIED,
  UnauthorizedException: ERRORS.ACCESS_DENIED,
  ResourceNotFoundException: ERRORS.NOT_FOUND,
  RuntimeClientError: ERRORS.CONTAINER,
};

const BY_STATUS: { readonly [status: number]: ErrorName } = {
  400: ERRORS.VALIDATION,
  401: ERRORS.ACCESS_DENIED,
  402: ERRORS.THROTTLED,
  403: ERRORS.ACCESS_DENIED,
  404: ERRORS.NOT_FOUND,
  409: ERRORS.CONFLICT,
  424: ERRORS.CONTAINER,
  429: ERRORS.THROTTLED,
};

interface SdkError extends Error {
  /** The code of a connection's failure, such as `ECONNRESET`. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** The typed error for whatever the SDK threw. What it cannot name is a connection that broke. */
export function typedError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const thrown = error as SdkError;
  const status = thrown?.$metadata?.httpStatusCode ?? 0;
  const name = BY_EXCEPTION[thrown?.name] ?? BY_STATUS[status] ?? (status >= 500 ? ERRORS.SERVER : ERRORS.STREAM_CUT);
  const request = thrown?.$metadata?.requestId;
  const what = thrown?.code ?? thrown?.name ?? 'Error';
  return new SessionError(name, request ? `${what} (request ${request})` : what, { cause: error, quote: thrown?.message ?? String(error) });
}
