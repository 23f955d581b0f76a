import { LOOP_ERRORS, QUEUED, STEPS } from './constants';
import type { LoopRequest, Refusal } from './loop-request';
import type { PrepareRequest } from './prepare';
import { stateMachineOf } from './sessions';
import type { StepTools } from './step';
import { ERRORS } from '../../jobs/constants';
import { isTransient, typedError } from '../../jobs/errors';
import { isBrakeOn, OperateConfig } from '../../operate/constants';

/** The timeout of a request, in seconds, and the number of tries, with waits of 1, 2 and 4 times the back-off. */
const REQUEST_SECONDS = 10;
const TRIES = 4;

/** Returns the reason why a run or a turn must not begin: the brake is on, or too many runs are in progress. */
export async function admission(request: LoopRequest, config: OperateConfig, tools: StepTools): Promise<Refusal> {
  try {
    return await refusalOf(request, config, tools);
  } catch (error) {
    // Many runs that look for their place exceed the quotas of Step Functions and SSM. None of them loses its place by that.
    if (request.operation !== STEPS.PREPARE || !isTransient(error) || !isQueued(request, config, tools)) throw error;
    return { refusal: { name: QUEUED, message: `the place in the queue is not known: ${error.message}`.slice(0, 500) } };
  }
}

async function refusalOf(request: LoopRequest, config: OperateConfig, tools: StepTools): Promise<Refusal> {
  const { brake, maxConcurrentRuns, queueSeconds } = config;
  if (brake !== undefined && (request.operation === STEPS.PREPARE || request.operation === STEPS.TURN)) {
    const message = await braked(brake, tools);
    if (message !== undefined) return { refusal: { name: LOOP_ERRORS.BRAKED, message } };
  }
  if (maxConcurrentRuns === undefined || request.operation !== STEPS.PREPARE) return {};
  const before = await runsBefore(request.execution, startOf(request), tools);
  if (before < maxConcurrentRuns) return {};
  const message = `${before === 1 ? '1 run that started before this one is' : `${before} runs that started before this one are`} in progress, and "maxConcurrentRuns" allows ${maxConcurrentRuns}`;
  if (isQueued(request, config, tools)) return { refusal: { name: QUEUED, message } };
  const waited = queueSeconds === undefined ? '' : `; this one has waited for ${secondsSince(startOf(request), tools)} seconds`;
  return { refusal: { name: LOOP_ERRORS.TOO_MANY_RUNS, message: `${message}${waited}` } };
}

/** Determines whether a run may wait. */
function isQueued(request: PrepareRequest, { maxConcurrentRuns, queueSeconds }: OperateConfig, tools: StepTools): boolean {
  return maxConcurrentRuns !== undefined && queueSeconds !== undefined && secondsSince(startOf(request), tools) < queueSeconds;
}

function startOf({ startedAt }: PrepareRequest): number {
  return Date.parse(startedAt ?? '');
}

function secondsSince(milliseconds: number, { clock }: StepTools): number {
  return Math.floor((clock.now() - milliseconds) / 1_000);
}

/** Returns the reason why the brake stops the run. A brake that cannot be read counts as on, because it could not stop the run later. */
async function braked(name: string, { requestsOf, clock, backoffSeconds }: StepTools): Promise<string | undefined> {
  for (let failures = 1; ; failures++) {
    try {
      const { Parameter } = await requestsOf!('ssm').json<{ readonly Parameter?: { readonly Type?: string; readonly Value?: string } }>(
        '1.1', 'AmazonSSM.GetParameter', { Name: name }, AbortSignal.timeout(REQUEST_SECONDS * 1_000),
      );
      if (typeof Parameter?.Value !== 'string') return `the brake ${name} cannot be read: its parameter has no value`;
      // A value that is encrypted is never "on".
      if (Parameter.Type === 'SecureString') return `the brake ${name} cannot be read: its parameter is a SecureString, and must be a String`;
      return isBrakeOn(Parameter.Value) ? `the brake ${name} is on` : undefined;
    } catch (error) {
      const { name: type, message } = error as Error;
      const typed = typedError(error);
      // The state machine tries for minutes: many runs that begin at once are no reason to end any.
      if (failures >= TRIES && typed.name === ERRORS.THROTTLED) throw typed;
      if (failures >= TRIES || NEVER.includes(type)) return `the brake ${name} cannot be read, so it could not stop the run: ${type}: ${message}`.slice(0, 500);
      await clock.sleep(backoffSeconds * 2 ** (failures - 1));
    }
  }
}

/** Errors that are not transient. */
const NEVER: readonly string[] = ['AccessDeniedException', 'ParameterNotFound', 'ValidationException'];

/**
 * Returns the number of running executions that started before this one. Two that started in the same millisecond have the order of their ARNs.
 *
 * The list of Step Functions is eventually consistent: runs that start at the same moment may not see each other yet.
 */
async function runsBefore(own: string, startedAt: number, tools: StepTools): Promise<number> {
  const isBefore = ({ executionArn, startDate }: ListedExecution) => {
    const began = Math.round(startDate * 1_000);
    return began < startedAt || (began === startedAt && executionArn < own);
  };
  let count = 0;
  let nextToken: string | undefined;
  do {
    const page = await listed({ stateMachineArn: stateMachineOf(own), statusFilter: 'RUNNING', maxResults: 1_000, nextToken }, tools);
    count += page.executions.filter(isBefore).length;
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return count;
}

interface ListedExecution {
  readonly executionArn: string;
  /** Seconds since the epoch. */
  readonly startDate: number;
}

interface ListReply {
  readonly executions: readonly ListedExecution[];
  readonly nextToken?: string;
}

/** Returns a page of executions. An error has a name that the state machine retries if that may help. */
async function listed(parameters: object, { requestsOf, clock, backoffSeconds }: StepTools): Promise<ListReply> {
  for (let failures = 1; ; failures++) {
    try {
      return await requestsOf!('states').json<ListReply>('1.0', 'AWSStepFunctions.ListExecutions', parameters, AbortSignal.timeout(REQUEST_SECONDS * 1_000));
    } catch (thrown) {
      const error = typedError(thrown);
      if (failures >= TRIES || !isTransient(error)) throw error;
      await clock.sleep(backoffSeconds * 2 ** (failures - 1));
    }
  }
}
