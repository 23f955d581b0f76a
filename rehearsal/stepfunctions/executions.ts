import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
}

interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly definition: Definition;
}

interface Request {
  readonly executionArn?: string;
  readonly stateMachineArn?: string;
  readonly statusFilter?: string;
  readonly maxResults?: number;
  readonly nextToken?: string;
}

const OPERATIONS: readonly string[] = ['DescribeExecution', 'DescribeStateMachineForExecution', 'ListExecutions'];

/** The service's default and maximum. */
const PAGE = { default: 100, max: 1_000 } as const;

/**
 * The executions that Step Functions knows and describes.
 *
 * With a directory it keeps them from one start to the next; those that were under way in a process that is gone count as aborted. Unlike the
 * service's, its answers are never outdated, and it forgets nothing.
 */
export class Executions {
  private readonly all = new Map<string, Execution>();
  private readonly definitions = new Map<string, StateMachine>();

  constructor(private readonly directory?: string) {
    if (directory === undefined || !existsSync(directory)) return;
    for (const file of readdirSync(directory)) {
      const execution = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Execution;
      if (execution.status === 'RUNNING') execution.status = 'ABORTED';
      this.all.set(execution.executionArn, execution);
    }
  }

  begin(executionArn: string, stateMachine: StateMachine, input: unknown, startedAt: Date): void {
    const execution: Execution = {
      executionArn,
      stateMachineArn: stateMachine.arn,
      name: executionArn.split(':').pop()!,
      status: 'RUNNING',
      startDate: startedAt.getTime() / 1_000,
      input: JSON.stringify(input ?? {}),
    };
    this.definitions.set(executionArn, stateMachine);
    this.keep(execution);
  }

  end(executionArn: string, status: Execution['status']): void {
    const execution = this.all.get(executionArn)!;
    execution.status = status;
    execution.stopDate = Date.now() / 1_000;
    this.keep(execution);
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
    const known = this.definitions.get(resource);
    if (known === undefined) return failure('ExecutionDoesNotExist', `its definition is not kept here: '${resource}'`);
    const { name, definition } = known;
    return {
      status: 200,
      body: {
        stateMachineArn: execution.stateMachineArn,
        name,
        definition: JSON.stringify(definition),
        roleArn: 'arn:aws:iam::123456789012:role/Role',
        updateDate: execution.startDate,
      },
    };
  }

  /** The newest first. */
  private list(stateMachineArn: string, { statusFilter, maxResults = 0, nextToken = '0' }: Request): CallbackReply {
    const found = [...this.all.values()]
      .filter((one) => one.stateMachineArn === stateMachineArn && (statusFilter === undefined || one.status === statusFilter))
      .sort((a, b) => b.startDate - a.startDate);
    const begin = Number(nextToken);
    const end = begin + Math.min(maxResults === 0 ? PAGE.default : maxResults, PAGE.max);
    const executions = found.slice(begin, end).map(({ input: _, ...listed }) => listed);
    return { status: 200, body: { executions, ...(end < found.length ? { nextToken: String(end) } : {}) } };
  }

  private keep(execution: Execution): void {
    this.all.set(execution.executionArn, execution);
    if (this.directory === undefined) return;
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(join(this.directory, `${Buffer.from(execution.executionArn).toString('base64url').slice(-200)}.json`), JSON.stringify(execution));
  }
}

function failure(type: string, message: string): CallbackReply {
  return { status: 400, body: { __type: type, message } };
}
