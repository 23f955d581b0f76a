import { Logger } from '@aws-lambda-powertools/logger';
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { FORGE_ENVIRONMENT } from './constants';
import { Publisher } from './publish/publisher';
import { secretReader } from './publish/secrets';
import { trust } from './publish/trust';
import { AwsRequests } from '../handler/aws-requests';
import { SYSTEM_CLOCK } from '../handler/clock';
import { numberFromEnv } from '../handler/environment';
import { maskSecrets } from '../handler/mask';
import { ENVIRONMENT, LIMITS, METRICS, RETRY_LOG } from '../jobs/constants';
import { SessionError } from '../jobs/errors';
import { Job } from '../jobs/job';
import { runJob, RunJobOptions } from '../jobs/run-job';
import { accessFor, OpenRequest, TellRequest } from '../loop/steps/access';
import { commit, CommitRequest } from '../loop/steps/commit';
import { STEPS } from '../loop/steps/constants';
import { LoopError } from '../loop/steps/errors';
import { LoopExecutions } from '../loop/steps/executions';
import { measureStep } from '../loop/steps/measure-step';
import { withMeter } from '../loop/steps/meter';
import { published } from '../loop/steps/publish';
import { NameList } from '../loop/steps/results';
import { runStepJob, StepTools } from '../loop/steps/step';

/**
 * The one function that holds the credential of a forge.
 *
 * The state machine asks it to commit a change that has passed all gates, and the session driver asks it for tokens that can only read, encrypted
 * for one session. It takes the change from the session as a pack, computes the commit and pushes it. Neither a session nor the driver ever
 * has a credential that can write.
 */
export type PublisherRequest = OpenRequest | TellRequest | ({ readonly operation: typeof STEPS.COMMIT } & CommitRequest);

const logger = new Logger({ serviceName: 'publisher' });
const trusting = lazy(() => {
  const bundle = process.env[FORGE_ENVIRONMENT.CA_BUNDLE];
  if (bundle !== undefined) trust(bundle);
  return bundle !== undefined;
});
const client = lazy(() => new BedrockAgentCoreClient({ maxAttempts: 1 }));
const readSecret = lazy(() => secretReader(
  new AwsRequests('secretsmanager', process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? process.env.AWS_ENDPOINT_URL), SYSTEM_CLOCK.now,
));

export async function handler(request: PublisherRequest, context: { getRemainingTimeInMillis(): number }): Promise<unknown> {
  logger.resetKeys();
  logger.appendKeys({ operation: request.operation, ...identityOf(request) });
  try {
    const result = await perform(request, context.getRemainingTimeInMillis() - LIMITS.functionMarginSeconds * 1_000);
    logger.info('done', { next: (result as { readonly next?: string }).next });
    return result;
  } catch (error) {
    if (error instanceof Error) error.message = maskSecrets(error.message); // Lambda logs the message, and Step Functions uses it as the cause
    logger.error('failed', { error: (error as Error).name, reason: error instanceof SessionError || error instanceof LoopError ? error.summary : undefined });
    throw error;
  }
}

/** Returns the identities of a request, for the log. A run's ID is in the logs of the driver and of its sessions, too. */
function identityOf(request: PublisherRequest): object {
  if ('state' in request) return { execution: request.execution, run: request.state.run.id, sessionId: request.state.run.session.id, round: request.state.loop?.round };
  return { run: request.run, url: request.url };
}

async function perform(request: PublisherRequest, millisecondsLeft: number): Promise<object> {
  const backoffSeconds = numberFromEnv(ENVIRONMENT.BACKOFF_SECONDS, 1);
  const { FORGE, REPOSITORIES, BRANCH_PREFIX, LOCAL } = FORGE_ENVIRONMENT;
  // A forge on this machine has no certificate.
  if (process.env[LOCAL] === undefined) trusting();
  const publisher = new Publisher(
    {
      forge: JSON.parse(process.env[FORGE]!),
      repositories: JSON.parse(process.env[REPOSITORIES]!),
      branchPrefix: process.env[BRANCH_PREFIX]!,
      local: process.env[LOCAL],
    },
    { readSecret: readSecret(), clock: SYSTEM_CLOCK, backoffSeconds },
  );
  switch (request.operation) {
    case 'forge:open':
      return publisher.open(request);
    case 'forge:tell':
      return publisher.tell(request);
    case STEPS.COMMIT: {
      const begunAt = SYSTEM_CLOCK.now();
      const loop = await commit(request, toolsOf(publisher, request.proposal?.signed === true, {
        client: client(), clock: SYSTEM_CLOCK, until: Date.now() + millisecondsLeft, backoffSeconds, onRetry,
      })).finally(() => measureStep(request, begunAt, { clock: SYSTEM_CLOCK, measure }));
      return withMeter(request, loop, begunAt, SYSTEM_CLOCK.now());
    }
    default:
      throw new TypeError(`"operation" must be forge:open, forge:tell or ${STEPS.COMMIT}, not ${JSON.stringify((request as { operation?: unknown }).operation)}`);
  }
}

function onRetry(error: SessionError, job: { readonly id: string }): void {
  logger.warn(RETRY_LOG, { jobId: job.id, error: error.name, reason: error.summary });
}

/** Emits a metric in the embedded metric format, with the dimensions that the driver's metrics have: the publisher has no other. */
const measure: StepTools['measure'] = (name, value, unit, dimensions) => {
  const all = { [METRICS.dimensions.SERVICE]: METRICS.service, ...dimensions };
  const described = { Namespace: METRICS.namespace, Dimensions: [Object.keys(all)], Metrics: [{ Name: name, Unit: unit }] };
  process.stdout.write(`${JSON.stringify({ _aws: { Timestamp: SYSTEM_CLOCK.now(), CloudWatchMetrics: [described] }, ...all, [name]: value })}\n`);
};

function toolsOf(publisher: Publisher, isSigned: boolean, options: RunJobOptions): StepTools {
  let changed: NameList | undefined;
  const tools: StepTools = {
    ...options,
    onceClient: options.client,
    executions: NO_EXECUTIONS,
    runJob: (job: Job, how: RunJobOptions) => runJob(job, how),
    measure: () => undefined, // gates are not run here
    access: (request, name, job) => accessFor(request, name, job, (open) => publisher.open(open), (key) => runStepJob(request, tools, key)),
    publish: async (where, how, wanted) => {
      const { changed: files, ...made } = await published(where, how, wanted, (publication) => publisher.publish(publication, isSigned));
      changed = files;
      return made;
    },
    present: (request, proposal) => publisher.present(request, proposal, tools, changed),
  };
  return tools;
}

/** A commit asks nobody for executions, and the role of the publisher does not let it. */
const NO_EXECUTIONS: LoopExecutions = { describe: noExecutions, running: noExecutions, endpointNameOf: noExecutions };

function noExecutions(): never {
  throw new TypeError('the publisher knows no executions');
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
