import { ADDED, statesOf } from './definition';
import type { Definition } from '../../src/journal/definition';
import type { EventState, ExecutionEvent } from '../../src/journal/execution-event';

/** An event as `GetExecutionHistory` returns it, in the service's own JSON. */
export interface ServiceEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly [details: string]: unknown;
}

export interface HistoryWriterProps {
  readonly definition: Definition;
  /** The input of the execution as JSON. */
  readonly input: string;
  readonly roleArn: string;
  readonly region: string;
}

/** One call of a task. */
export interface TaskAttempt {
  readonly parameters: unknown;
  /** Present when it has succeeded. */
  result?: unknown;
}

interface Failure {
  readonly Error?: string | null;
  readonly Cause?: unknown;
}

/** The state's tries that are in the history, and those that are not yet. */
interface Tries {
  /** The number of tries that may be written: one for each visit, and one for each retry. */
  due: number;
  readonly waiting: TaskAttempt[];
  last?: TaskAttempt;
  /** True if the last try that is in the history has failed. */
  failed?: boolean;
}

/**
 * Writes the history of an execution, as the service would, from the interpreter's events and the calls of its tasks.
 *
 * The interpreter's events say what happens in which order; a call may begin before the event of its state is heard, and waits for it.
 */
export class HistoryWriter {
  private id = 0;
  private readonly tries = new Map<string, Tries>();
  private readonly types: ReadonlyMap<string, string>;
  private readonly resources: ReadonlyMap<string, string>;

  /** @param write takes each event, in order */
  constructor(private readonly props: HistoryWriterProps, private readonly write: (event: ServiceEvent) => void) {
    const { definition } = props;
    const states = statesOf(definition);
    this.types = new Map(states.map(([name, { Type }]) => [name, Type]));
    this.resources = new Map(states.map(([name, { Resource = '' }]) => [name, Resource]));
  }

  /** A task is called. */
  called(stateName: string, attempt: TaskAttempt): void {
    const tries = this.triesOf(stateName);
    tries.waiting.push(attempt);
    this.schedule(stateName, tries, Date.now());
  }

  hear(event: ExecutionEvent): void {
    if (event.type === 'ExecutionStarted') return this.started(event.timestamp);
    if (!('state' in event) || event.state.name.endsWith(ADDED)) return;
    const { state, timestamp } = event;
    const type = this.types.get(state.name) ?? state.type;
    switch (event.type) {
      case 'StateEntered': return this.entered(state, type, timestamp);
      case 'StateRetried': return this.retried(state, timestamp);
      case 'StateFailed': return this.failed(state, event, timestamp);
      case 'StateExited': return this.exited(state, type, timestamp);
    }
  }

  /** The end of the execution, whatever it was. */
  ended(status: string, details: { readonly output?: string; readonly error?: string; readonly cause?: string }, at: number): void {
    const type = { SUCCEEDED: 'ExecutionSucceeded', FAILED: 'ExecutionFailed', TIMED_OUT: 'ExecutionTimedOut' }[status] ?? 'ExecutionAborted';
    const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
    this.add(type, at, { [field]: type === 'ExecutionSucceeded' ? { ...details, outputDetails: WHOLE } : details });
  }

  private started(at: number): void {
    const { input, roleArn } = this.props;
    this.add('ExecutionStarted', at, { executionStartedEventDetails: { input, inputDetails: WHOLE, roleArn } });
  }

  private entered({ name, input }: EventState, type: string, at: number): void {
    this.add(`${type}StateEntered`, at, { stateEnteredEventDetails: { name, input: JSON.stringify(input), inputDetails: WHOLE } });
    if (type !== 'Task') return;
    const tries = this.triesOf(name);
    tries.due += 1;
    this.schedule(name, tries, at);
  }

  private retried({ name }: EventState, at: number): void {
    const tries = this.triesOf(name);
    tries.due += 1;
    this.schedule(name, tries, at);
  }

  private failed({ name }: EventState, { Error: error, Cause: cause }: Failure, at: number): void {
    if (this.types.get(name) !== 'Task') return; // a `Fail` state is the end of the execution, which says why
    this.triesOf(name).failed = true;
    const service = serviceOf(this.resources.get(name)!);
    const ending = error === 'States.Timeout' ? 'TimedOut' : 'Failed';
    const kind = service === undefined ? `LambdaFunction${ending}` : `Task${ending}`;
    const details = { ...service, error: error ?? undefined, cause: cause === undefined ? undefined : String(cause) };
    this.add(kind, at, { [`${kind.charAt(0).toLowerCase()}${kind.slice(1)}EventDetails`]: details });
  }

  private exited({ name, output }: EventState, type: string, at: number): void {
    if (type === 'Fail') return;
    if (type === 'Task' && !this.triesOf(name).failed) this.addSuccess(name, at);
    this.add(`${type}StateExited`, at, { stateExitedEventDetails: { name, output: JSON.stringify(output), outputDetails: WHOLE } });
  }

  private schedule(name: string, tries: Tries, at: number): void {
    if (tries.due === 0 || tries.waiting.length === 0) return;
    tries.due -= 1;
    tries.last = tries.waiting.shift()!;
    tries.failed = false;
    const resource = this.resources.get(name)!;
    const text = JSON.stringify(tries.last.parameters);
    const service = serviceOf(resource);
    if (service === undefined) {
      this.add('LambdaFunctionScheduled', at, { lambdaFunctionScheduledEventDetails: { resource, input: text, inputDetails: WHOLE } });
      this.add('LambdaFunctionStarted', at);
      return;
    }
    this.add('TaskScheduled', at, { taskScheduledEventDetails: { ...service, region: this.props.region, parameters: text } });
    this.add('TaskStarted', at, { taskStartedEventDetails: service });
    if (resource.endsWith('.waitForTaskToken')) this.add('TaskSubmitted', at, { taskSubmittedEventDetails: service });
  }

  private addSuccess(name: string, at: number): void {
    const output = JSON.stringify(this.triesOf(name).last?.result);
    const service = serviceOf(this.resources.get(name)!);
    if (service === undefined) this.add('LambdaFunctionSucceeded', at, { lambdaFunctionSucceededEventDetails: { output, outputDetails: WHOLE } });
    else this.add('TaskSucceeded', at, { taskSucceededEventDetails: { ...service, output, outputDetails: WHOLE } });
  }

  private add(type: string, at: number, details: object = {}): void {
    const previousEventId = this.id;
    this.id += 1;
    this.write({ id: this.id, previousEventId, type, timestamp: at / 1_000, ...details });
  }

  private triesOf(name: string): Tries {
    const tries = this.tries.get(name) ?? { due: 0, waiting: [] };
    this.tries.set(name, tries);
    return tries;
  }
}

/** Nothing is cut off here. */
const WHOLE = { truncated: false } as const;

/** Returns the service of an integration and its operation; `undefined` for a function's ARN. */
function serviceOf(resource: string): { readonly resourceType: string; readonly resource: string } | undefined {
  const [, resourceType, operation] = /^arn:[^:]+:states:::(?:aws-sdk:)?([^:]+):(.+)$/.exec(resource) ?? [];
  return resourceType === undefined ? undefined : { resourceType, resource: operation };
}

/** Returns an event without the data of the execution, as for a request that does not include it. */
export function withoutData(event: ServiceEvent): ServiceEvent {
  return Object.fromEntries(Object.entries(event).map(([field, value]) => {
    if (typeof value !== 'object' || value === null) return [field, value];
    const { input: _, output: __, parameters: ___, ...rest } = value as { readonly [field: string]: unknown };
    return [field, rest];
  })) as unknown as ServiceEvent;
}
