import { afterFailure } from './after-failure';
import { jobNameOf, LOOP_ERRORS, NEXT, STEPS } from './constants';
import type { LoopError } from './errors';
import { LoopRequest } from './loop-request';
import { ArtifactsRecord } from './operate-records';
import { maskedBytes, OutputCollector } from './output-collector';
import { RunRecord } from './records';
import { defined } from './results';
import { endOfName, RunFiles, safeName } from './run-files';
import { patchOf } from './run-patch';
import { outputOf } from './run-record';
import { DEFAULT_ENDPOINT } from './sessions';
import { LoopState, RunIdentity } from './state';
import { KeptOutput, StepRequest, StepTools } from './step';
import { CleanUpRequest, StopRequest, StopResult } from './stop';
import { STATUSES, VERDICTS } from '../../jobs/constants';
import { isTransient, typedError } from '../../jobs/errors';
import { ARTIFACTS, OperateConfig } from '../../operate/constants';

type Reports = Parameters<NonNullable<StepTools['keepReports']>>[2];

/** The maximum number of reports of a gate that are written, each as a file. */
const REPORTS = 100;

/** The number of files that are written at once. */
const AT_ONCE = 8;

/** The timeout of a request to Step Functions, in seconds, and the number of tries, with waits of 1, 2 and 4 times the back-off. */
const ASK_SECONDS = 10;
const ASK_TRIES = 4;

/** The time that a call must have left to read a history, in milliseconds: the tries of a request, and the uploads. */
const TELLING_TIME = 60_000;

/** The part that writes stories and reports, `src/journal/run-story.ts`. */
interface RunTeller {
  tellRun(
    execution: string, ask: (operation: string, parameters: object) => Promise<never>, known: object, isLate: () => boolean,
  ): Promise<{ readonly story: string; readonly report: string; readonly state?: unknown } | undefined>;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Writes the files of a run to its bucket while the run is in progress. It never fails. */
export class RunArtifacts {
  private readonly files: RunFiles;
  private telling?: Promise<void>;

  constructor(place: NonNullable<OperateConfig['artifacts']>, private readonly request: LoopRequest, private readonly tools: StepTools) {
    const execution = 'detail' in request ? request.detail.executionArn : request.execution;
    this.files = new RunFiles(place, execution, tools);
  }

  /** Returns the writers for the outputs of a step's commands. */
  public get hooks(): Pick<StepTools, 'keep' | 'keepReports'> {
    return { keep: (request, name) => this.keep(request, name), keepReports: (request, gate, reports) => this.keepReports(request, gate, reports) };
  }

  /** Writes the story so far during a turn that repairs: by then, the history contains all rounds before it. */
  public before(): void {
    const { request } = this;
    if (request.operation !== STEPS.TURN || request.state.loop.round === 0 || request.state.loop.previous !== undefined) return;
    this.telling = this.tell(request.execution, {}).then(() => undefined);
  }

  /** Writes the files of a step that succeeded. Returns its result, in which a record names the location of the files. */
  public async after(result: object): Promise<object> {
    const { request } = this;
    await this.telling;
    if (request.operation === STEPS.CLEAN_UP) return this.afterCutOff(request, result as { readonly status: string; readonly sessionId?: string });
    if (request.operation === STEPS.STOP) return this.atEnd(request, result as StopResult);
    const state = { ...request.state, ...'next' in result ? { loop: result as LoopState } : result } as Progress;
    if (state.loop.next === NEXT.RUNNING) return result;
    if (request.operation === STEPS.SNAPSHOT) await this.keepPatch(request, state.loop);
    await this.putRecord(progressOf(state));
    return result;
  }

  /** Writes the record of a run that was refused, which is the message of the error. Returns the error with the location of the files. */
  public async failed(error: Error): Promise<Error | undefined> {
    await this.telling;
    if (this.request.operation !== STEPS.PREPARE || !isRecorded(error) || !error.message.startsWith('{"outcome":')) return undefined;
    const record = await this.finished(JSON.parse(error.message) as RunRecord);
    return error.recordedAs(JSON.stringify(record));
  }

