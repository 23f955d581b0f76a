import type { BranchMove, Feedback } from '../loop/steps/records';

/** One visit of a state that does something. */
export interface Step {
  readonly state: string;
  readonly kind: StepKind;
  /** Turns before this one. */
  readonly round: number;
  /** The timeout of its command. */
  readonly limitSeconds?: number;
  /** Milliseconds since the run began. */
  readonly begin: number;
  /** Milliseconds. */
  duration: number;
  retries: number;
  /** The verdict of a gate. */
  verdict?: string;
  exitCode?: number | null;
  /** The output of a gate's command, or of a bootstrap that failed. */
  output?: string;
  /** Names of the tests that failed, if the output of a gate that did not pass says so. */
  failingTests?: readonly string[];
  /** The feedback of a gate that did not pass. */
  feedback?: Feedback;
  changedFiles?: readonly string[];
  /** The run's branch was seen at another commit at the remote, and the run had not pushed it there. */
  branchMove?: BranchMove;
  /** Files that were restored, left out or moved away, one line for each. */
  notes?: readonly string[];
  /** The output of the agent: for a turn, or if the step failed. */
  log?: string;
  error?: { readonly name: string; readonly message: string };
  next?: string;
}

export type StepKind = 'prepare' | 'bootstrap' | 'turn' | 'snapshot' | 'gate' | 'check-base' | 'verify' | 'commit' | 'stop' | 'other';

/** A call that failed and is made again. */
export interface StepRetry {
  /** The retrying side: the driver, within one call of the state machine, or Step Functions. */
  readonly by: 'driver' | 'Step Functions';
  readonly error: { readonly name: string; readonly message: string };
}
