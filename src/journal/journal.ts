import type { ExecutionEvent } from './execution-event';
import { failingTests } from './failing-tests';
import type { LoopDescription } from './loop-description';
import { notesOf } from './notes';
import { NO_OUTPUTS, Outputs, RunSession } from './outputs';
import { messageIn, parsed } from './results';
import type { Step, StepKind, StepRetry } from './step';
import { REPORT_PREFIX } from '../agent/constants';
import { Mask, maskSecrets } from '../handler/mask';
import { JOBS_FOLDER, RETRY_LOG } from '../jobs/constants';
import { jobId } from '../jobs/job';
import { CLONE_FOLDER, GATE_VERDICTS, jobNameOf, NEXT, PASSING, STEPS, VERIFICATION } from '../loop/steps/constants';
import type { GateBefore } from '../loop/steps/records';
import type { LoopState, RunIdentity } from '../loop/steps/state';

/** The parameters that a state passes to the driver. */
interface StepParameters {
  readonly operation?: string;
  readonly timeoutSeconds?: number;
  readonly gate?: { readonly name: string; readonly timeoutSeconds?: number };
}

interface RunState {
  readonly run?: RunIdentity;
  readonly loop?: LoopState;
}

export interface JournalListener {
  /** @param output the end of what the step's command has printed up to now */
  begins(step: Step, output: () => string): void;
  /** Hears of each call of a step that is made again, when it is. */
  retries?(step: Step, retry: StepRetry): void;
  ends(step: Step): void;
}

export interface JournalProps {
  /** The loop of the run. */
  readonly loop: LoopDescription;
  /** Hears of each step. @default - none */
  readonly listener?: JournalListener;
  /** The source of the output of jobs and of the agent. @default - none */
  readonly outputs?: Outputs;
  /** ARN of the execution. */
  readonly execution: () => string;
  /** The session of a run that has not said so yet. */
  readonly session: () => RunSession;
}

/** Bytes of a gate's log in a report. */
const OUTPUT_BYTES = 262_144;

/** The end of a log, for a report, in which what looks like a secret is masked. The log itself stays as it is. */
function endOf(log: string): string {
  return maskSecrets(log.slice(-2 * OUTPUT_BYTES)).slice(-OUTPUT_BYTES);
}

/** The output of an agent without the lines in which it reports to the driver. */
function withoutReports(log: string): string {
  return log.split('\n').filter((line) => !line.startsWith(REPORT_PREFIX)).join('\n');
}

/** Turns the events of an execution into the steps of a run. */
export class Journal {
  readonly steps: Step[] = [];
  /** States in the order in which they were entered. */
  readonly path: string[] = [];
  /** State transitions as Step Functions counts them: retries, too. */
  transitions = 0;
  run?: RunIdentity;
  private began?: number;
  private current?: Step;
  private logged = 0;
  private readonly outputs: Outputs;

  /** @param mask for all that is told; what looks like a secret is masked anyway */
  constructor(private readonly props: JournalProps, private readonly mask: Mask = (value) => value) {
    this.outputs = props.outputs ?? NO_OUTPUTS;
  }

  readonly hear = (event: ExecutionEvent): void => {
    this.began ??= event.timestamp;
    switch (event.type) {
      case 'StateEntered':
        return this.entered(event.state.name, event.state.type, event.timestamp, event.state.input as RunState);
      case 'StateExited':
        return this.exited(event.timestamp, event.state.input as RunState, event.state.output as RunState);
      case 'StateRetried':
        this.transitions += 1;
        if (this.current) this.current.retries += 1;
        delete this.current?.error; // of an execution that had failed, and was redriven
        delete this.current?.log;
        return this.retried({ by: 'Step Functions', error: { name: event.Error ?? '', message: messageIn(event.Cause) } });
      case 'StateFailed':
        return this.failed(event.Error ?? 'no error', messageIn(event.Cause));
    }
  };

  /** A line that the driver logged. */
  hearDriver(line: string): void {
    const { message, error, reason, execution } = (parsed(line) ?? {}) as { readonly [key: string]: unknown };
    if (message !== RETRY_LOG || execution !== this.props.execution()) return;
    this.retried({ by: 'driver', error: { name: String(error), message: String(reason ?? '') } });
  }

  /** Skips what the session has logged before this run. */
  skipLog(): void {
    this.logged = this.outputs.printed(this.props.session(), 0).end;
  }

  private retried(retry: StepRetry): void {
    if (this.current) this.props.listener?.retries?.(this.current, this.mask(retry));
  }

  private failed(name: string, message: string): void {
    const step = this.current;
    if (!step) return;
    step.error = { name, message: this.mask(message) };
    step.log = this.newLog(this.run?.session ?? this.props.session()) || undefined;
    if (step.kind === 'bootstrap' && this.run) step.output = this.jobOutput('bootstrap-');
  }

  private entered(state: string, type: string, timestamp: number, input: RunState): void {
    this.transitions += 1;
    this.path.push(state);
    if (this.current) this.ended(this.current, timestamp); // it failed, and was caught
    if (type !== 'Task') return;
    this.run = input?.run ?? this.run;
    const limitSeconds = this.parametersOf(state).gate?.timeoutSeconds ?? this.parametersOf(state).timeoutSeconds;
    const step: Step = {
      state,
      kind: this.kindOf(state),
      round: input?.loop?.round ?? 0,
      ...limitSeconds === undefined ? {} : { limitSeconds },
      begin: timestamp - this.began!,
      duration: 0,
      retries: 0,
    };
    this.current = step;
    this.steps.push(step);
    this.props.listener?.begins(step, () => this.outputNow(step, input?.loop));
  }

