import {
  DescribeExecutionCommand, DescribeStateMachineForExecutionCommand, paginateListExecutions, SFNClient,
} from '@aws-sdk/client-sfn';
import { typedError } from '../session/errors.client';

/** Runs of state machines. */
export interface Executions {
  /** The name of a run that is under way and uses this endpoint; `undefined` if there is none. */
  using(stateMachineArns: readonly string[], endpointName: string): Promise<string | undefined>;
}

/**
 * Runs of state machines, as Step Functions knows them.
 *
 * Which endpoint a run uses is in the definition that it was started with, which is not the newest one, or in its input, when it
 * resumes a session. Any text there that is the endpoint's name counts: to wait for nothing is cheap, to wipe a workspace is not.
 */
export class StepFunctionsExecutions implements Executions {
  constructor(private readonly client: SFNClient) {}

  public async using(stateMachineArns: readonly string[], endpointName: string): Promise<string | undefined> {
    try {
      for (const stateMachineArn of stateMachineArns) {
        const name = await this.firstUsing(stateMachineArn, endpointName);
        if (name !== undefined) return name;
      }
      return undefined;
    } catch (error) {
      throw typedError(error);
    }
  }

  private async firstUsing(stateMachineArn: string, endpointName: string): Promise<string | undefined> {
    try {
      for await (const { executions } of paginateListExecutions({ client: this.client }, { stateMachineArn, statusFilter: 'RUNNING' })) {
        for (const { executionArn, name } of executions!) {
          if (await this.names(executionArn!, endpointName)) return name;
        }
      }
      return undefined;
    } catch (error) {
      // Not deployed yet, or not any more.
      if ((error as Error).name === 'StateMachineDoesNotExist') return undefined;
      throw error;
    }
  }

  private async names(executionArn: string, endpointName: string): Promise<boolean> {
    const word = new RegExp(`(?<![A-Za-z0-9_])${endpointName}(?![A-Za-z0-9_])`);
    try {
      const { input } = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      if (word.test(input ?? '')) return true;
      const { definition } = await this.client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
      return word.test(definition ?? '');
    } catch (error) {
      if ((error as Error).name === 'ExecutionDoesNotExist') return false;
      throw error;
    }
  }
}
