import type { RunRecord } from '../loop/steps/records';

/** A run's output, from an execution that did its work or from the cause of one that failed. */
export function outputOf(result: { readonly output?: unknown; readonly cause?: string }): RunRecord | undefined {
  const output = result.output ?? parsed(result.cause);
  return typeof output === 'object' && output !== null && 'outcome' in output ? output as RunRecord : undefined;
}

/** The cause of a failure in words: Lambda's is a JSON of its own. */
export function messageIn(cause: unknown): string {
  const { errorMessage } = (parsed(String(cause)) ?? {}) as { readonly errorMessage?: string };
  return errorMessage ?? String(cause ?? '');
}

/** Returns the value of a JSON text; nothing if it is none. */
export function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
