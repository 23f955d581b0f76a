import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { Beginning } from './beginning';
import { ERRORS } from './constants';
import { isTransient, SessionError, SilenceError } from './errors';
import { exec } from './exec';
import { FollowedJob, RunResult } from './followed-job';
import { JobMode } from './job-command';
import { JobEnd } from './job-stream';
import { Overtime } from './overtime';
import { checkRunRequest, RunRequest } from './run-request';
import { Clock } from '../handler/clock';

/**
 * How often in a row a failing call is made again, within one invocation of the driver: after 1, 2, 4, 8 and 16 times the
 * back-off, 31 s in all. A state machine's `Retry` goes on from there.
 */
const TRIES_IN_A_ROW = 5;

/** Answers in a row without a word on the job, after which the session is broken. With the pauses between them, 3 s and what they take. */
const ANSWERS_IN_VAIN = 3;

/** Of a call that ends a job, in seconds: the session has 10 between TERM and KILL, and kills who watches the job after 20 more. */
const CANCEL_SECONDS = 40;

/** How often such a call is made again: the verdict is known without it. */
const CANCEL_TRIES = 2;

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
  /** What a job may take beyond its timeout until it is ended from here. @default 45 */
  readonly overtimeSeconds?: number;
  /** Hears of every call that failed and is made again. */
  readonly onRetry: (error: SessionError, job: FollowedJob) => void;
}

/**
 * Runs a command in a session, at most once, and follows it until it ends or time is up.
 *
 * A call that fails is made again: until the session has answered for the job, calls start it or find it there; all later ones only attach, so
 * that a workspace that was wiped in between cannot make the command run a second time. Where nothing was answered, records on ephemeral disk
 * do the same, unless the microVM was replaced too: then nothing knows of the first start. A marker that the workspace has to have rules that out.
 *
 * A job that is over its time by the driver's own clock is ended, and is `TIMED_OUT` whatever the session says of it.
 */
export async function runJob(request: RunRequest, options: RunJobOptions): Promise<RunResult> {
  checkRunRequest(request);
  const job = new FollowedJob(request);
  const overtime = new Overtime(options.clock, job.previous?.overtimeAt);
  // Whoever was not there when the time was up does not know that the job was still at work then.
  const watched = !overtime.isOver;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.max(0, options.until - options.clock.now()));
  const running = () => job.running(overtime.at);
  // What is attached to has begun in an earlier call.
  const beginning = new Beginning(request.answered ?? (request.mode === 'attach' || job.previous !== undefined), options.clock, options.backoffSeconds);
  let failures = 0;
  try {
    for (;;) {
      const isLate = overtime.isOver;
      const mode = job.matched !== undefined || isLate ? 'cancel' : job.seen ? 'attach' : request.mode ?? 'start';
      try {
        const end = await call(request, job, mode, beginning, isLate ? undefined : overtime, deadline.signal, options);
        failures = 0;
        if (isLate) return end && isBelieved(end, watched) ? job.ended(end) : job.late(end, secondsOf(request, overtime, options));
        if (overtime.isOver) continue;
        if (deadline.signal.aborted && (!end || end.state === 'RUNNING')) return running();
        if (end && end.state !== 'RUNNING') return job.ended(end);
      } catch (error) {
        if (error instanceof SilenceError) job.inVain++;
        const wait = beginning.waitAfter(error, options.until);
        if (wait !== undefined) {
          options.onRetry(error as SessionError, job);
          await options.clock.sleep(wait);
          continue;
        }
        if (!isTransient(error)) throw error;
        if (job.inVain >= ANSWERS_IN_VAIN && !isLate) throw broken(error);
        if (failures >= (isLate ? CANCEL_TRIES : TRIES_IN_A_ROW) || deadline.signal.aborted) {
          if (isLate) return job.late(undefined, secondsOf(request, overtime, options));
          // An error would be answered by another start; from here on it must only be attached to.
          if (job.seen && request.mode !== 'attach') return running();
          throw error;
        }
        options.onRetry(error, job);
        await options.clock.sleep(options.backoffSeconds * 2 ** failures++);
      }
    }
  } finally {
    clearTimeout(timer);
    overtime.close();
  }
}

/**
 * What the session says of a job that is over its time. A microVM or a workspace that was replaced is that, in any case. Where nobody was there to
 * see, such as while Step Functions waited with the next call, the record of an end is believed, and within the timeout by what it says.
 */
function isBelieved({ state, detail }: JobEnd, watched: boolean): boolean {
  if (state === 'LOST') return detail !== 'supervisor';
  return !watched && (state === 'EXITED' || state === 'TIMED_OUT');
}

/** By the driver's clock. */
function secondsOf(request: RunRequest, overtime: Overtime, options: RunJobOptions): number {
  return request.timeoutSeconds + Math.max(0, Math.round((options.clock.now() - overtime.at!) / 1_000));
}

function broken(last: SessionError): SessionError {
  return new SessionError(ERRORS.BROKEN, `the session answered ${ANSWERS_IN_VAIN} times in a row without a word on the job, last: ${last.summary}`, {
    cause: last, quote: last.quote,
  });
}

/** One call; `undefined` if it was given up: at the deadline, for a fail-fast pattern, or since it has no more to say. */
async function call(
  request: RunRequest, job: FollowedJob, mode: JobMode, beginning: Beginning, overtime: Overtime | undefined, deadline: AbortSignal,
  options: RunJobOptions,
): Promise<JobEnd | undefined> {
  const enough = new AbortController();
  const secondsLeft = Math.min((options.until - options.clock.now()) / 1_000, overtime === undefined ? CANCEL_SECONDS : Infinity);
  const end = await exec(options.client, {
    runtimeArn: request.runtimeArn,
    qualifier: request.qualifier,
    sessionId: request.sessionId,
    ...job.nextCall(mode, secondsLeft),
    replySeconds: REPLY_SECONDS,
    silenceSeconds: options.silenceSeconds ?? SILENCE_SECONDS,
    deadline: AbortSignal.any([deadline, enough.signal, ...(overtime === undefined ? [] : [overtime.signal])]),
    onAnswer: () => beginning.end(),
    onStdout: (text) => {
      job.onStdout(text);
      if (job.seen) overtime?.heard(request.timeoutSeconds, options.overtimeSeconds);
      if (job.paused || (job.matched !== undefined && mode !== 'cancel')) enough.abort();
    },
    onStderr: (text) => job.onStderr(text),
  });
  return end && job.conclude(end);
}