  private exited(timestamp: number, input: RunState, output: RunState): void {
    const step = this.current;
    if (!step) return;
    this.run = output?.run ?? this.run;
    const { loop } = output ?? {};
    step.next = loop?.next;
    if (loop?.next === NEXT.NO_WORK && loop.agentError !== undefined) step.error = this.mask(loop.agentError);
    const move = loop?.branchMoves?.at(-1);
    if (JSON.stringify(move) !== JSON.stringify(input?.loop?.branchMoves?.at(-1))) step.branchMove = move;
    if (step.kind === 'turn' && this.run) step.log = this.props.loop.agentCommand === undefined ? this.newLog(this.run.session) : this.jobOutput(`turn-${step.round}-`);
    if (step.kind === 'gate' && loop && this.run) this.gateEnded(step, loop, input?.loop);
    if (step.kind === 'verify' && loop) this.verificationEnded(step, loop);
    if (step.kind === 'snapshot' && (loop?.next === NEXT.REPAIR || loop?.next === NEXT.STUCK)) step.feedback = loop.feedback;
    if (loop) step.notes = notesOf(step.kind, loop, this.run, input?.loop?.baseline);
    this.ended(step, timestamp);
  }

  private ended(step: Step, timestamp: number): void {
    this.current = undefined;
    step.duration = timestamp - this.began! - step.begin;
    this.props.listener?.ends(step);
  }

  private gateEnded(step: Step, loop: LoopState, before: LoopState | undefined): void {
    const [said, known] = before?.baseline ? [loop.before, before.before] : [loop.gates, before?.gates];
    const record: GateBefore | undefined = (said?.length ?? 0) > (known?.length ?? 0) ? said!.at(-1) : undefined;
    step.verdict = record?.verdict ?? loop.next;
    step.exitCode = record?.exitCode;
    if (record && !PASSING.includes(record.verdict) && !before?.baseline) step.feedback = loop.feedback;
    step.changedFiles = step.feedback?.changedFiles;
    step.output = record && ((record.logPath === undefined ? undefined : this.read(record.logPath)) ?? this.mask(step.feedback?.output));
    if (!PASSING.includes(step.verdict) && step.output !== undefined) step.failingTests = this.failingTests(step);
  }

  private verificationEnded(step: Step, loop: LoopState): void {
    const { feedback } = loop;
    const isFlaky = loop.verification?.gates.some(({ verdict }) => verdict === GATE_VERDICTS.FLAKY);
    if (loop.next === NEXT.GO_ON) step.verdict = loop.unchanged ? undefined : isFlaky ? GATE_VERDICTS.FLAKY : GATE_VERDICTS.PASSED;
    if (loop.next === NEXT.GO_ON || loop.next === NEXT.RUNNING || !feedback?.cleanCheckout) return;
    step.verdict = feedback.verdict;
    step.exitCode = feedback.exitCode;
    step.feedback = feedback;
    step.output = this.mask(feedback.output);
    step.failingTests = this.failingTests(step);
  }

  /** Files are named as in the repository: `node --test` names a file that does not load by its path. */
  private failingTests({ feedback, output = '' }: Step): readonly string[] {
    const clones = [this.props.loop.mount, VERIFICATION.mount].map((mount) => `${mount}/${CLONE_FOLDER}/`);
    return (feedback?.failingTests ?? failingTests(output)).map((name) => clones.reduce((text, clone) => text.replace(clone, ''), name));
  }

  private read(path: string): string | undefined {
    const text = this.outputs.file(path, this.run!.session);
    return text === undefined ? undefined : endOf(this.mask(text));
  }

  /** The log of the job that was the last of this name, such as the turn of an agent that is a program. */
  private jobOutput(prefix: string): string | undefined {
    const text = this.outputs.newestJob(prefix, this.run!.session);
    return text === undefined ? undefined : withoutReports(endOf(this.mask(text))).trim();
  }

  /** The agent's output since the last turn. */
  private newLog(session: RunSession): string {
    const { text, end } = this.outputs.printed(session, this.logged);
    this.logged = end;
    return maskSecrets(this.mask(text.trim()));
  }

  /** The end of the log of the step's job, which may not be there yet. */
  private outputNow({ state, kind, round }: Step, loop: LoopState | undefined): string {
    const name = kind === 'gate' ? `gate ${this.parametersOf(state).gate?.name}` : kind;
    if (this.run === undefined || (kind !== 'gate' && kind !== 'turn' && kind !== 'bootstrap')) return '';
    const job = jobId(this.run.id, round, jobNameOf(loop ?? { losses: 0, rebases: 0 }, name), this.run.key);
    return maskSecrets(this.mask(this.outputs.tail(`${this.props.loop.mount}/${JOBS_FOLDER}/${job}/log`, this.run.session, 4_096)));
  }

  private parametersOf(state: string): StepParameters {
    return (this.props.loop.definition.States[state]?.Parameters ?? {}) as StepParameters;
  }

  private kindOf(state: string): StepKind {
    const { operation } = this.parametersOf(state);
    return (operation && KINDS[operation]) || 'other';
  }
}

const KINDS: { readonly [operation: string]: StepKind } = {
  [STEPS.PREPARE]: 'prepare',
  [STEPS.BOOTSTRAP]: 'bootstrap',
  [STEPS.TURN]: 'turn',
  [STEPS.SNAPSHOT]: 'snapshot',
  [STEPS.GATE]: 'gate',
  [STEPS.CHECK_BASE]: 'check-base',
  [STEPS.VERIFY]: 'verify',
  [STEPS.COMMIT]: 'commit',
  [STEPS.STOP]: 'stop',
};
