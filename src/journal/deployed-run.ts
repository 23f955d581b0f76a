import { HistoryEvent, HistoryReader } from './history';
import { Journal, JournalListener } from './journal';
import type { LoopDescription } from './loop-description';
import type { Outputs, RunSession } from './outputs';
import { endingOf, parsed } from './results';
import type { RunDescription } from './run-description';
import type { Mask } from '../handler/mask';
import type { LoopInput } from '../loop/steps/records';
import { nameOf, ownSession, sessionOf } from '../loop/steps/sessions';

/** An execution, as `DescribeExecution` of any client describes it. */
export interface ExecutionDescription {
  readonly executionArn?: string;
  readonly status?: string;
  readonly startDate?: Date | string | number;
  readonly stopDate?: Date | string | number;
  /** Input and output as JSON; missing if the caller may not see them. */
  readonly input?: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface DeployedRunProps {
  /** The loop of the run, as the definition of its execution describes it. */
  readonly loop: LoopDescription;
  /** The execution, as it was described when the run was found. */
  readonly execution: ExecutionDescription;
  /** Hears of each step. @default - none */
  readonly listener?: JournalListener;
  /** The source of the output of jobs and of the agent. @default - the end that the states themselves have of what failed */
  readonly outputs?: Outputs;
  /** Masks values in addition to text that looks like a secret, which is always masked. @default - nothing else */
  readonly mask?: Mask;
}

/** A run in an account, under way or at its end, told from the history of its execution. */
export class DeployedRun {
  readonly journal: Journal;
  private readonly reader = new HistoryReader();
  private readonly arn: string;
  private readonly input: Partial<LoopInput>;

  constructor(private readonly props: DeployedRunProps) {
    const { loop, execution, listener, outputs, mask } = props;
    this.arn = execution.executionArn ?? '';
    const input = parsed(execution.input);
    this.input = typeof input === 'object' && input !== null ? input : {};
    this.journal = new Journal({ loop, listener, outputs, execution: () => this.arn, session: () => this.session }, mask);
  }

  /** The id of the last event that was heard: a poll need not ask for it again. */
  get last(): number {
    return this.reader.last;
  }

  /** Hears of the execution's history, in its order. Events that are known are skipped. */
  hear(events: readonly HistoryEvent[]): void {
    this.reader.read(events).forEach(this.journal.hear);
  }

  /** The session of the run. Known from the start: it is made of the execution's name, unless the input names one. */
  get session(): RunSession {
    if (this.journal.run !== undefined) return this.journal.run.session;
    const { endpointName } = this.props.loop;
    return sessionOf(this.arn, this.input, endpointName)?.session ?? ownSession(this.arn, endpointName);
  }

  /** Describes the run as far as it is known. @param execution as it is described now @default - as it was when the run was found */
  describe(execution: ExecutionDescription = this.props.execution): RunDescription {
    const { loop, mask = (value) => value } = this.props;
    const { journal, session } = this;
    const { output, outcome, error } = endingOf({ ...execution, output: parsed(execution.output) });
    const started = dateOf(execution.startDate) ?? new Date(0);
    const stopped = dateOf(execution.stopDate) ?? new Date();
    const repository = journal.run?.repository ?? loop.repository;
    return {
      id: nameOf(this.arn),
      loop: loop.path,
      outcome,
      error: mask(error),
      startedAt: started.toISOString(),
      seconds: (stopped.getTime() - started.getTime()) / 1_000,
      input: { prompt: mask(textOf(this.input.prompt)), taskId: output?.taskId ?? journal.run?.taskId ?? textOf(this.input.taskId) },
      output: mask(output),
      steps: mask(journal.steps),
      path: journal.path,
      transitions: journal.transitions,
      definition: loop.definition,
      repository: repository && {
        source: repository.url,
        branch: output?.upstream?.ref ?? repository.ref,
        commit: output?.upstream?.base ?? journal.run?.base,
      },
      commit: output?.commit && { id: output.commit.id, branch: output.commit.branch },
      session: journal.run && { id: session.id, endpointName: session.endpointName, runtimeArn: loop.runtimeArn, mount: loop.mount },
      warnings: [],
    };
  }
}

/** Describes a run from its whole history. */
export function runOfHistory(props: DeployedRunProps, events: readonly HistoryEvent[]): RunDescription {
  const run = new DeployedRun(props);
  run.hear(events);
  return run.describe();
}

function dateOf(value: Date | string | number | undefined): Date | undefined {
  return value === undefined ? undefined : new Date(typeof value === 'number' ? value * 1_000 : value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
