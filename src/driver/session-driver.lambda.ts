import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { AwsRequests } from '../handler/aws-requests';
import { SYSTEM_CLOCK } from '../handler/clock';
import { numberFromEnv } from '../handler/environment';
import { maskSecrets } from '../handler/mask';
import { ENVIRONMENT, ERRORS, LIMITS, METRICS, OPERATIONS, RETRY_LOG, STATUSES, VERDICTS } from '../jobs/constants';
import { isTransient, SessionError, typedError } from '../jobs/errors';
import { invokeAgent, InvokeRequest, InvokeResult } from '../jobs/invoke-agent';
import { Job, JobResult } from '../jobs/job';
import { runJob, RunJobOptions } from '../jobs/run-job';
import { SessionAddress } from '../jobs/session-address';
import { stopSession } from '../jobs/stop-session';
import { LoopError } from '../loop/steps/errors';
import { StepFunctionsLoopExecutions } from '../loop/steps/executions';
import { LoopRequest } from '../loop/steps/loop-request';
import { isLoopRequest, performStep } from '../loop/steps/perform-step';
import { accessBy, tellBy } from '../loop/steps/remote-access';
import { LoopState, RunIdentity } from '../loop/steps/state';
import { StepTools } from '../loop/steps/step';

/**
 * The one function that talks to sessions: invokes the agent, runs commands as jobs, stops sessions.
 *
 * It keeps nothing between calls. A result is data, such as a verdict; an error is infrastructure, by a name of `ERRORS`,
 * which the state machines retry or not. What it logs and measures are identities, verdicts and sizes, never a prompt, a command
 * or its output: those may hold anything. Of an error, Lambda itself logs the message as well, which may quote what others said.
 */
export type DriverRequest =
  | ({ readonly operation: typeof OPERATIONS.INVOKE } & InvokeRequest)
  | ({ readonly operation: typeof OPERATIONS.RUN } & Job)
  | ({ readonly operation: typeof OPERATIONS.STOP } & SessionAddress)
  | LoopRequest;

const logger = new Logger({ serviceName: METRICS.service });
const metrics = new Metrics({ namespace: METRICS.namespace, serviceName: METRICS.service });

// The SDK must not retry: the agent may have started on an invoke, and a job's calls have their own retry loop.
const client = lazy(() => {
  const made = new BedrockAgentCoreClient({ maxAttempts: 1 });
  made.middlewareStack.add((next) => (call) => next(call).catch((error) => {
    const { agentRuntimeArn = '' } = call.input as { readonly agentRuntimeArn?: string };
    if (typedError(error).name === ERRORS.THROTTLED) measure(METRICS.names.THROTTLES, 1, 'Count', { [METRICS.dimensions.RUNTIME]: runtimeIdOf(agentRuntimeArn) });
    throw error;
  }), { step: 'initialize' });
  return made;
});
const services = new Map<string, AwsRequests>();

/** The names of services in the variables of their endpoints, where they differ from those in signatures. */
const ENDPOINT_NAMES: { readonly [service: string]: string } = { states: 'SFN', events: 'EVENTBRIDGE' };

function requestsOf(service: string): AwsRequests {
  const variable = `AWS_ENDPOINT_URL_${ENDPOINT_NAMES[service] ?? service.toUpperCase()}`;
  const made = services.get(service) ?? new AwsRequests(service, process.env[variable] ?? process.env.AWS_ENDPOINT_URL);
  services.set(service, made);
  return made;
}

export async function handler(request: DriverRequest, context: { getRemainingTimeInMillis(): number }): Promise<unknown> {
  const { operation, runtimeArn } = request;
  logger.resetKeys();
  logger.appendKeys({ operation, runtimeArn, ...identityOf(request) });
  try {
    const result = await perform(request, context.getRemainingTimeInMillis() - LIMITS.functionMarginSeconds * 1_000);
    logger.info('done', summaryOf(result));
    return result;
  } catch (error) {
    if (error instanceof Error) error.message = maskSecrets(error.message); // Lambda logs the message, and Step Functions uses it as the cause
    logger.error('failed', { error: (error as Error).name, reason: reasonOf(error as Error) });
    throw error;
  }
}

