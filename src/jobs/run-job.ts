import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS, LIMITS } from './constants';
import { isTransient, SessionError, SilenceError } from './errors';
import { exec } from './exec';
import { FollowedJob } from './followed-job';
import { checkJob, Job, JobResult } from './job';
import { JobMode } from './job-command';
import { JobEnd } from './job-stream';
import { Clock } from '../handler/clock';

/**
 * The maximum number of consecutive retries within one invocation of the driver: after 1, 2, 4, 8 and 16 times the back-off, 31 s in all. A
 * state machine's `Retry` continues from there.
 */
const TRIES_IN_A_ROW = 5;

/** The number of consecutive answers without the state of the job after which the session is broken: the pauses between them take 3 s. */
const ANSWERS_IN_VAIN = 3;

/** The budget of a call that ends a job, in seconds: the session has 10 between TERM and KILL, and kills the supervisor after 20 more. */
const CANCEL_SECONDS = 40;

/** The maximum number of retries of such a call: the verdict is known without it. */
const CANCEL_TRIES = 2;

/** The maximum silence of a call: three times the 20 seconds after which the session prints that it is alive. */
const SILENCE_SECONDS = 60;

/** The timeout of the first reply: a microVM has two minutes to start (AgentCore developer guide, "how it works"). */
const REPLY_SECONDS = 150;

export interface RunJobOptions {
  readonly client: BedrockAgentCoreClient;
  readonly clock: Clock;
  /** The end of the invocation, in milliseconds since the epoch. A job that takes longer is left running. */
  readonly until: number;
  readonly backoffSeconds: number;
  /** @default 60 */
  readonly silenceSeconds?: number;
  /** The time beyond a job's timeout after which the driver ends the job. @default 45 */
  readonly overtimeSeconds?: number;
  /** Called with each new part of the output, and the number of bytes before it. Parts that the session did not keep are missing. */
  readonly onOutput?: (data: Buffer, offset: number) => void;
  /** Called for every call that failed and is repeated. */
  readonly onRetry: (error: SessionError, job: FollowedJob) => void;
}

/**
 * Runs a command in a session, at most once, and follows it until it ends or the time is up.
 *
 * A call that fails is repeated. Until the session has answered for the job, a call starts or finds it; all later calls only attach, so that the
 * command does not run twice if the workspace is wiped in between. Before the first answer, records on ephemeral disk prevent a second start,
 * unless the microVM is replaced too: then there is no trace of the first start. The marker of the workspace rules that out.
 *
 * A job that is over its time by the driver's own clock is ended, and is `TIMED_OUT` whatever the session says.
 */
export async function runJob(request: Job, options: RunJobOptions): Promise<JobResult> {
  checkJob(request);
  const job = new FollowedJob(request, options.onOutput);
  const overtime = new Overtime(options.clock, job.previous?.overtimeAt);
  // If the time was up before this invocation, it is unknown whether the job was still running then.
  const watched = !overtime.isOver;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.max(0, options.until - options.clock.now()));
  const running = () => job.running(overtime.at);
  // An earlier call started the job that this one attaches to.
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
          // The state machine would start again after an error; from now on, it must only attach.
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
 * Determines whether to believe the session about a job that is over its time. A replaced microVM or workspace is always believed. The record of an
 * end is believed if the driver was away, for example while Step Functions waited before the next call.
 */
function isBelieved({ state, detail }: JobEnd, watched: boolean): boolean {
  if (state === 'LOST') return detail !== 'supervisor';
  return !watched && (state === 'EXITED' || state === 'TIMED_OUT');
}

/** Returns the seconds of a late job by the driver's clock. */
function secondsOf(request: Job, overtime: Overtime, options: RunJobOptions): number {
  return request.timeoutSeconds + Math.max(0, Math.round((options.clock.now() - overtime.at!) / 1_000));
}

function broken(last: SessionError): SessionError {
  return new SessionError(ERRORS.BROKEN, `the session answered ${ANSWERS_IN_VAIN} times in a row without the state of the job, last: ${last.summary}`, {
    cause: last, quote: last.quote,
  });
}

