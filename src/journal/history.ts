import type { EventState, ExecutionEvent } from './execution-event';
import { parsed } from './results';

/** An event of `GetExecutionHistory`, as any client returns it. Its details are in a field that is named after its type. */
export interface HistoryEvent {
  readonly id?: number;
  readonly type?: string;
  /** A date, as the SDK has it, or a text, as the AWS CLI prints it, or seconds since the epoch, as the service sends them. */
  readonly timestamp?: Date | string | number;
}

interface Details {
  readonly name?: string;
  readonly input?: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** A state that was entered, and what happened to its task. */
interface Visit {
  readonly state: EventState;
  /** The failure of the last try. A retry, a caught error or the end of the run follows. */
  failure?: { readonly Error?: string; readonly Cause?: string };
}

/** The tries of a task: of a function, of an integrated service, or of an activity. */
const SCHEDULED = /^(?:LambdaFunction|Task|Activity)Scheduled$/;
const FAILED = /^(?:(?:LambdaFunction|Task|Activity)(?:Failed|TimedOut|ScheduleFailed|StartFailed|SubmitFailed)|EvaluationFailed)$/;
const ENTERED = /^(\w+)StateEntered$/;
const EXITED = /^\w+StateExited$/;
const TIMEOUT = 'States.Timeout';

/**
 * Turns the history of an execution into the events that a journal hears.
 *
 * It can be told the same events again, as a poll would: it skips those that it knows. Without the data of the execution, or with data that is
 * truncated, an event has no input and no output.
 */
export class HistoryReader {
  /** The id of the last event that was read. */
  last = 0;
  private visit?: Visit;

  /** @param events in their order */
  read(events: readonly HistoryEvent[]): ExecutionEvent[] {
    return events.flatMap((event) => {
      const { id = 0 } = event;
      if (id <= this.last) return [];
      this.last = id;
      return this.eventsOf(event);
    });
  }

  private eventsOf(event: HistoryEvent): ExecutionEvent[] {
    const { type = '' } = event;
    const timestamp = millisecondsOf(event.timestamp);
    const details = detailsOf(event);
    const [, entered] = ENTERED.exec(type) ?? [];
    if (entered !== undefined) return this.entered({ name: details.name ?? '', type: entered, input: parsed(details.input) }, timestamp);
    if (EXITED.test(type)) return this.exited(parsed(details.output), timestamp);
    if (SCHEDULED.test(type)) return this.scheduled(timestamp);
    if (FAILED.test(type)) return this.failed(type, details, timestamp);
    if (!type.startsWith('Execution')) return [];
    // An execution that failed because of its task says so with the task's own error.
    const own = type === 'ExecutionFailed' && this.visit?.state.type === 'Fail' ? this.failed(type, details, timestamp) : [];
    return [...own, { type: type as 'ExecutionStarted', timestamp }];
  }

  private entered(state: EventState, timestamp: number): ExecutionEvent[] {
    this.visit = { state };
    return [{ type: 'StateEntered', timestamp, state }];
  }

  private exited(output: unknown, timestamp: number): ExecutionEvent[] {
    const { visit } = this;
    if (visit === undefined) return [];
    const { state } = visit;
    const caught: ExecutionEvent[] = visit.failure === undefined ? [] : [{ type: 'StateCaught', timestamp, state }];
    this.visit = undefined;
    return [...caught, { type: 'StateExited', timestamp, state: { ...state, output } }];
  }

  private scheduled(timestamp: number): ExecutionEvent[] {
    const { visit } = this;
    if (visit?.failure === undefined) return []; // its first try
    const { state, failure } = visit;
    visit.failure = undefined;
    return [{ type: 'StateRetried', timestamp, state, ...failure }];
  }

  /** The failure is remembered: an execution that is redriven tries the task once more, too. */
  private failed(type: string, { error, cause }: Details, timestamp: number): ExecutionEvent[] {
    const { visit } = this;
    if (visit === undefined) return [];
    visit.failure = { Error: error ?? (type.endsWith('TimedOut') ? TIMEOUT : undefined), Cause: cause };
    return [{ type: 'StateFailed', timestamp, state: visit.state, ...visit.failure }];
  }
}

function detailsOf(event: HistoryEvent): Details {
  const { type = '' } = event;
  const kind = ENTERED.test(type) ? 'stateEntered' : EXITED.test(type) ? 'stateExited' : `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  return (event as { readonly [field: string]: unknown })[`${kind}EventDetails`] as Details | undefined ?? {};
}

function millisecondsOf(timestamp: HistoryEvent['timestamp']): number {
  return typeof timestamp === 'number' ? timestamp * 1_000 : new Date(timestamp ?? NaN).getTime();
}

/** A page of `GetExecutionHistory`. */
export interface HistoryPage<E extends HistoryEvent = HistoryEvent> {
  readonly events?: readonly E[];
  readonly nextToken?: string;
}

/**
 * Asks for the events of an execution after those that are known, and returns them in their order. A poll costs one request as long as what is new
 * fits into a page.
 *
 * @param last the id of the last event that is known
 * @param ask asks for a page with `reverseOrder`, the newest event first
 */
export async function eventsAfter<E extends HistoryEvent>(last: number, ask: (nextToken?: string) => Promise<HistoryPage<E>>): Promise<E[]> {
  // By their ids: a history that grows while it is paged can have an event on two pages.
  const found = new Map<number, E>();
  let nextToken: string | undefined;
  let isComplete: boolean;
  do {
    const { events = [], nextToken: next } = await ask(nextToken);
    events.filter(({ id = 0 }) => id > last).forEach((event) => found.set(event.id!, event));
    // A page may be empty, and yet another one follow.
    isComplete = events.some(({ id = 0 }) => id <= last + 1);
    nextToken = next;
  } while (nextToken !== undefined && !isComplete);
  return [...found.values()].sort((a, b) => a.id! - b.id!);
}
