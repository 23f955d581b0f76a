import { randomUUID } from 'crypto';
import { ERRORS, JOBS_FOLDER, LIMITS, STATUSES, VERDICTS } from './constants';
import { ErrorName, SessionError } from './errors';
import { ExecEnd } from './exec';
import { JobMode, jobCommand, jobId } from './job-command';
import { JobEnd, JobRecord, JobStreamParser } from './job-stream';
import { environmentOf, RunRequest } from './run-request';
import { LineMatcher, Tail } from './tail';
import { LostReason, lostReasonOf, Verdict, verdictOf } from './verdict';
import { normalizeMountPath } from '../mount/constants';

/** What is known of a job. Far below the 256 KiB of a state, whatever the command prints. */
export interface RunResult {
  /** `RUNNING`: ask again, with mode `attach`. */
  readonly status: typeof STATUSES[keyof typeof STATUSES];
  /** Absent while it runs. */
  readonly verdict?: Verdict;
  readonly lostReason?: LostReason;
  /** The command's own; null while it runs and when it is lost. */
  readonly exitCode: number | null;
  /** The pattern that ended it. */
  readonly failFast?: string;
  readonly job: string;
  /** Where the whole output is, in the session. */
  readonly logPath: string;
  readonly outputBytes: number;
  readonly seconds: number;
  /** The end of the output, as text. */
  readonly tail: string;
  /** Calls that attached to the job again. */
  readonly attaches: number;
  /** As it was asked for: whoever attaches needs it again. */
  readonly run: string;
  /** While it runs: when the driver ends it, in milliseconds since the epoch. Whoever attaches gives it back, in `previous`. */
  readonly overtimeAt?: number;
  /** While it runs: the timeout that it was started with, if that is known. */
  readonly timeoutSeconds?: number;
}

/** A budget that the first call has over the job's timeout, to see its end. */
const AFTER_TIMEOUT_SECONDS = 60;
const LONGEST_BUDGET_SECONDS = LIMITS.execSeconds - 10;

/** One job as it is seen through one call after the other: how far its log was read, and what it said. */
export class FollowedJob {
  public readonly id: string;
  /** Whether the session has answered for it: from then on it is not started again. */
  public seen = false;
  public matched?: string;
  /** Calls in a row that the session brought to their end, without a word on how the job stands. */
  public inVain = 0;
  private readonly tail: Tail;
  private readonly matcher: LineMatcher;
  private offset = 0;
  private calls = 0;
  private nonce = '';
  private parser?: JobStreamParser;
  private end?: JobEnd;
  private complaints = '';
  /** Whether the job's timeout is the one of the request: a run that is about to end may ask with less than it started the job with. */
  private timeoutIsKnown: boolean;

  constructor(private readonly request: RunRequest) {
    this.id = jobId(request.run, request.round ?? 0, request.name);
    this.tail = new Tail(request.tailBytes ?? LIMITS.tailBytes.default);
    this.matcher = new LineMatcher(request.failFast ?? []);
    this.timeoutIsKnown = request.mode === 'attach' || this.previous?.timeoutSeconds !== undefined;
  }

  /** What an earlier invocation said of this job. */
  public get previous(): RunRequest['previous'] {
    return this.request.previous?.job === this.id ? this.request.previous : undefined;
  }

  /** The next call: what to send, and for how long it may take. */
  public nextCall(mode: JobMode, secondsLeft: number): { readonly command: string; readonly timeoutSeconds: number } {
    const { request } = this;
    // The first call stays with the job, even if we do not: the service may end what a call leaves behind.
    const wanted = mode === 'start' ? request.timeoutSeconds + AFTER_TIMEOUT_SECONDS : Math.ceil(secondsLeft);
    const budgetSeconds = Math.max(1, Math.min(wanted, LONGEST_BUDGET_SECONDS));
    this.calls++;
    this.nonce = randomUUID();
    this.parser = new JobStreamParser(this.id, this.nonce);
    this.end = undefined;
    this.complaints = '';
    const command = jobCommand({
      mode,
      job: this.id,
      nonce: this.nonce,
      mount: request.mount,
      command: request.command,
      words: request.words,
      prologue: request.prologue,
      workingDirectory: request.workingDirectory ?? request.mount,
      environment: environmentOf(request),
      input: request.input,
      timeoutSeconds: request.timeoutSeconds,
      budgetSeconds,
      offset: this.offset,
      logBytes: request.logBytes ?? LIMITS.logBytes.default,
      marker: request.marker,
    });
    return { command, timeoutSeconds: Math.min(budgetSeconds + 10, LIMITS.execSeconds) };
  }

