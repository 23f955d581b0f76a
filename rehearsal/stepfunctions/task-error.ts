/** A task failed, as `Retry`, `Catch` and the execution's result see it. */
export class TaskError extends Error {
  constructor(error: string, readonly cause: string) {
    super(cause);
    this.name = error;
  }
}

/** More than a state may hold. `States.ALL` matches neither a `Retry` nor a `Catch` with it; the interpreter asks for these two. */
export class DataLimitExceeded extends TaskError {
  readonly isRetryable = false;
  readonly isCatchable = false;

  constructor(what: string, bytes: number) {
    super('States.DataLimitExceeded', `${what} has ${bytes} bytes, ${STATE_BYTES} are allowed`);
  }
}

/** Of a state's or an execution's input and output, in bytes. Step Functions service quotas. */
export const STATE_BYTES = 262_144;

export function checkSize<T>(what: string, value: T): T {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes > STATE_BYTES) throw new DataLimitExceeded(what, bytes);
  return value;
}
