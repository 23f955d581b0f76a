import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { isTransient, SessionError } from './errors.client';
import { exec } from './exec.client';
import { FollowedJob, RunResult } from './followed-job.client';
import { JobMode } from './job-command.client';
import { JobEnd } from './job-stream.client';
import { checkRunRequest, RunRequest } from './run-request.client';
import { Clock } from '../shared/clock.client';

/**
 * How often in a row a failing call is made again, within one invocation of the driver: after 1, 2, 4, 8 and 16 times the
 * back-off, 31 s in all. A state machine's `Retry` goes on from there.
 */
const TRIES_IN_A_ROW = 5;

/** Three times the 20 seconds after which the session says that it is alive. */
const SILENCE_SECONDS = 60;

/** A microVM has two minutes to come up, AgentCore developer guide, "how it works"; more than that is a lost connection. */
const REPLY_SECONDS = 150;

export interface RunJobOptions {
  readonly client: BedrockAgentCoreClient;
  readonly clock: Clock;
  /** Milliseconds since the epoch; a job that runs longer is left running. */
  readonly until: number;
  readonly backoffSeconds: number;
  /** @default 60 */
  readonly silenceSeconds?: number;
  /** Hears of every call that failed and is made again. */
  readonly onRetry: (error: SessionError, job: FollowedJob) => void;
}

/**
 * Runs a command in a session, at most once, and follows it until it ends or time is up.
 *
 * A call that fails is made again: the first one starts the job or finds it there, all later ones only attach, so that a
 * workspace that was wiped in between cannot make the command run a second time.
 */
export async function runJob(request: RunRequest, options: RunJobOptions): Promise<RunResult> {
  checkRunRequest(request);
  const job = new FollowedJob(request);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.max(0, options.until - options.clock.now()));
  let failures = 0;
  try {
    for (;;) {
      const mode = job.matched !== undefined ? 'cancel' : job.seen ? 'attach' : request.mode ?? 'start';
      try {
        const end = await call(request, job, mode, deadline.signal, options);
        failures = 0;
        if (deadline.signal.aborted && (!end || end.state === 'RUNNING')) return job.running();
        if (end && end.state !== 'RUNNING') return job.ended(end);
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (failures >= TRIES_IN_A_ROW || deadline.signal.aborted) {
          // An error would be answered by another start; from here on it must only be attached to.
          if (job.seen && request.mode !== 'attach') return job.running();
          throw error;
        }
        options.onRetry(error, job);
        await options.clock.sleep(options.backoffSeconds * 2 ** failures++);
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** One call; `undefined` if it was given up: at the deadline, for a fail-fast pattern, or since it has no more to say. */
async function call(
  request: RunRequest, job: FollowedJob, mode: JobMode, deadline: AbortSignal, options: RunJobOptions,
): Promise<JobEnd | undefined> {
  const enough = new AbortController();
  const secondsLeft = (options.until - options.clock.now()) / 1_000;
  const end = await exec(options.client, {
    runtimeArn: request.runtimeArn,
    qualifier: request.qualifier,
    sessionId: request.sessionId,
    ...job.nextCall(mode, secondsLeft),
    replySeconds: REPLY_SECONDS,
    silenceSeconds: options.silenceSeconds ?? SILENCE_SECONDS,
    deadline: AbortSignal.any([deadline, enough.signal]),
    onStdout: (text) => {
      job.onStdout(text);
      if (job.paused || (job.matched !== undefined && mode !== 'cancel')) enough.abort();
    },
    onStderr: (text) => job.onStderr(text),
  });
  return end && job.conclude(end);
}