/** Returns the part of an error that may be logged: our own words, or the stack of an unexpected error. */
function reasonOf(error: Error): string {
  if (error instanceof SessionError || error instanceof LoopError) return error.summary;
  return (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')).slice(0, 5).join('\n');
}

/** Returns the identities of a request, for the log. */
function identityOf(request: DriverRequest): object {
  if (isLoopRequest(request)) {
    const execution = 'execution' in request ? request.execution : request.detail.executionArn;
    // The state of the first step is the unchecked input.
    const state = ('state' in request ? request.state : undefined) as { readonly run?: RunIdentity; readonly loop?: LoopState } | null | undefined;
    return { execution, sessionId: state?.run?.session?.id, run: state?.run?.id, round: state?.loop?.round };
  }
  return request.operation === OPERATIONS.RUN ? identityOfJob(request) : { sessionId: request.sessionId, qualifier: request.qualifier };
}

function identityOfJob({ sessionId, qualifier, run, round, name }: Job) {
  return { sessionId, qualifier, run, round, job: name };
}

async function perform(request: DriverRequest, millisecondsLeft: number): Promise<unknown> {
  const backoffSeconds = numberFromEnv(ENVIRONMENT.BACKOFF_SECONDS, 1);
  const options: RunJobOptions = {
    client: client(),
    clock: SYSTEM_CLOCK,
    until: Date.now() + millisecondsLeft,
    backoffSeconds,
    onRetry: (error, job) => logger.warn(RETRY_LOG, { jobId: job.id, error: error.name, reason: error.summary }),
  };
  if (isLoopRequest(request)) {
    const executions = new StepFunctionsLoopExecutions(requestsOf('states'), SYSTEM_CLOCK, backoffSeconds);
    const { forge } = request.config;
    const log: StepTools['log'] = (message, fields) => logger.warn(message, fields);
    const tools: StepTools = { ...options, onceClient: client(), executions, runJob: loggedJob, measure, requestsOf, log };
    return performStep(request, forge === undefined ? tools : {
      ...tools,
      access: accessBy(forge.publisher, requestsOf('lambda'), tools),
      ...forge.comments ? { tell: tellBy(forge.publisher, requestsOf('lambda')) } : {},
    });
  }
  switch (request.operation) {
    case OPERATIONS.INVOKE:
      return invokeAgent(client(), { ...request, timeoutSeconds: Math.min(request.timeoutSeconds, millisecondsLeft / 1_000) });
    case OPERATIONS.RUN:
      return measuredJob(request, options);
    case OPERATIONS.STOP:
      return stopSession(client(), request, SYSTEM_CLOCK, backoffSeconds);
    default:
      throw new SessionError(ERRORS.VALIDATION,
        `"operation" must be one of ${Object.values(OPERATIONS).join(', ')}, not ${JSON.stringify((request as { operation?: unknown }).operation)}`);
  }
}

/** A job of a step that may have several. */
async function loggedJob(request: Job, options: RunJobOptions): Promise<JobResult> {
  const result = await measuredJob(request, options);
  logger.info('job', { ...identityOfJob(request), ...summaryOf(result) });
  return result;
}

async function measuredJob(request: Job, options: RunJobOptions): Promise<JobResult> {
  try {
    const result = await runJob(request, options);
    measureJob(request.runtimeArn, result);
    return result;
  } catch (error) {
    if (isTransient(error) || (error as Error).name === ERRORS.BROKEN) measureVerdict(request.runtimeArn, VERDICTS.PLATFORM);
    throw error;
  }
}

/** Returns the part of a result that may be logged. */
function summaryOf(result: unknown) {
  const { status, verdict, lostReason, exitCode, job, seconds, outputBytes, attaches, replyBytes, events } =
    result as Partial<JobResult & InvokeResult>;
  return { status, verdict, lostReason, exitCode, jobId: job, seconds, outputBytes, attaches, replyBytes, events };
}

/** A metric of its own, with dimensions of its own. */
function measure(name: string, value: number, unit: 'Count' | 'Seconds' | 'Percent' | 'NoUnit', dimensions: { readonly [name: string]: string }): void {
  const single = metrics.singleMetric();
  single.addDimensions({ ...dimensions });
  single.addMetric(name, MetricUnit[unit], value);
}

function measureJob(runtimeArn: string, result: JobResult): void {
  if (result.status === STATUSES.ENDED) measureVerdict(runtimeArn, result.verdict!, result);
  // A job that is still running has no verdict, but counts its attaches too.
  measure(METRICS.names.ATTACHES, result.attaches, 'Count', { [METRICS.dimensions.RUNTIME]: runtimeIdOf(runtimeArn) });
}

function measureVerdict(runtimeArn: string, verdict: string, result?: JobResult): void {
  metrics.addDimensions({ [METRICS.dimensions.RUNTIME]: runtimeIdOf(runtimeArn), [METRICS.dimensions.VERDICT]: verdict });
  metrics.addMetric(METRICS.names.JOBS, MetricUnit.Count, 1);
  if (result) {
    metrics.addMetric(METRICS.names.JOB_SECONDS, MetricUnit.Seconds, result.seconds);
    metrics.addMetric(METRICS.names.OUTPUT_BYTES, MetricUnit.Bytes, result.outputBytes);
  }
  // Published immediately: the next job of this call has its own verdict.
  metrics.publishStoredMetrics();
}

function runtimeIdOf(runtimeArn: string): string {
  return runtimeArn.split('/').pop()!;
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
