import {
  DescribeExecutionCommand, DescribeStateMachineForExecutionCommand, paginateListExecutions, SFNClient,
} from '@aws-sdk/client-sfn';
import { typedError } from '../../jobs/errors';

/** Runs of state machines. */
export interface Executions {
  /** Of these endpoints those that a run uses which is under way, with the name of one such run. */
  using(stateMachineArns: readonly string[], endpointNames: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/**
 * Runs of state machines, as Step Functions knows them.
 *
 * Which endpoint a run uses is in the definition that it was started with, which is not the newest one, or in its input, when it
 * resumes a session. Any text there that is the endpoint's name counts: to wait for nothing is cheap, to wipe a workspace is not.
 *
 * Each run is looked at once for all endpoints: definitions can be asked for about once in a second.
 */
export class StepFunctionsExecutions implements Executions {
  constructor(private readonly client: SFNClient) {}

  public async using(stateMachineArns: readonly string[], endpointNames: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const runs = new Map<string, string>();
    try {
      for (const stateMachineArn of stateMachineArns) await this.look(stateMachineArn, endpointNames, runs);
      return runs;
    } catch (error) {
      throw typedError(error);
    }
  }

  /** Adds what the runs of one state machine use, until there is one for each endpoint. */
  private async look(stateMachineArn: string, endpointNames: readonly string[], runs: Map<string, string>): Promise<void> {
    try {
      for await (const { executions } of paginateListExecutions({ client: this.client }, { stateMachineArn, statusFilter: 'RUNNING' })) {
        for (const { executionArn, name } of executions!) {
          const open = endpointNames.filter((endpointName) => !runs.has(endpointName));
          if (open.length === 0) return;
          for (const endpointName of await this.named(executionArn!, open)) runs.set(endpointName, name!);
        }
      }
    } catch (error) {
      // Not deployed yet, or not any more.
      if ((error as Error).name !== 'StateMachineDoesNotExist') throw error;
    }
  }

  private async named(executionArn: string, endpointNames: readonly string[]): Promise<string[]> {
    const namedIn = (text = '') => endpointNames.filter((name) => new RegExp(`(?<![A-Za-z0-9_])${name}(?![A-Za-z0-9_])`).test(text));
    try {
      const { input } = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      const inInput = namedIn(input);
      if (inInput.length === endpointNames.length) return inInput;
      const { definition } = await this.client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
      return [...inInput, ...namedIn(definition)];
    } catch (error) {
      if ((error as Error).name === 'ExecutionDoesNotExist') return [];
      throw error;
    }
  }
}