  private async atEnd(request: StopRequest, result: StopResult): Promise<StopResult> {
    const output = await this.finished(result.output);
    const { failure } = result;
    const ended = { ...result, output, failure: failure.name === '' ? failure : { ...failure, cause: afterFailure().causeOf(output) } };
    const { name, cause } = ended.failure;
    await this.tell(request.execution, {
      stopDate: this.tools.clock.now() / 1_000,
      ...(name === '' ? { status: 'SUCCEEDED', output: JSON.stringify(output) } : { status: 'FAILED', error: name, cause }),
    });
    return ended;
  }

  /** Writes the record of a run that Step Functions ended, from the last state in its history. */
  private async afterCutOff({ detail }: CleanUpRequest, result: { readonly status: string; readonly sessionId?: string }): Promise<object> {
    if (result.sessionId === undefined) return result; // the run ended by itself, or was redriven
    const state = await this.tell(detail.executionArn, {}) as Progress | undefined;
    if (state === undefined) return result;
    const stopped = result.status === 'STOPPED' || result.status === 'ALREADY_STOPPED';
    const record = progressOf(state);
    const outcome = detail.status === 'FAILED' ? LOOP_ERRORS.FAILED : detail.status;
    await this.putRecord({ ...record, outcome, session: { ...record.session, stopped }, artifacts: this.place });
    return result;
  }

  /** Writes the story and the report of the run from the history of its execution. Returns the last state in it. */
  private async tell(execution: string, known: object): Promise<unknown> {
    const { until, clock, log } = this.tools;
    const isLate = () => until - clock.now() < TELLING_TIME;
    try {
      if (isLate()) return undefined;
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- the part imports the steps, so an import here would be a circle
      const { tellRun } = require('./run-story') as RunTeller;
      const told = await tellRun(execution, (operation, parameters) => this.ask(operation, parameters), known, isLate);
      if (told === undefined) return undefined;
      await this.files.put(ARTIFACTS.STORY, told.story, TEXT);
      await this.files.put(ARTIFACTS.REPORT, told.report, 'text/html; charset=utf-8');
      return told.state;
    } catch (error) {
      log?.('artifact not kept', { name: ARTIFACTS.STORY, error: (error as Error).name });
      return undefined;
    }
  }

  /** Asks Step Functions, which throttles the requests of many runs that end at once. */
  private async ask(operation: string, parameters: object): Promise<never> {
    const { requestsOf, clock, backoffSeconds } = this.tools;
    for (let failures = 1; ; failures++) {
      try {
        return await requestsOf!('states').json('1.0', `AWSStepFunctions.${operation}`, parameters, AbortSignal.timeout(ASK_SECONDS * 1_000));
      } catch (error) {
        if (failures >= ASK_TRIES || !isTransient(typedError(error))) throw error;
        await clock.sleep(backoffSeconds * 2 ** (failures - 1));
      }
    }
  }

  /** Writes the record of a run that has ended, and returns it with the location of the files. */
  private async finished(output: RunRecord): Promise<RunRecord> {
    await this.putRecord({ ...output, artifacts: this.place });
    return { ...output, artifacts: this.place };
  }

  private get place(): ArtifactsRecord {
    const { bucket, prefix, error } = this.files;
    return { bucket, prefix, ...defined({ error }) };
  }

  private putRecord(record: object): Promise<void> {
    return this.files.put(ARTIFACTS.RECORD, `${JSON.stringify(record, undefined, 2)}\n`, JSON_TYPE);
  }