  public onStdout(text: string): void {
    for (const record of this.records(text)) {
      if (record.kind !== 'job') this.inVain = 0;
      if (this.end) throw new SessionError(ERRORS.STREAM_CUT, 'the session said more after the end of the job');
      switch (record.kind) {
        case 'job':
          this.seen = true;
          this.timeoutIsKnown ||= !record.attached;
          break;
        case 'out':
          this.read(record.offset, record.data);
          break;
        case 'end':
          this.end = record;
          break;
      }
    }
  }

  /** Only what goes wrong in the protocol itself comes here; the command's own is in its log. */
  public onStderr(text: string): void {
    this.complaints = (this.complaints + text).slice(-1_000);
  }

  /** Whether the call has said that it has no more to say, and the job goes on. */
  public get paused(): boolean {
    return this.end?.state === 'RUNNING';
  }

  /** What a call that came to its end has proven. Fails if that is nothing. */
  public conclude(exec: ExecEnd): JobEnd {
    const { end } = this;
    const fault = (name: ErrorName, what: string) => new SessionError(name, what, { quote: this.complaints.trim() });
    const exit = `(exit code ${exec.exitCode}, ${exec.status})`;
    if (exec.exitCode === -1) throw fault(ERRORS.SERVER, `the service could not run the command ${exit}`);
    if (!end && (exec.exitCode === 126 || exec.exitCode === 127)) throw fault(ERRORS.CONTAINER, `the container has no /bin/bash ${exit}`);
    if (!end) this.inVain++;
    if (!end) throw fault(ERRORS.STREAM_CUT, `the call ended without a word on the job ${exit}`);
    if (exec.exitCode !== 0) throw fault(ERRORS.STREAM_CUT, `the call failed after the end of the job ${exit}`);
    if (end.state === 'REFUSED') throw fault(end.detail === 'tools' ? ERRORS.BROKEN : ERRORS.VALIDATION, `the session refused the job (${end.detail})`);
    if (end.state !== 'RUNNING') this.matched ??= this.matcher.end();
    return end;
  }

  public running(overtimeAt?: number): RunResult {
    return {
      ...this.result({ status: STATUSES.RUNNING, exitCode: null, outputBytes: this.offset, seconds: 0 }),
      ...(overtimeAt === undefined ? {} : { overtimeAt }),
      ...(this.timeoutIsKnown ? { timeoutSeconds: this.request.timeoutSeconds } : {}),
    };
  }

  /** Over its time by the driver's clock, whatever the session says of it. */
  public late(end: JobEnd | undefined, seconds: number): RunResult {
    return this.result({
      status: STATUSES.ENDED,
      verdict: this.matched === undefined ? VERDICTS.TIMED_OUT : VERDICTS.FAILED,
      ...(this.matched === undefined ? {} : { failFast: this.matched }),
      exitCode: end?.exitCode ?? null,
      outputBytes: end?.bytes ?? this.offset,
      seconds,
    });
  }

  public ended(end: JobEnd): RunResult {
    const verdict = this.matched === undefined ? verdictOf(end, this.timeoutIsKnown ? this.request.timeoutSeconds : undefined) : VERDICTS.FAILED;
    const lostReason = lostReasonOf(end);
    return this.result({
      status: STATUSES.ENDED,
      verdict,
      ...(verdict === VERDICTS.LOST && lostReason ? { lostReason } : {}),
      ...(this.matched === undefined ? {} : { failFast: this.matched }),
      exitCode: end.exitCode ?? null,
      outputBytes: end.bytes ?? this.offset,
      seconds: end.end !== undefined && end.begin !== undefined ? Math.max(0, end.end - end.begin) : 0,
    });
  }

  private result(known: Pick<RunResult, 'status' | 'verdict' | 'lostReason' | 'failFast' | 'exitCode' | 'outputBytes' | 'seconds'>): RunResult {
    return {
      ...known,
      job: this.id,
      logPath: `${normalizeMountPath(this.request.mount)}/${JOBS_FOLDER}/${this.id}/log`,
      tail: this.request.isOurs ? this.tail.unmasked() : this.tail.text(),
      attaches: Math.max(0, this.calls - 1),
      run: this.request.run,
    };
  }

  private records(text: string): JobRecord[] {
    try {
      return this.parser!.push(text);
    } catch (error) {
      this.inVain++;
      throw error;
    }
  }

  private read(offset: number, data: Buffer): void {
    const known = this.offset - offset; // bytes that an earlier call had brought
    if (known >= data.length) return;
    const fresh = known > 0 ? data.subarray(known) : data;
    if (known < 0) this.tail.push(Buffer.from(`\n[${-known} bytes of output were not kept]\n`));
    this.offset = offset + data.length;
    this.tail.push(fresh);
    this.matched ??= this.matcher.push(fresh);
  }
}
