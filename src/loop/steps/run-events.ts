import { LOOP_ERRORS, NEXT, OUTCOMES, STEPS } from './constants';
import { keepingTime } from './keeping-time';
import { LoopRequest } from './loop-request';
import { Feedback, RunRecord } from './records';
import { defined } from './results';
import { causeOf } from './run-failure';
import { isBeforeItsTurn } from './run-record';
import { LoopState, RunIdentity } from './state';
import { StepTools } from './step';
import type { cleanUp, CleanUpRequest, StopResult } from './stop';
import { counted } from '../../handler/counted';
import { RUN_EVENT_VERSION, RUN_EVENTS } from '../../operate/constants';

/** The detail of an event of a run. docs/operating.md has it as a table. */
export interface RunEventDetail {
  /** The version of this interface. */
  readonly version: typeof RUN_EVENT_VERSION;
  /** The path of the loop in its app, as in the dimension `Loop` of metrics. */
  readonly loop: string;
  /** The ARN of the loop's state machine. */
  readonly stateMachineArn: string;
  /** The ARN of the execution. */
  readonly execution: string;
  /** The name of the execution. */
  readonly executionName: string;
  /** The `taskId` of the input; empty if it cannot be read. */
  readonly taskId: string;
  /** The heading of a message, on one line. */
  readonly title: string;
  /** One or two lines of plain text. */
  readonly message: string;
  /** The session that the run works in. */
  readonly sessionId?: string;
  /** The number of the round, from 1. Only in the event of a round. */
  readonly round?: number;
  /** The number of turns. Only in the last event of a run. */
  readonly rounds?: number;
  /** The outcome of the record, or `ABORTED` or `TIMED_OUT` if Step Functions ended the run. For a round that leads to another one, `REPAIR`. */
  readonly outcome?: string;
  /** The gate that did not pass. Only in the event of a round. */
  readonly gate?: string;
  /** The record. Only of a run that has ended by itself. The record is shortened as the cause of a failed execution is if it is too long. */
  readonly record?: RunRecord;
}

type CleanedUp = Awaited<ReturnType<typeof cleanUp>>;
type Told = Omit<RunEventDetail, 'version' | 'loop' | 'stateMachineArn' | 'execution' | 'executionName'>;

/** The maximum size of a record in an event, in bytes: an entry has at most 256 KB, and targets such as SNS no more. */
const RECORD_BYTES = 200_000;

/** The maximum length of a `taskId` in an event, in characters: longer ones are refused. */
const TASK_LENGTH = 200;

/** The timeout of a request, in seconds, and the number of tries, with waits of 1 and 2 times the back-off. */
const REQUEST_SECONDS = 5;
const TRIES = 3;

/** Sends the events of runs to a bus, each at least once unless the bus cannot be reached. A failure is logged, and never fails a run. */
export class RunEventSender {
  constructor(private readonly loop: string, private readonly bus: string, private readonly tools: StepTools) {}

  /** Sends the event of a step that succeeded, if it has one. */
  public async after(request: LoopRequest, result: object): Promise<void> {
    switch (request.operation) {
      case STEPS.PREPARE: return this.send(request.execution, 'STARTED', started(result as { readonly run: RunIdentity }));
      case STEPS.SNAPSHOT:
      case STEPS.GATE:
      case STEPS.VERIFY: {
        const { next, feedback, round } = result as LoopState;
        const { run } = request.state;
        return next === NEXT.REPAIR ? this.send(request.execution, 'ROUND', repaired(run, round, feedback)) : undefined;
      }
      case STEPS.STOP: {
        const { output } = result as StopResult;
        // The round before a turn that was refused has had its event.
        if (output.rounds > 0 && !isBeforeItsTurn(output.error)) await this.send(request.execution, 'ROUND', lastRound(output));
        return this.send(request.execution, 'FINISHED', finished(output));
      }
      case STEPS.CLEAN_UP: return this.afterCleanUp(request, result as CleanedUp);
      default: return undefined;
    }
  }

