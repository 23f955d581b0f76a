import type { RunIdentity } from '../loop/steps/state';

/** The session of a run, as its steps name it. */
export type RunSession = RunIdentity['session'];

/**
 * The output of a run's commands and of its agent, as far as it can be read. For a rehearsed run these are files of this machine; for a
 * run in an account, whatever it left in a bucket or in a log group. A source that has nothing returns nothing: the journal is made of the
 * states' own data then.
 */
export interface Outputs {
  /** Returns the contents of a file in the session's workspace. @param path as the run's records name it, such as a gate's `logPath` */
  file(path: string, session: RunSession): string | undefined;
  /** Returns the end of a file that something may be writing; empty if it is not there. */
  tail(path: string, session: RunSession, bytes: number): string;
  /** Returns the log of the newest job whose id starts with a prefix, such as `turn-0-`. */
  newestJob(prefix: string, session: RunSession): string | undefined;
  /** Returns what the session's agent printed after a position in its log, and the position of the log's end. */
  printed(session: RunSession, after: number): { readonly text: string; readonly end: number };
}

/** The source that has nothing. */
export const NO_OUTPUTS: Outputs = {
  file: () => undefined,
  tail: () => '',
  newestJob: () => undefined,
  printed: (_, after) => ({ text: '', end: after }),
};