/** Makes one call. Returns `undefined` if the call is given up: at the deadline, for a fail-fast pattern, or after its last record. */
async function call(
  request: Job, job: FollowedJob, mode: JobMode, beginning: Beginning, overtime: Overtime | undefined, deadline: AbortSignal,
  options: RunJobOptions,
): Promise<JobEnd | undefined> {
  const enough = new AbortController();
  const secondsLeft = Math.min((options.until - options.clock.now()) / 1_000, overtime === undefined ? CANCEL_SECONDS : Infinity);
  const end = await exec(options.client, {
    runtimeArn: request.runtimeArn,
    qualifier: request.qualifier,
    sessionId: request.sessionId,
    baggage: request.baggage,
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

/** The maximum wait: after 1, 2, 4, 8 and then 15 times the back-off each, up to `LIMITS.beginningSeconds` in all. */
const LONGEST_WAIT = 15;

/**
 * Waits for a new session. Its container may fail to start for up to two minutes, for example while the image is pulled for the first time.
 *
 * Failures of the container are retried for three minutes from the first, until the session has answered. After its first answer, a failure of
 * the container is final.
 */
export class Beginning {
  private failures = 0;
  private waited = 0;
  private since?: number;

  /** @param answered determines whether the session is known to have answered */
  constructor(private answered: boolean, private readonly clock: Clock, private readonly backoffSeconds: number) {}

  /** Records that the session has begun to reply. */
  public end(): void {
    this.answered = true;
  }

  /**
   * Returns the seconds to wait before the failed call is repeated, or `undefined` if it is not repeated.
   *
   * @param until the latest time of an answer, in milliseconds since the epoch
   */
  public waitAfter(error: unknown, until: number): number | undefined {
    if (this.answered || !(error instanceof SessionError) || !this.isOfTheBeginning(error)) return undefined;
    const now = this.clock.now();
    this.since ??= now;
    const wait = Math.min(2 ** this.failures++, LONGEST_WAIT);
    this.waited += wait;
    const end = now + wait * this.backoffSeconds * 1_000;
    const patient = this.waited <= LIMITS.beginningSeconds && end <= this.since + LIMITS.beginningSeconds * 1_000;
    return patient && end < until ? wait * this.backoffSeconds : undefined;
  }

  /** Errors of the service have waits of their own, unless they come between failures of the container. */
  private isOfTheBeginning({ name }: SessionError): boolean {
    return name === ERRORS.CONTAINER || (name === ERRORS.SERVER && this.since !== undefined);
  }
}

/**
 * The time beyond a job's timeout after which the driver ends the job, in seconds: 10 between TERM and KILL, and time to write the log and to
 * report the end. It is shorter than the budget of the call that follows the job, which has 60.
 */
const MARGIN_SECONDS = 45;

/**
 * The driver's own clock for a job, which the session cannot change. It starts with the first answer for the job.
 *
 * The session enforces the timeout, and only the session knows how long the command ran. This clock limits how long the driver believes that the
 * command is running.
 */
class Overtime {
  /** Ends the current call when the time is up. */
  private readonly up = new AbortController();
  private timer?: NodeJS.Timeout;
  private end?: number;

  /** @param known the end from an earlier invocation, in milliseconds since the epoch */
  constructor(private readonly clock: Clock, known: number | undefined) {
    if (known !== undefined) this.endAt(known);
  }

  /** Starts the clock, if it is not started yet. */
  heard(timeoutSeconds: number, marginSeconds = MARGIN_SECONDS): void {
    if (this.end === undefined) this.endAt(this.clock.now() + (timeoutSeconds + marginSeconds) * 1_000);
  }

  /** The end in milliseconds since the epoch, or `undefined` if the session has not answered for the job. */
  get at(): number | undefined {
    return this.end;
  }

  get isOver(): boolean {
    return this.end !== undefined && this.clock.now() >= this.end;
  }

  get signal(): AbortSignal {
    return this.up.signal;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private endAt(end: number): void {
    this.end = end;
    const left = end - this.clock.now();
    // A timer is limited to 24 days; a function runs for at most 15 minutes.
    if (left < 1_000_000) this.timer = setTimeout(() => this.up.abort(), Math.max(0, left));
  }
}