  /** Returns the writer for the output of a turn, a gate or the bootstrap. Other commands are internal. */
  private keep(request: StepRequest, name: string): KeptOutput | undefined {
    const [, kind, gate = kind] = /^(turn|bootstrap|gate (.*))(?: \d+)?$/.exec(name) ?? [];
    if (kind === undefined) return undefined;
    const { loop } = request.state;
    const file = kind === 'turn' ? `turns/${loop.round + 1}${loop.losses > 0 ? `.again.${loop.losses}` : ''}` : this.nameOf(request, gate, 'gates');
    const collector = new OutputCollector();
    return {
      onOutput: (data, offset) => collector.push(data, offset),
      end: async (result) => {
        const output = collector.output(result.status === STATUSES.RUNNING ? 0 : result.outputBytes);
        // A session that is lost tells nothing more: what an earlier call kept stays.
        if (output.length === 0 && (loop.previous !== undefined || result.verdict === VERDICTS.LOST)) return;
        await this.files.put(`${file}.log`, maskedBytes(output), TEXT);
      },
    };
  }

  private async keepReports(request: StepRequest, gate: string, reports: Reports): Promise<void> {
    const directory = `reports/${this.nameOf(request, gate, '')}`;
    const kept = reports.slice(0, REPORTS);
    if (reports.length > kept.length) this.tools.log?.('reports not kept', { gate, reports: reports.length - kept.length });
    for (let at = 0; at < kept.length; at += AT_ONCE) {
      await Promise.all(kept.slice(at, at + AT_ONCE).map(({ name, xml }, index) => (
        this.files.put(`${directory}/${at + index + 1}-${reportName(name)}`, maskedBytes(xml), 'application/xml')
      )));
    }
  }

  /** Returns the name of a log without its ending: the session if it is not the agent's, the number of the turn from 1, and the command. */
  private nameOf(request: StepRequest, name: string, directory: string): string {
    const { loop } = request.state;
    const { operation } = this.request;
    const last = safeName(jobNameOf(loop, name));
    if (operation === STEPS.BOOTSTRAP) return last;
    if (operation === STEPS.CHECK_BASE) return `base/${last}`;
    const where = operation === STEPS.VERIFY ? 'verification/' : directory === '' ? '' : `${directory}/`;
    return `${where}${loop.baseline ? 0 : loop.round + 1}-${last}`;
  }

  private async keepPatch(request: StepRequest, loop: LoopState): Promise<void> {
    if (loop.tree === undefined || loop.tree === request.state.loop.tree) return;
    try {
      const patch = await patchOf({ ...request, state: { ...request.state, loop } }, this.tools);
      await this.files.put(ARTIFACTS.PATCH, patch, 'text/x-diff');
      // It is kept as it is, since a masked one could not be applied.
      if (!maskedBytes(patch).equals(patch)) this.tools.log?.('the change has text that looks like a secret', { name: ARTIFACTS.PATCH });
    } catch (error) {
      this.files.error ??= (error as Error).name;
      this.tools.log?.('artifact not kept', { name: ARTIFACTS.PATCH, error: (error as Error).name });
    }
  }
}

/** Determines whether an error can carry a record. The driver's class of it is another one than this part's. */
function isRecorded(error: Error): error is LoopError {
  return 'recordedAs' in error;
}

interface Progress {
  readonly taskId: string;
  readonly run: RunIdentity;
  readonly loop: LoopState;
}

/** Returns the record of a run that has not ended. */
function progressOf(state: Progress): Omit<RunRecord, 'error'> {
  const session = { endpointName: DEFAULT_ENDPOINT, ...state.run.session, stopped: false };
  const { error: _, outcome: __, feedback: ___, ...record } = outputOf(state, session);
  return { outcome: NEXT.RUNNING, ...record, verified: false, ...defined({ feedback: state.loop.feedback }) };
}

/** Returns the name of a report's file, which `printf %q` may have quoted. */
function reportName(path: string): string {
  return endOfName(safeName(path.split('/').pop()!.replace(/\\/g, '')), 100);
}
