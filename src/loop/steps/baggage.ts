import { LoopState, RunIdentity } from './state';

/**
 * Returns the W3C Baggage of a call to a session, which identifies the run. An agent can add it to its own logs and traces.
 *
 * Values are percent-encoded: the name of an execution can contain characters that are not allowed in a header.
 */
export function baggageOf({ run, loop }: { readonly run: RunIdentity; readonly loop: LoopState }): string {
  return `workbench.run=${encodeURIComponent(run.id)},workbench.task=${encodeURIComponent(run.taskId)},workbench.round=${loop.round}`;
}
