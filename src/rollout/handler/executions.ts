import {
  DescribeExecutionCommand, DescribeStateMachineForExecutionCommand, paginateListExecutions, SFNClient,
} from '@aws-sdk/client-sfn';
import { typedError } from '../../jobs/errors';

/** Executions of state machines. */
export interface Executions {
  /** Returns those of the endpoints that a running execution uses, each with the name of one such execution. */
  using(stateMachineArns: readonly string[], endpointNames: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/**
 * Looks up executions in Step Functions.
 *
 * The endpoint of an execution is in the definition that it was started with, which may not be the newest, or in its input, when it resumes a
 * session. Any mention of the endpoint's name counts: to wait for nothing is cheap, to wipe a workspace is not.
 *
 * Each execution is described once for all endpoints, since definitions can be requested about once per second.
 */
export class StepFunctionsExecutions implements Executions {
  constructor(private readonly client: SFNClient) {}

  public async using(stateMachineArns: readonly string[], endpointNames: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const users = new Map<string, string>();
    try {
      for (const stateMachineArn of stateMachineArns) await this.addUsers(users, stateMachineArn, endpointNames);
      return users;
    } catch (error) {
      throw typedError(error);
    }
  }

  /** Adds the executions of one state machine, until there is one for each endpoint. */
  private async addUsers(users: Map<string, string>, stateMachineArn: string, endpointNames: readonly string[]): Promise<void> {
    try {
      for await (const { executions } of paginateListExecutions({ client: this.client }, { stateMachineArn, statusFilter: 'RUNNING' })) {
        for (const { executionArn, name } of executions!) {
          const open = endpointNames.filter((endpointName) => !users.has(endpointName));
          if (open.length === 0) return;
          for (const endpointName of await this.endpointsOf(executionArn!, open)) users.set(endpointName, name!);
        }
      }
    } catch (error) {
      // The state machine is not deployed yet, or is deleted already.
      if ((error as Error).name !== 'StateMachineDoesNotExist') throw error;
    }
  }

  private async endpointsOf(executionArn: string, endpointNames: readonly string[]): Promise<string[]> {
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