  /** Sends the end of a run that was refused. The message of the error is its record. */
  public async failed(request: LoopRequest, { message }: Error): Promise<void> {
    if (request.operation !== STEPS.PREPARE || !message.startsWith('{"outcome":')) return;
    await this.send(request.execution, 'FINISHED', finished(JSON.parse(message) as RunRecord));
  }

  private async afterCleanUp({ detail }: CleanUpRequest, { status, sessionId }: CleanedUp): Promise<void> {
    if (sessionId === undefined) return; // the run ended by itself, or was redriven
    const { executionArn, input, status: ended } = detail;
    const outcome = ended === 'FAILED' ? LOOP_ERRORS.FAILED : ended;
    const taskId = taskIdIn(input);
    const title = `${nameOf(taskId)}: ${outcome}`;
    const message = `Step Functions ended the run${detail.error ? ` (${plain(detail.error, 100)})` : ''}. Its session: ${plain(status, 200)}.`;
    await this.send(executionArn, 'FINISHED', { taskId, title, message, sessionId: sessionId || undefined, outcome });
  }

  private async send(execution: string, type: keyof typeof RUN_EVENTS.types, told: Told): Promise<void> {
    const stateMachineArn = execution.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, '');
    const executionName = execution.split(':').pop()!;
    // An input that was refused may have a text of any length there.
    const taskId = told.taskId.slice(0, TASK_LENGTH);
    const detail: RunEventDetail = { version: RUN_EVENT_VERSION, loop: this.loop, stateMachineArn, execution, executionName, ...told, taskId };
    await this.put({
      Time: Math.floor(this.tools.clock.now() / 1_000),
      Source: RUN_EVENTS.source,
      DetailType: RUN_EVENTS.types[type],
      Resources: [execution, stateMachineArn],
      Detail: JSON.stringify(detail),
      EventBusName: this.bus,
    });
  }

  private timeout(): AbortSignal {
    return AbortSignal.timeout(Math.min(keepingTime(this.tools), REQUEST_SECONDS * 1_000));
  }

  private async put(entry: PutEventsEntry): Promise<void> {
    const { requestsOf, clock, backoffSeconds, log } = this.tools;
    for (let failures = 1; ; failures++) {
      try {
        const reply = await requestsOf!('events').json<PutEventsReply>('1.1', 'AWSEvents.PutEvents', { Entries: [entry] }, this.timeout());
        const refused = reply.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
        if (refused === undefined && !reply.FailedEntryCount) return;
        throw Object.assign(new Error(refused?.ErrorMessage ?? ''), { name: refused?.ErrorCode ?? 'FailedEntry' });
      } catch (error) {
        const isFinal = NEVER.includes((error as Error).name) || keepingTime(this.tools) === 0;
        if (!isFinal && failures < TRIES) {
          await clock.sleep(backoffSeconds * 2 ** (failures - 1));
          continue;
        }
        log?.('event not sent', { detailType: entry.DetailType, error: (error as Error).name });
        return;
      }
    }
  }
}

/** Errors that are not transient. */
const NEVER = ['AccessDeniedException', 'ResourceNotFoundException', 'ValidationException', 'NotAuthorizedForSourceException'];

interface PutEventsEntry {
  readonly Time: number;
  readonly Source: string;
  readonly DetailType: string;
  readonly Resources: readonly string[];
  readonly Detail: string;
  readonly EventBusName: string;
}

interface PutEventsReply {
  readonly FailedEntryCount?: number;
  readonly Entries?: readonly { readonly ErrorCode?: string; readonly ErrorMessage?: string }[];
}

function started({ run: { taskId, session } }: { readonly run: RunIdentity }): Told {
  const begun = session.workspace === 'RESUMED' ? 'continues in its workspace' : 'started';
  return { taskId, title: `${nameOf(taskId)}: started`, message: `The run of ${nameOf(taskId)} ${begun}.`, sessionId: session.id };
}

