import { randomUUID } from 'node:crypto';
import { ADDED, CONTEXT, contextKey, forValidation, LONGEST_TIMER_SECONDS, prepare, statesOf } from './definition';
import { Executions } from './executions';
import type { HistoryWriter, TaskAttempt } from './history-writer';
import { RunOptions, StateMachine, StateMachineDefinition, timeoutError } from './interpreter';
import { checkSize, DataLimitExceeded } from './task-error';
import { TaskTokens } from './task-tokens';
import type { Definition, State } from '../../src/journal/definition';
import type { ExecutionEvent } from '../../src/journal/execution-event';

/** Performs a `Task` state: receives what the service integration would receive, and returns or throws what it would. */
export type TaskHandler = (parameters: unknown, task: TaskCall) => Promise<unknown>;

export interface TaskCall {
  readonly stateName: string;
  readonly resource: string;
}

export interface LocalStateMachineProps {
  readonly name: string;
  readonly arn: string;
  readonly definition: Definition;
  /** Every task comes here, without `.waitForTaskToken` in its resource. */
  readonly onTask: TaskHandler;
  readonly tokens?: TaskTokens;
  /** Remembers its executions. */
  readonly executions?: Executions;
}

export interface ExecutionOptions {
  /** @default - a random one */
  readonly name?: string;
  /** Hears of everything that happens, in order. */
  readonly onEvent?: (event: ExecutionEvent) => void;
  /** Milliseconds before each retry. @default - as the definition says */
  readonly retryDelay?: number;
  /** Rewrites the parameters of a task before the task is called. @default - they are used as the definition makes them */
  readonly rewrite?: (parameters: unknown) => unknown;
  /** Hears of each request of a task, and may fail it with a `TaskError` before the task is asked. */
  readonly before?: (parameters: unknown) => Promise<void>;
  /** Milliseconds that each `Wait` takes. @default - as the definition says */
  readonly waitTime?: number;
}

/** The result of an execution, as in `DescribeExecution`. */
export interface ExecutionResult {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

export interface LocalExecution {
  readonly arn: string;
  readonly result: Promise<ExecutionResult>;
  abort(): void;
}

const CALLBACK = '.waitForTaskToken';

/** A state machine on this machine: its real definition, interpreted, with tasks that are done by a handler. */
export class LocalStateMachine {
  readonly tokens: TaskTokens;
  private readonly machine: InstanceType<typeof StateMachine>;
  private readonly states: [string, State][];

  constructor(private readonly props: LocalStateMachineProps) {
    this.tokens = props.tokens ?? new TaskTokens();
    this.states = statesOf(props.definition);
    const definition = prepare(props.definition);
    validate(definition);
    this.machine = new StateMachine(definition as unknown as StateMachineDefinition, { validationOptions: { noValidate: true } });
  }

