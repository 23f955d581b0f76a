import type { BranchMove, Feedback } from '../../src/loop/steps/records';

/** One visit of a state that does something. */
export interface Step {
  readonly state: string;
  readonly kind: StepKind;
  /** Turns before this one. */
  readonly round: number;
  /** How long its command may take. */
  readonly limitSeconds?: number;
  /** Milliseconds since the run began. */
  readonly begin: number;
  /** Milliseconds. */
  duration: number;
  retries: number;
  /** For a gate. */
  verdict?: string;
  exitCode?: number | null;
  /** Of a gate's command, or of a bootstrap that failed. */
  output?: string;
  /** Names of the tests that failed, if the output of a gate that did not pass says so. */
  failingTests?: readonly string[];
  /** What comes of a gate that is red: repaired, or the end. */
  feedback?: Feedback;
  changedFiles?: readonly string[];
  /** The run's branch was seen at another commit at the remote, and the run had not pushed it there. */
  branchMove?: BranchMove;
  /** What was put back, left out or moved away, a line each. */
  notes?: readonly string[];
  /** What the agent printed: for a turn, or when the step failed. */
  log?: string;
  error?: { readonly name: string; readonly message: string };
  next?: string;
}

export type StepKind = 'prepare' | 'bootstrap' | 'turn' | 'snapshot' | 'gate' | 'commit' | 'stop' | 'other';

/** A call that failed and is made again. */
export interface StepRetry {
  /** Who makes it: the driver, within one call of the state machine, or Step Functions. */
  readonly by: 'driver' | 'Step Functions';
  readonly error: { readonly name: string; readonly message: string };
}
