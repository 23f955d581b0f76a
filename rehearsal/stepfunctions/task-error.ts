/** A task failed, as `Retry`, `Catch` and the execution's result see it. A callback may leave out both words: what is caught then has nulls. */
export class TaskError extends Error {
  declare readonly name: string;
  declare readonly message: string;

  constructor(error: string | null, readonly cause: string | null) {
    super();
    // Not by the constructor, to which null is a text.
    Object.assign(this, { name: error, message: cause });
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

/** The limit of a state's or an execution's input and output, in bytes. Step Functions service quotas. */
export const STATE_BYTES = 262_144;

export function checkSize<T>(what: string, value: T): T {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes > STATE_BYTES) throw new DataLimitExceeded(what, bytes);
  return value;
}
