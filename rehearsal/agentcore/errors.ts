/** An error of the service, as it goes over the wire. */
export class ServiceError extends Error {
  constructor(readonly code: ErrorCode, message: string, readonly details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
  }

  get status(): number {
    return STATUS[this.code];
  }
}

/** By the service models: the names that the SDKs know, with their HTTP status. */
const STATUS = {
  ValidationException: 400,
  UnauthorizedException: 401,
  ServiceQuotaExceededException: 402,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  RetryableConflictException: 409,
  RuntimeClientError: 424,
  ThrottlingException: 429,
  InternalServerException: 500,
};

export type ErrorCode = keyof typeof STATUS;

export function validation(message: string): ServiceError {
  return new ServiceError('ValidationException', message, { reason: 'FieldValidationFailed' });
}

export function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}

export function conflict(message: string): ServiceError {
  return new ServiceError('ConflictException', message);
}

export function inTransition(): ServiceError {
  return new ServiceError('RetryableConflictException', 'Session operation in progress, please retry');
}

export function agentFailed(status: number | string): ServiceError {
  return new ServiceError('RuntimeClientError', `Received error (${status}) from runtime. Please check your CloudWatch logs for more information.`);
}

/** A container that is not healthy in time. */
export function notReady(): ServiceError {
  return new ServiceError('RuntimeClientError', 'Runtime initialization time exceeded. Please make sure that initialization completes in 30s.');
}

/** The reply has been ended in the middle, by a fault or by the client: nothing more is to be sent. */
export class StreamCut extends Error {
  constructor() {
    super('the stream has been cut');
    this.name = 'StreamCut';
  }
}
