/** What happens in an execution. Types of our own, since those of the interpreter are not in the package. */
export type ExecutionEvent = StateEvent | RetryEvent | FailureEvent | OtherEvent;

export interface EventState {
  readonly name: string;
  readonly type: string;
  readonly input: unknown;
  /** Of `StateExited`. */
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
  /** Of the task that is tried again. */
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