function repaired({ taskId, session }: RunIdentity, round: number, feedback: Feedback | undefined): Told {
  const why = feedback === undefined ? 'the change has to be repaired' : `${whatFailed(feedback)}`;
  const title = `${nameOf(taskId)}: round ${round} needs a repair`;
  return { taskId, title, message: `Round ${round} of ${nameOf(taskId)}: ${why}.`, sessionId: session.id, round, outcome: NEXT.REPAIR, ...defined({ gate: feedback?.gate }) };
}

function whatFailed({ gate, verdict, exitCode, cleanCheckout, failingTests }: Feedback): string {
  const tests = failingTests === undefined ? '' : `: ${plain(failingTests.slice(0, 3).join(', '), 200)}`;
  const code = exitCode === null ? '' : ` with exit code ${exitCode}`;
  return `"${gate}" ended as ${verdict}${code}${cleanCheckout ? ' in a clean checkout' : ''}${tests}`;
}

function lastRound(output: RunRecord): Told {
  const { taskId, rounds, outcome, session, feedback } = output;
  const { title, message } = finished(output);
  const gate = outcome === LOOP_ERRORS.RED || outcome === LOOP_ERRORS.STUCK ? feedback?.gate : undefined;
  return { taskId, title, message, sessionId: session.id, round: rounds, outcome, ...defined({ gate }) };
}

function finished(output: RunRecord): Told {
  const { taskId, outcome, rounds, session } = output;
  return { taskId, title: `${nameOf(taskId)}: ${wordOf(output)}`, message: messageOf(output), sessionId: session.id, rounds, outcome, record: shortened(output) };
}

function wordOf({ outcome }: RunRecord): string {
  switch (outcome) {
    case OUTCOMES.COMMITTED: return 'committed';
    case OUTCOMES.NO_CHANGES: return 'nothing to change';
    default: return plain(outcome, 100);
  }
}

function messageOf({ outcome, taskId, rounds, commit, pullRequest, error, session, verified }: RunRecord): string {
  const how = `after ${counted(rounds, 'round')}`;
  const left = session.stopped || session.error === undefined ? '' : ` Its session was not stopped: ${plain(session.error, 200)}.`;
  if (outcome === OUTCOMES.NO_CHANGES) return `All gates of ${nameOf(taskId)} passed, and the agent changed nothing.${left}`;
  if (outcome === OUTCOMES.COMMITTED && commit !== undefined) {
    const where = pullRequest?.url === undefined ? `${plain(commit.branch, 200)} (${commit.id.slice(0, 12)})` : plain(pullRequest.url, 300);
    return `${nameOf(taskId)} is committed ${how}${verified ? ' and verified' : ''}: ${where}.${left}`;
  }
  return `${nameOf(taskId)} failed ${how}: ${plain(error?.message ?? outcome, 500)}${left}`;
}

function nameOf(taskId: string): string {
  return taskId === '' ? 'a task without a name' : plain(taskId, 100);
}

/** Returns text on one line, without characters that hide the text after them, mention people in a chat or make a link of other words. */
function plain(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Noncharacter_Code_Point}\u2028\u2029\s]+/gu, ' ').replace(/</g, '‹').replace(/>/g, '›').replace(/\](?=[([])/g, '] ').trim();
  const characters = [...line];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}

function shortened(output: RunRecord): RunRecord {
  const isLong = Buffer.byteLength(JSON.stringify(output)) > RECORD_BYTES;
  return isLong ? JSON.parse(causeOf(output)) as RunRecord : output;
}

function taskIdIn(input: string | null | undefined): string {
  try {
    const { taskId } = JSON.parse(input ?? '') as { readonly taskId?: unknown };
    return typeof taskId === 'string' ? taskId : '';
  } catch {
    return '';
  }
}
