import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryWriter, ServiceEvent, withoutData } from './history-writer';
import type { CallbackReply, CallbackRequest } from './task-callbacks';
import type { Definition } from '../../src/journal/definition';

/** An execution, as `DescribeExecution` says it. */
interface Execution {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** Seconds since the epoch. */
  readonly startDate: number;
  stopDate?: number;
  /** The input as JSON. */
  readonly input: string;
  /** The output as JSON. */
  output?: string;
  error?: string;
  cause?: string;
}

interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly definition: Definition;
}

/** The end of an execution. */
export interface ExecutionEnd {
  readonly status: Exclude<Execution['status'], 'RUNNING'>;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

interface Request {
  readonly executionArn?: string;
  readonly stateMachineArn?: string;
  readonly statusFilter?: string;
  readonly maxResults?: number;
  readonly nextToken?: string;
  readonly reverseOrder?: boolean;
  readonly includeExecutionData?: boolean;
}

const OPERATIONS: readonly string[] = ['DescribeExecution', 'DescribeStateMachineForExecution', 'GetExecutionHistory', 'ListExecutions'];

/** The service's default and maximum. */
const PAGE = { default: 100, max: 1_000 } as const;

/** The histories that are kept without a directory: those of the last executions. */
const HISTORIES = 100;

/** The role of every state machine. */
export const ROLE = 'arn:aws:iam::123456789012:role/Role';

/**
 * The executions that Step Functions knows and describes, with their histories.
 *
 * With a directory it keeps them from one start to the next; those that were under way in a process that is gone count as aborted. Unlike the
 * service's, its answers are never outdated, and with a directory it forgets nothing.
 */
export class Executions {
  private readonly all = new Map<string, Execution>();
  private readonly definitions = new Map<string, StateMachine>();
  private readonly histories = new Map<string, ServiceEvent[]>();
  private readonly writers = new Map<string, HistoryWriter>();
  private readonly aborts = new Map<string, () => void>();

  constructor(private readonly directory?: string) {
    if (directory === undefined || !existsSync(directory)) return;
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
      const { definition, ...execution } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Execution & { readonly definition?: StateMachine };
      if (execution.status === 'RUNNING') execution.status = 'ABORTED';
      this.all.set(execution.executionArn, execution);
      if (definition) this.definitions.set(execution.executionArn, definition);
    }
  }

  /** @param abort ends the execution */
  begin(executionArn: string, stateMachine: StateMachine, input: unknown, startedAt: Date, abort: () => void = () => undefined): HistoryWriter {
    const execution: Execution = {
      executionArn,
      stateMachineArn: stateMachine.arn,
      name: executionArn.split(':').pop()!,
      status: 'RUNNING',
      startDate: startedAt.getTime() / 1_000,
      input: JSON.stringify(input ?? {}),
    };
    const { arn, name, definition } = stateMachine;
    this.definitions.set(executionArn, { arn, name, definition });
    this.aborts.set(executionArn, abort);
    this.keep(execution);
    const events: ServiceEvent[] = [];
    this.histories.set(executionArn, events);
    if (this.directory === undefined) [...this.histories.keys()].slice(0, -HISTORIES).forEach((old) => this.histories.delete(old));
    const writer = new HistoryWriter({ definition, input: execution.input, roleArn: ROLE, region: arn.split(':')[3] }, (event) => {
      events.push(event);
      if (this.directory !== undefined) appendFileSync(this.historyFile(executionArn), `${JSON.stringify(event)}\n`);
    });
    this.writers.set(executionArn, writer);
    return writer;
  }

  end(executionArn: string, { status, output, error, cause }: ExecutionEnd): void {
    const execution = this.all.get(executionArn)!;
    // Why it was stopped is known already.
    const text = output === undefined ? undefined : JSON.stringify(output);
    const ending = { output: text, error: error ?? execution.error, cause: cause ?? execution.cause };
    const now = Date.now();
    Object.assign(execution, { status, stopDate: now / 1_000, ...ending });
    this.writers.get(executionArn)?.ended(status, ending, now);
    this.writers.delete(executionArn);
    this.aborts.delete(executionArn);
    this.keep(execution);
  }

