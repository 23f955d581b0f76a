import {
  DescribeExecutionCommand, DescribeExecutionCommandOutput, DescribeStateMachineForExecutionCommand, ExecutionListItem, ListExecutionsCommand,
} from '@aws-sdk/client-sfn';
import type { Account } from './account';
import { DeployedLoop, described } from './loops';
import type { State } from './options';
import type { ExecutionDescription } from '../../src/journal/deployed-run';
import { outputOf, parsed } from '../../src/journal/results';
import type { KnownExecution, LoopExecutions } from '../../src/loop/steps/executions';
import type { RunRecord } from '../../src/loop/steps/records';
import { DEFAULT_ENDPOINT } from '../../src/loop/steps/sessions';

/** An execution of a loop, as Step Functions describes it. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly state: State;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  /** Undefined if it is no JSON. */
  readonly input?: unknown;
  /** The record of a run that has ended in order, be it red or green. */
  readonly record?: RunRecord;
  readonly error?: string;
  /** The description as Step Functions gives it. */
  readonly description: ExecutionDescription;
}

/** The error of what is gone, and for a moment of what has just started: descriptions are eventually consistent. */
export const ABSENT = ['ExecutionDoesNotExist'];

/** Executions of loops. What has ended is asked for once. */
export class Executions implements LoopExecutions {
  private readonly ended = new Map<string, Execution>();

  constructor(private readonly account: Account) {}

  /** Returns undefined if there is no such execution: Step Functions forgets one 90 days after its end. */
  async find(arn: string): Promise<Execution | undefined> {
    const known = this.ended.get(arn);
    if (known !== undefined) return known;
    try {
      const request = new DescribeExecutionCommand({ executionArn: arn });
      const found = await this.account.ask({ action: 'states:DescribeExecution', resource: arn }, async () => this.account.sfn.send(request), ABSENT);
      const execution = executionOf(found);
      if (execution.state !== 'RUNNING') this.ended.set(arn, execution);
      return execution;
    } catch (error) {
      if (ABSENT.includes((error as Error).name)) return undefined;
      throw error;
    }
  }

  /** Returns the executions of a loop, the newest first. */
  async* list({ arn }: Pick<DeployedLoop, 'arn'>, state?: State): AsyncGenerator<ExecutionListItem> {
    let nextToken: string | undefined;
    do {
      const request = { stateMachineArn: arn, statusFilter: state, maxResults: 1_000, nextToken };
      const command = new ListExecutionsCommand(request);
      const page = await this.account.ask({ action: 'states:ListExecutions', resource: arn }, async () => this.account.sfn.send(command));
      yield* page.executions ?? [];
      ({ nextToken } = page);
    } while (nextToken !== undefined);
  }

  /** Returns the loop as an execution runs it, which may not be the newest. Undefined if there is no such execution. */
  async loopOf(arn: string): Promise<DeployedLoop | undefined> {
    const asked = { action: 'states:DescribeStateMachineForExecution', resource: arn };
    const request = new DescribeStateMachineForExecutionCommand({ executionArn: arn });
    try {
      const { stateMachineArn, definition } = await this.account.ask(asked, async () => this.account.sfn.send(request), ABSENT);
      return described(stateMachineArn!.split(':').pop()!, stateMachineArn!, definition);
    } catch (error) {
      if (ABSENT.includes((error as Error).name)) return undefined;
      throw error;
    }
  }

  async describe(arn: string): Promise<KnownExecution | undefined> {
    const found = await this.find(arn);
    return found && { arn, isRunning: found.state === 'RUNNING', startedAt: found.startedAt.getTime(), input: found.input };
  }

  async* running(stateMachineArn: string, sinceMilliseconds: number): AsyncIterable<string> {
    for await (const { executionArn, startDate } of this.list({ arn: stateMachineArn }, 'RUNNING')) {
      if (startDate!.getTime() >= sinceMilliseconds) yield executionArn!;
    }
  }

  async endpointNameOf(arn: string): Promise<string | undefined> {
    const loop = await this.loopOf(arn);
    return loop && (loop.config.endpointName ?? DEFAULT_ENDPOINT);
  }
}

export function executionOf(description: Omit<DescribeExecutionCommandOutput, '$metadata' | 'stateMachineArn'>): Execution {
  const { executionArn, name, status, startDate, stopDate, input, output, error, cause } = description;
  return {
    arn: executionArn!,
    name: name!,
    state: status as State,
    startedAt: startDate!,
    endedAt: stopDate,
    input: parsed(input),
    record: outputOf({ output: parsed(output), cause }),
    error,
    description,
  };
}
