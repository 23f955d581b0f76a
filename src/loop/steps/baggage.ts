import { LoopState, RunIdentity } from './state';

/**
 * Returns what a call to a session says of the run that it belongs to, as W3C Baggage. An agent can put it into its own logs and traces.
 *
 * Values are percent-encoded: the name of an execution may have characters that a header may not.
 */
export function baggageOf({ run, loop }: { readonly run: RunIdentity; readonly loop: LoopState }): string {
  return `workbench.run=${encodeURIComponent(run.id)},workbench.task=${encodeURIComponent(run.taskId)},workbench.round=${loop.round}`;
}
