import { randomUUID } from 'crypto';
import { ERRORS, JOBS_FOLDER, LIMITS, STATUSES, VERDICTS } from './constants';
import { ErrorName, SessionError } from './errors';
import { ExecEnd } from './exec';
import { Job, jobId, JobResult, lostReasonOf, verdictOf } from './job';
import { JobMode, jobCommand } from './job-command';
import { JobEnd, JobRecord, JobStreamParser } from './job-stream';
import { LineMatcher, Tail } from './tail';
import { normalizeMountPath } from '../mount/constants';

/** The budget of the first call beyond the job's timeout, to see its end. */
const AFTER_TIMEOUT_SECONDS = 60;
const LONGEST_BUDGET_SECONDS = LIMITS.execSeconds - 10;

/** A job as the driver sees it through successive calls: the part of the log that was read, and the last state. */
export class FollowedJob {
  public readonly id: string;
  /** Determines whether the session has answered for the job: from then on, the job is not started again. */
  public seen = false;
  public matched?: string;
  /** Consecutive calls that the session ended without telling the state of the job. */
  public inVain = 0;
  private readonly tail: Tail;
  private readonly matcher: LineMatcher;
  private offset = 0;
  private calls = 0;
  private nonce = '';
  private parser?: JobStreamParser;
  private end?: JobEnd;
  private complaints = '';
  /** Determines whether the job was started with the timeout of the request: a run that is about to end may attach with a shorter one. */
  private timeoutIsKnown: boolean;

  constructor(private readonly request: Job, private readonly onOutput?: (data: Buffer, offset: number) => void) {
    this.id = jobId(request.run, request.round ?? 0, request.name, request.key);
    this.tail = new Tail(request.tailBytes ?? LIMITS.tailBytes.default);
    this.matcher = new LineMatcher(request.failFast ?? []);
    this.timeoutIsKnown = request.mode === 'attach' || this.previous?.timeoutSeconds !== undefined;
  }

  /** The result of an earlier invocation for this job. */
  public get previous(): Job['previous'] {
    return this.request.previous?.job === this.id ? this.request.previous : undefined;
  }

  /** Returns the text and the timeout of the next call. */
  public nextCall(mode: JobMode, secondsLeft: number): { readonly command: string; readonly timeoutSeconds: number } {
    const { request } = this;
    // The first call lasts as long as the job, even if the driver does not: the service may terminate what a call leaves running.
    const wanted = mode === 'start' ? request.timeoutSeconds + AFTER_TIMEOUT_SECONDS : Math.ceil(secondsLeft);
    const budgetSeconds = Math.max(1, Math.min(wanted, LONGEST_BUDGET_SECONDS));
    this.calls++;
    this.nonce = randomUUID();
    this.parser = new JobStreamParser(this.id, this.nonce);
    this.end = undefined;
    this.complaints = '';
    const command = jobCommand({ ...request, mode, job: this.id, nonce: this.nonce, budgetSeconds, offset: this.offset });
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

  /** Reads standard error, which holds failures of the protocol itself; that of the command is in its log. */
  public onStderr(text: string): void {
    this.complaints = (this.complaints + text).slice(-1_000);
  }

  /** Determines whether the call has ended while the job continues. */
  public get paused(): boolean {
    return this.end?.state === 'RUNNING';
  }

  /** Returns the state that a completed call proves. Fails if the call proves nothing. */
  public conclude(exec: ExecEnd): JobEnd {
    const { end } = this;
    const fault = (name: ErrorName, what: string) => new SessionError(name, what, { quote: this.complaints.trim() });
    const exit = `(exit code ${exec.exitCode}, ${exec.status})`;
    if (exec.exitCode === -1) throw fault(ERRORS.SERVER, `the service could not run the command ${exit}`);
    if (!end && (exec.exitCode === 126 || exec.exitCode === 127)) throw fault(ERRORS.CONTAINER, `the container has no /bin/bash ${exit}`);
    if (!end) this.inVain++;
    if (!end) throw fault(ERRORS.STREAM_CUT, `the call ended without the state of the job ${exit}`);
    if (exec.exitCode !== 0) throw fault(ERRORS.STREAM_CUT, `the call failed after the end of the job ${exit}`);
    if (end.state === 'REFUSED') throw fault(end.detail === 'tools' ? ERRORS.BROKEN : ERRORS.VALIDATION, `the session refused the job (${end.detail})`);
    if (end.state !== 'RUNNING') this.matched ??= this.matcher.end();
    return end;
  }

  public running(overtimeAt?: number): JobResult {
    return {
      ...this.result({ status: STATUSES.RUNNING, exitCode: null, outputBytes: this.offset, seconds: 0 }),
      ...(overtimeAt === undefined ? {} : { overtimeAt }),
      ...(this.timeoutIsKnown ? { timeoutSeconds: this.request.timeoutSeconds } : {}),
    };
  }

  /** Returns the result of a job that is over its time by the driver's clock, whatever the session says. */
  public late(end: JobEnd | undefined, seconds: number): JobResult {
    return this.result({
      status: STATUSES.ENDED,
      verdict: this.matched === undefined ? VERDICTS.TIMED_OUT : VERDICTS.FAILED,
      ...(this.matched === undefined ? {} : { failFast: this.matched }),
      exitCode: end?.exitCode ?? null,
      outputBytes: end?.bytes ?? this.offset,
      seconds,
    });
  }

  public ended(end: JobEnd): JobResult {
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

  private result(known: Pick<JobResult, 'status' | 'verdict' | 'lostReason' | 'failFast' | 'exitCode' | 'outputBytes' | 'seconds'>): JobResult {
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
    const known = this.offset - offset; // bytes that an earlier call returned
    if (known >= data.length) return;
    const fresh = known > 0 ? data.subarray(known) : data;
    if (known < 0) this.tail.push(Buffer.from(`\n[${-known} bytes of output were not kept]\n`));
    this.offset = offset + data.length;
    this.tail.push(fresh);
    this.onOutput?.(fresh, this.offset - fresh.length);
    this.matched ??= this.matcher.push(fresh);
  }
}