  start(input: unknown, options: ExecutionOptions = {}): LocalExecution {
    const name = options.name ?? randomUUID();
    const arn = `${this.props.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const over = new AbortController();
    const startedAt = new Date();
    let abort = () => {};
    const history = this.props.executions?.begin(arn, this.props, input, startedAt, () => abort());
    const visits = new Visits(this.tokens, history);
    const run = this.machine.run(input as never, {
      context: {
        [CONTEXT.MACHINE]: {
          Execution: { Id: arn, Name: name, Input: input, StartTime: startedAt.toISOString(), RedriveCount: 0 },
          StateMachine: { Id: this.props.arn, Name: this.props.name },
        },
        [CONTEXT.STATES]: Object.fromEntries(this.states.map(([state]) => [contextKey(state), visits.contextOf(state)])),
      },
      overrides: this.overrides({ visits, over: over.signal }, options),
    });
    abort = run.abort;
    const followed = follow(run.eventLogs, run.abort, visits, (event) => {
      history?.hear(event);
      options.onEvent?.(event);
    });
    const result = resultOf(run.result, followed).finally(() => over.abort()).then((ended) => {
      this.props.executions?.end(arn, ended);
      return ended;
    });
    return { arn, abort: run.abort, result };
  }

  private overrides(running: Running, { retryDelay, waitTime, rewrite = (parameters) => parameters, before }: ExecutionOptions): RunOptions['overrides'] {
    const forAll = <T>(value: T, of: (state: State) => boolean) =>
      Object.fromEntries(this.states.filter(([, state]) => of(state)).map(([name]) => [name, value]));
    const tasks = this.states.filter(([, { Type }]) => Type === 'Task')
      .map(([name, state]) => [name, (parameters: unknown) =>
        released(running.visits.noting(name, rewrite(parameters), (rewritten) => (
          inTime(this.perform(name, state, rewritten, running, before), state))), running.over)]);
    return {
      taskResourceLocalHandlers: Object.fromEntries(tasks),
      ...(retryDelay === undefined ? {} : { retryIntervalOverrides: forAll(retryDelay, ({ Retry }) => Retry !== undefined) }),
      ...(waitTime === undefined ? {} : { waitTimeOverrides: forAll(waitTime, ({ Type }) => Type === 'Wait') }),
    };
  }

  private async perform(stateName: string, state: State, parameters: unknown, { visits, over }: Running, before: ExecutionOptions['before']): Promise<never> {
    const token = visits.begin(stateName); // before anything is awaited: the parameters have just been made
    await before?.(parameters);
    checkSize(`the input of "${stateName}"`, parameters);
    const resource = state.Resource!;
    if (!resource.endsWith(CALLBACK)) {
      return checkSize(`the result of "${stateName}"`, await this.props.onTask(parameters, { stateName, resource })) as never;
    }
    const { outcome, cancel } = this.tokens.wait(token ?? this.tokens.next(), state.HeartbeatSeconds, this.props.arn);
    over.addEventListener('abort', cancel, { once: true }); // or its timer would hold the process
    outcome.catch(() => undefined); // it may come while the task itself is still being handed over
    try {
      await this.props.onTask(parameters, { stateName, resource: resource.slice(0, -CALLBACK.length) });
      return checkSize(`the result of "${stateName}"`, await outcome) as never;
    } finally {
      over.removeEventListener('abort', cancel);
      cancel();
    }
  }
}

/** Definitions that are valid. The interpreter compiles its schemas each time, which takes longer than anything else that a machine does. */
const valid = new Set<string>();

function validate(definition: Definition): void {
  const seen = JSON.stringify(forValidation(definition));
  if (valid.has(seen)) return;
  // The validation asks for ARNs that real tasks do not have, such as those of a function that is not deployed.
  new StateMachine(JSON.parse(seen) as StateMachineDefinition, { validationOptions: { checkArn: false, checkPaths: false } });
  valid.add(seen);
}

/** A task that takes longer than its state may fails with the service's words; what it does goes on, as a function would. */
async function inTime(task: Promise<never>, { TimeoutSeconds: seconds = Infinity }: State): Promise<never> {
  if (seconds > LONGEST_TIMER_SECONDS) return task;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => void timeoutError().then(reject), seconds * 1_000);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Running {
  readonly visits: Visits;
  /** Aborted when the execution has ended. */
  readonly over: AbortSignal;
}

/** A task that outlives its execution is not waited for: the interpreter would hold its timer. */
async function released<T>(task: Promise<T>, over: AbortSignal): Promise<T> {
  let release = () => {};
  const ended = new Promise<never>((_, reject) => {
    release = () => reject(new Error('the execution has ended'));
    over.addEventListener('abort', release);
  });
  try {
    return await Promise.race([task, ended]);
  } finally {
    over.removeEventListener('abort', release);
  }
}

/**
 * The parts of the context object that change from state to state.
 *
 * The interpreter makes a task's parameters and calls its handler in one go, so that a token that is read in the parameters
 * is that of the call that follows.
 */
class Visits {
  private readonly current = new Map<string, string>();
  private readonly failures = new Map<string, Error>();

  constructor(private readonly tokens: TaskTokens, private readonly history?: HistoryWriter) {}

  contextOf(stateName: string): unknown {
    const token = () => {
      if (!this.current.has(stateName)) this.current.set(stateName, this.tokens.next());
      return this.current.get(stateName);
    };
    return {
      State: {
        Name: stateName,
        get EnteredTime() {
          return new Date().toISOString();
        },
      },
      Task: {
        get Token() {
          return token();
        },
      },
    };
  }

  /** Remembers why a task failed: the interpreter says that it is tried again, and not why. */
  async noting<T>(stateName: string, parameters: unknown, perform: (parameters: unknown) => Promise<T>): Promise<T> {
    const attempt: TaskAttempt = { parameters };
    this.history?.called(stateName, attempt);
    try {
      return attempt.result = await perform(parameters);
    } catch (error) {
      this.failures.set(stateName, error as Error);
      throw error;
    }
  }

  failureOf(stateName: string): { readonly Error?: string; readonly Cause?: string } {
    const failure = this.failures.get(stateName);
    return failure === undefined ? {} : { Error: failure.name, Cause: failure.message };
  }

  begin(stateName: string): string | undefined {
    const token = this.current.get(stateName);
    this.current.delete(stateName);
    return token;
  }
}

/** Hands on the events. Returns why the execution was ended from here, if it was. */
async function follow(
  events: AsyncGenerator<ExecutionEvent>, abort: () => void, visits: Visits, onEvent: NonNullable<ExecutionOptions['onEvent']>,
): Promise<DataLimitExceeded | undefined> {
  let tooLarge: DataLimitExceeded | undefined;
  for await (const event of events) {
    if (!('state' in event && event.state.name.endsWith(ADDED))) onEvent(event.type === 'StateRetried' ? { ...event, ...visits.failureOf(event.state.name) } : event);
    if (event.type === 'StateExited' && tooLarge === undefined) {
      try {
        checkSize(`the output of "${event.state.name}"`, event.state.output);
      } catch (error) {
        tooLarge = error as DataLimitExceeded;
        abort();
      }
    }
  }
  return tooLarge;
}

async function resultOf(output: Promise<unknown>, followed: Promise<DataLimitExceeded | undefined>): Promise<ExecutionResult> {
  const ended = await output.then((value): ExecutionResult => ({ status: 'SUCCEEDED', output: value }), failed);
  const tooLarge = await followed;
  return tooLarge ? { status: 'FAILED', error: tooLarge.name, cause: tooLarge.message } : ended;
}

function failed(thrown: Error): ExecutionResult {
  if (thrown.name === 'ExecutionTimeoutError') return { status: 'TIMED_OUT', error: 'States.Timeout' };
  if (thrown.name === 'ExecutionAbortedError') return { status: 'ABORTED' };
  const reason = thrown.cause as Error;
  return { status: 'FAILED', error: reason.name ?? undefined, cause: reason.message ?? undefined };
}

