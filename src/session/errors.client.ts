import { ERRORS } from './constants';

export type ErrorName = typeof ERRORS[keyof typeof ERRORS];

/** Infrastructure failed, or the request was wrong. Step Functions sees `name` as the error and `message` in its cause. */
export class SessionError extends Error {
  constructor(readonly name: ErrorName, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
  }
}

/** Whether asking again is safe and may help. Only for calls that may be repeated: a job's, a stop. */
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
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** The typed error for whatever the SDK threw. What it cannot name is a connection that broke. */
export function typedError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const thrown = error as SdkError;
  const status = thrown?.$metadata?.httpStatusCode ?? 0;
  const name = BY_EXCEPTION[thrown?.name] ?? BY_STATUS[status] ?? (status >= 500 ? ERRORS.SERVER : ERRORS.STREAM_CUT);
  const request = thrown?.$metadata?.requestId;
  return new SessionError(name, `${thrown?.name ?? 'Error'}: ${thrown?.message ?? String(error)}${request ? ` (request ${request})` : ''}`, { cause: error });
}
