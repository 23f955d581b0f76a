import { STEPS } from './constants';
import { DEFAULT_ENDPOINT } from './sessions';
import { AwsRequests } from '../../handler/aws-requests';
import { Clock } from '../../handler/clock';
import { isTransient, SessionError, typedError } from '../../jobs/errors';

/** An execution, as Step Functions describes it. */
export interface KnownExecution {
  readonly arn: string;
  readonly isRunning: boolean;
  /** The start time, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly input: unknown;
  /** The error and the cause of an execution that failed. */
  readonly error?: string;
  readonly cause?: string;
}

/** Access to a loop's executions in Step Functions. Every method throws an error named in `ERRORS` if the request fails. */
export interface LoopExecutions {
  /** Returns undefined if the execution does not exist: Step Functions forgets an execution 90 days after its end. */
  describe(arn: string): Promise<KnownExecution | undefined>;
  /** Returns the ARNs of the running executions that started at that time or later, the newest first. */
  running(stateMachineArn: string, sinceMilliseconds: number): AsyncIterable<string>;
  /** Returns the endpoint in the execution's own definition, which may differ from the newest one. */
  endpointNameOf(arn: string): Promise<string | undefined>;
}

/** The timeout of a request, in seconds: the SDK has none by default. */
const REQUEST_SECONDS = 10;

/** The number of retries, with waits of 1, 2, 4 and 8 times the back-off, 15 s in all: bounded, because a stop may wait for the answer. */
const TRIES = 4;

export class StepFunctionsLoopExecutions implements LoopExecutions {
  constructor(private readonly requests: AwsRequests, private readonly clock: Clock, private readonly backoffSeconds: number) {}

  public async describe(arn: string): Promise<KnownExecution | undefined> {
    const found = await this.unlessAbsent<ExecutionReply>('DescribeExecution', { executionArn: arn });
    if (found === undefined) return undefined;
    const { status, input, error, cause } = found;
    return { arn, isRunning: status === 'RUNNING', startedAt: millisecondsOf(found), input: parsed(input), error, cause };
  }

  public async* running(stateMachineArn: string, sinceMilliseconds: number): AsyncIterable<string> {
    let nextToken: string | undefined;
    do {
      const page = await this.answer<ListReply>('ListExecutions', { stateMachineArn, statusFilter: 'RUNNING', maxResults: 1_000, nextToken });
      for (const execution of page.executions) {
        if (millisecondsOf(execution) >= sinceMilliseconds) yield execution.executionArn;
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
  }

  public async endpointNameOf(arn: string): Promise<string | undefined> {
    const found = await this.unlessAbsent<{ readonly definition: string }>('DescribeStateMachineForExecution', { executionArn: arn });
    return found && endpointNameIn(parsed(found.definition));
  }

  private async unlessAbsent<T>(operation: string, parameters: object): Promise<T | undefined> {
    try {
      return await this.answer<T>(operation, parameters);
    } catch (error) {
      if (((error as SessionError).cause as Error).name === 'ExecutionDoesNotExist') return undefined;
      throw error;
    }
  }

  private async answer<T>(operation: string, parameters: object): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.requests.json<T>('1.0', `AWSStepFunctions.${operation}`, parameters, AbortSignal.timeout(REQUEST_SECONDS * 1_000));
      } catch (thrown) {
        const error = typedError(thrown);
        if (!isTransient(error) || failures >= TRIES) throw error;
        await this.clock.sleep(this.backoffSeconds * 2 ** failures);
      }
    }
  }
}

interface ExecutionReply {
  readonly executionArn: string;
  readonly status: string;
  /** Seconds since the epoch. */
  readonly startDate: number;
  readonly input?: string;
  readonly error?: string;
  readonly cause?: string;
}

interface ListReply {
  readonly executions: readonly ExecutionReply[];
  readonly nextToken?: string;
}

function millisecondsOf({ startDate }: ExecutionReply): number {
  return Math.round(startDate * 1_000);
}

interface Definition {
  readonly States?: { readonly [name: string]: { readonly Parameters?: StepParameters } };
}

interface StepParameters {
  readonly operation?: string;
  readonly config?: { readonly endpointName?: string };
}

function endpointNameIn(definition: unknown): string | undefined {
  const states = Object.values((definition as Definition | undefined)?.States ?? {});
  const prepare = states.find(({ Parameters }) => Parameters?.operation === STEPS.PREPARE);
  return prepare && (prepare.Parameters?.config?.endpointName ?? DEFAULT_ENDPOINT);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