  /** Ends an execution that is under way. Returns whether there is such an execution. */
  stop(executionArn: string, reason: { readonly error?: string; readonly cause?: string } = {}): boolean {
    const execution = this.all.get(executionArn);
    if (execution === undefined) return false;
    const abort = this.aborts.get(executionArn);
    if (abort === undefined) return true; // it has ended
    Object.assign(execution, reason);
    abort();
    return true;
  }

  find(executionArn: string): Readonly<Execution> | undefined {
    return this.all.get(executionArn);
  }

  /**
   * Answers in the wire format of Step Functions.
   *
   * @param refusal returns why the caller is not allowed to do it to that execution or state machine
   * @returns `undefined` for any other request
   */
  answer({ target, body }: CallbackRequest, refusal: (action: string, resource: string) => string | undefined): CallbackReply | undefined {
    const [, operation = ''] = /^AWSStepFunctions\.(\w+)$/.exec(target) ?? [];
    if (!OPERATIONS.includes(operation)) return undefined;
    const request = JSON.parse(body.toString('utf8')) as Request;
    const resource = operation === 'ListExecutions' ? request.stateMachineArn : request.executionArn;
    if (resource === undefined) return failure('ValidationException', `${operation} needs an ARN`);
    const refused = refusal(`states:${operation}`, resource);
    if (refused !== undefined) return failure('AccessDeniedException', refused);
    if (operation === 'ListExecutions') return this.list(resource, request);
    const execution = this.all.get(resource);
    if (execution === undefined) return failure('ExecutionDoesNotExist', `Execution Does Not Exist: '${resource}'`);
    if (operation === 'DescribeExecution') return { status: 200, body: execution };
    if (operation === 'GetExecutionHistory') return this.history(resource, request);
    const known = this.definitions.get(resource);
    if (known === undefined) return failure('ExecutionDoesNotExist', `its definition is not kept here: '${resource}'`);
    const { name, definition } = known;
    return {
      status: 200,
      body: {
        stateMachineArn: execution.stateMachineArn,
        name,
        definition: JSON.stringify(definition),
        roleArn: ROLE,
        updateDate: execution.startDate,
      },
    };
  }

  private history(executionArn: string, { reverseOrder = false, includeExecutionData = true, ...request }: Request): CallbackReply {
    const all = this.histories.get(executionArn) ?? this.keptHistory(executionArn);
    const { page, nextToken } = pageOf(reverseOrder ? [...all].reverse() : all, request);
    return { status: 200, body: { events: includeExecutionData ? page : page.map(withoutData), nextToken } };
  }

  private keptHistory(executionArn: string): ServiceEvent[] {
    const file = this.directory === undefined ? '' : this.historyFile(executionArn);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ServiceEvent);
  }

  /** The newest first. */
  private list(stateMachineArn: string, { statusFilter, ...request }: Request): CallbackReply {
    const found = [...this.all.values()]
      .filter((one) => one.stateMachineArn === stateMachineArn && (statusFilter === undefined || one.status === statusFilter))
      .sort((a, b) => b.startDate - a.startDate);
    const { page, nextToken } = pageOf(found, request);
    const executions = page.map(({ input: _, output: __, error: ___, cause: ____, ...listed }) => listed);
    return { status: 200, body: { executions, ...(nextToken === undefined ? {} : { nextToken }) } };
  }

  private keep(execution: Execution): void {
    this.all.set(execution.executionArn, execution);
    if (this.directory === undefined) return;
    mkdirSync(this.directory, { recursive: true });
    const definition = this.definitions.get(execution.executionArn);
    writeFileSync(join(this.directory, `${fileName(execution.executionArn)}.json`), JSON.stringify({ ...execution, definition }));
  }

  private historyFile(executionArn: string): string {
    return join(this.directory!, `${fileName(executionArn)}.history.jsonl`);
  }
}

function fileName(executionArn: string): string {
  return Buffer.from(executionArn).toString('base64url').slice(-200);
}

function pageOf<T>(all: readonly T[], { maxResults = 0, nextToken: token = '0' }: Request): { readonly page: readonly T[]; readonly nextToken?: string } {
  const begin = Number(token);
  const end = begin + Math.min(maxResults === 0 ? PAGE.default : maxResults, PAGE.max);
  return { page: all.slice(begin, end), nextToken: end < all.length ? String(end) : undefined };
}

function failure(type: string, message: string): CallbackReply {
  return { status: 400, body: { __type: type, message } };
}
