/** Events of an execution. These are our own types, because the interpreter's package does not export its types. */
export type ExecutionEvent = StateEvent | RetryEvent | FailureEvent | OtherEvent;

export interface EventState {
  readonly name: string;
  readonly type: string;
  readonly input: unknown;
  /** Present in `StateExited`. */
  readonly output?: unknown;
}

interface StateEvent {
  readonly type: 'StateEntered' | 'StateExited' | 'StateCaught';
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly state: EventState;
}

interface RetryEvent {
  readonly type: 'StateRetried';
  readonly timestamp: number;
  readonly state: EventState;
  /** The error of the task that is retried. */
  readonly Error?: string;
  readonly Cause?: unknown;
}

interface FailureEvent {
  readonly type: 'StateFailed';
  readonly timestamp: number;
  readonly state: EventState;
  /** None for a callback that gave none. */
  readonly Error?: string | null;
  readonly Cause?: unknown;
}

interface OtherEvent {
  readonly type: `Execution${string}` | `MapIteration${string}` | `ParallelBranch${string}`;
  readonly timestamp: number;
}
