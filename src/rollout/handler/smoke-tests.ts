import { createHash } from 'crypto';
import { CommandTestProperties, InvokeTestProperties, isInvokeTest, LIMITS, SmokeTestProperties } from './constants';
import { Endpoint } from './control-plane';
import { messageOf, RolloutError } from './errors';
import { RolloutRequest } from './rollout-request';
import { Site } from './site';
import { ERRORS, STATUSES, VERDICTS } from '../../jobs/constants';
import { SessionError } from '../../jobs/errors';
import { invokeAgent } from '../../jobs/invoke-agent';
import { Beginning, runJob } from '../../jobs/run-job';
import { SessionAddress } from '../../jobs/session-address';
import { stopSession } from '../../jobs/stop-session';

/** The ephemeral disk, which every image has. It is for a test to say whether a mount is writable. */
const RECORDS = '/tmp';

/** Retries while an endpoint is not known everywhere yet, after 2, 4 and 8 times the back-off. */
const LOOKS = 3;

/**
 * Tests an endpoint in a session of the request's own. Returns what it still waits for, or `undefined` when every test has passed.
 *
 * Commands are jobs: a step attaches to one that an earlier step started, so that handling the request again repeats none of them. An invoke
 * cannot be attached to and is repeated.
 */
export async function smokeTest(request: RolloutRequest, endpointName: string, site: Site): Promise<string | undefined> {
  for (const [index, test] of request.tests.entries()) {
    const run = { request, endpointName, site, index, answered: index > 0, where: `smoke test "${test.Name}" on endpoint "${endpointName}"` };
    const ended = isInvokeTest(test)
      ? await retryWhileStarting(test, run, run.answered, () => invoke(test, run))
      : await retryWhileStarting(test, run, true, () => runCommand(test, run)); // a command waits for the session itself
    if (!ended) return `${run.where} to end`;
  }
  return undefined;
}

/** One run of a test. */
interface TestRun {
  readonly request: RolloutRequest;
  readonly endpointName: string;
  readonly site: Site;
  readonly index: number;
  /** Determines whether the session is known to have answered. */
  readonly answered: boolean;
  /** The test and its endpoint, for messages. */
  readonly where: string;
}

/**
 * Retries a test while its endpoint or, unless `started`, its session starts. Fails in the test's name for errors that do not pass.
 *
 * An invoke is repeated even if the agent may have started.
 */
async function retryWhileStarting(
  { Name: test }: SmokeTestProperties, { where, site }: TestRun, started: boolean, run: () => Promise<boolean>,
): Promise<boolean> {
  const beginning = new Beginning(started, site.clock, site.backoffSeconds);
  for (let looks = 1; ;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof SessionError) || isForTheNextStep(error)) throw error;
      const wait = error.name === ERRORS.NOT_FOUND && looks <= LOOKS
        ? site.backoffSeconds * 2 ** looks++ : beginning.waitAfter(error, site.until);
      if (wait === undefined) throw new RolloutError(`${where} failed: ${messageOf(error)}`);
      site.log.warn('smoke test starts again', { test, error: error.name });
      await site.clock.sleep(wait);
    }
  }
}

function isForTheNextStep({ name }: SessionError): boolean {
  return [ERRORS.THROTTLED, ERRORS.CONFLICT, ERRORS.SERVER, ERRORS.STREAM_CUT, ERRORS.ACCESS_DENIED].some((passing) => passing === name);
}

async function runCommand(
  { Name: test, Command: command, ExitCode, TimeoutSeconds }: CommandTestProperties, { request, endpointName, site, index, answered, where }: TestRun,
): Promise<boolean> {
  const timeoutSeconds = Number(TimeoutSeconds);
  for (let round = 0; round < LIMITS.lostRounds; round++) {
    const result = await runJob({
      ...smokeSession(request, endpointName, request.id),
      run: request.id,
      round,
      answered: answered || round > 0,
      name: `smoke-${index}`,
      command,
      mount: RECORDS,
      timeoutSeconds,
      tailBytes: LIMITS.tailBytes,
    }, {
      client: site.sessions,
      clock: site.clock,
      until: site.until,
      backoffSeconds: site.backoffSeconds,
      onRetry: (error) => site.log.warn('attaching again', { test, error: error.name }),
    });
    if (result.status === STATUSES.RUNNING) return false;
    if (result.verdict === VERDICTS.TIMED_OUT) {
      throw new RolloutError(`${where} failed: timed out after ${timeoutSeconds} seconds: ${command}`, result.tail);
    }
    if (result.verdict !== VERDICTS.LOST) {
      if (result.exitCode === Number(ExitCode)) return true;
      throw new RolloutError(`${where} failed: exit code ${result.exitCode}, expected ${ExitCode}: ${command}`, result.tail);
    }
    site.log.warn('the microVM was replaced during the test', { test, round, reason: result.lostReason });
  }
  throw new RolloutError(`${where} failed: the microVM was replaced ${LIMITS.lostRounds} times while it ran: ${command}`);
}

async function invoke({ Payload, Expect, TimeoutSeconds }: InvokeTestProperties, { request, endpointName, site, where }: TestRun): Promise<boolean> {
  const timeoutSeconds = Number(TimeoutSeconds);
  // One call has to see the end of the invoke. The next step has more time than is left in this one.
  if ((site.until - site.clock.now()) / 1_000 < timeoutSeconds) return false;
  const { reply } = await invokeAgent(site.sessions, {
    ...smokeSession(request, endpointName, request.id),
    answered: true, // even if it has not: retries are decided here
    payload: JSON.parse(Payload),
    timeoutSeconds,
  });
  const text = typeof reply === 'string' ? reply : JSON.stringify(reply);
  if (Expect !== undefined && !new RegExp(Expect).test(text)) {
    throw new RolloutError(`${where} failed: the agent's reply does not match /${Expect}/`, text);
  }
  return true;
}

/**
 * Returns the address of the throw-away session in which a request tests an endpoint: the same each time the request is handled, so that what
 * was started is found, and another for each request, so that nothing of an earlier test is.
 */
function smokeSession({ runtimeArn }: RolloutRequest, endpointName: string, requestId: string): SessionAddress {
  const id = createHash('sha256').update(JSON.stringify([requestId, endpointName])).digest('hex');
  return { runtimeArn, qualifier: endpointName, sessionId: `smoke-${id}` };
}

/** Stops the session of the request that tests the endpoint, or tested it and ended. A session that is gone counts as stopped. */
export async function stopSmokeSession(request: RolloutRequest, endpoint: Pick<Endpoint, 'name' | 'request'>, site: Site): Promise<void> {
  if (endpoint.request === undefined) return;
  try {
    await stopSession(site.sessions, smokeSession(request, endpoint.name, endpoint.request), site.clock, site.backoffSeconds);
  } catch (error) {
    // The endpoint is gone, and the session with it.
    if ((error as Error).name !== ERRORS.NOT_FOUND) throw error;
  }
}
