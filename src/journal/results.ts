import type { RunRecord } from '../loop/steps/records';

/** A run's output, from an execution that did its work or from the cause of one that failed. */
export function outputOf(result: { readonly output?: unknown; readonly cause?: string }): RunRecord | undefined {
  const output = result.output ?? parsed(result.cause);
  return typeof output === 'object' && output !== null && 'outcome' in output ? output as RunRecord : undefined;
}

/** The result of an execution. */
export interface ExecutionEnding {
  /** The status, as in `DescribeExecution`. */
  readonly status?: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** The end of a run. */
export interface RunEnding {
  readonly outcome: string;
  readonly output?: RunRecord;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Returns the outcome of a run, its output and its error. A run that is under way has the outcome `RUNNING`. */
export function endingOf(result: ExecutionEnding): RunEnding {
  const { status = 'RUNNING', error, cause } = result;
  const output = outputOf(result);
  const timeout = 'Step Functions ended the run: it exceeded the timeout of its state machine';
  return {
    outcome: output?.outcome ?? (status === 'ABORTED' ? INTERRUPTED : error ?? status),
    output,
    error: output?.error ?? (error === undefined ? undefined : { name: error, message: messageIn(cause ?? (status === 'TIMED_OUT' ? timeout : '')) }),
  };
}

/** The outcome of a run that was stopped. */
export const INTERRUPTED = 'INTERRUPTED';

/** The cause of a failure in words: Lambda's is a JSON of its own, and that of a run that was refused has its record in it. */
export function messageIn(cause: unknown): string {
  const { errorMessage } = (parsed(String(cause)) ?? {}) as { readonly errorMessage?: string };
  const text = errorMessage ?? String(cause ?? '');
  return outputOf({ cause: text })?.error?.message ?? text;
}

/** Returns the value of a JSON text; nothing if it is none. */
export function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
