import { Duration, Size } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { CommandConfig } from './command';
import { DEFAULT_TIMEOUT, mountOf, RunCommandJsonataProps, RunCommandJsonPathProps, RunCommandProps, runCommandFaults } from './run-command-props';
import { addressOf, DriverTask } from './session-task';
import { ATTACHING, REPEATABLE } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LAMBDA_ERRORS, LIMITS, OPERATIONS, STATUSES } from '../jobs/constants';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';
import { INVOKE_COMMAND_ACTIONS } from '../runtime/perms';

/** The timeout of a state: longer than that of the function, whose own error is seen first. */
const STATE_SECONDS = LIMITS.functionSeconds + LIMITS.functionMarginSeconds;

/** One of the two states that send a request to the driver. */
class CommandTask extends DriverTask {}

/** The choice at the end. If no state follows it, it ends its state machine or branch with success. */
class EndedChoice extends sfn.Choice {
  private prefix = '';

  constructor(scope: Construct, id: string, private readonly commandName: string, props: sfn.ChoiceProps) {
    super(scope, id, props);
  }

  public addPrefix(prefix: string): void {
    super.addPrefix(prefix);
    this.prefix = `${prefix}${this.prefix}`;
  }

  /** Adds the end. By now it is known whether a state follows: the definition is made from the graph right after this. */
  public bindToGraph(graph: sfn.StateGraph): void {
    if (this.defaultChoice === undefined) {
      const stateName = `${this.prefix}${this.commandName}: done`;
      this.otherwise(new sfn.Succeed(this, 'Done', { stateName, queryLanguage: this.queryLanguage }));
    }
    super.bindToGraph(graph);
  }
}

/**
 * Runs a command in a session, at most once, and waits for its verdict for up to 8 hours.
 *
 * The result is `{ status, verdict, exitCode, seconds, tail, logPath, … }`. The verdict is `PASSED` (exit code 0), `FAILED`, `TIMED_OUT`, `INERT`
 * (exit code 126 or 127, or the working directory does not exist: the image lacks something) or `LOST` (the microVM or the workspace was
 * replaced while the command ran, so that its outcome is unknown). A command that does not pass is not an error: add a `Choice` on `verdict`.
 * The errors `Workbench.*` are failures of the infrastructure.
 *
 * The fragment has three or four states, and a `Succeed` state if no state follows it. The command runs as a job in the session. If the function
 * or the connection fails, the command continues, and the next call attaches to it.
 *
 * ## Limitations
 *
 * - The mount must outlive the microVM, because it contains the records of the job.
 * - A command runs twice if its first call breaks off before the session answers, and both the microVM and the workspace are replaced before the
 *   next call.
 * - Anyone who can write to the workspace, such as the agent, can forge the outcome of a command.
 * - It is not documented whether the service terminates the processes that a call leaves running. If it does, a command is lost after one hour.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * new RunCommand(this, 'Lint', {
 *   runtime,
 *   sessionId: sfn.JsonPath.stringAt('$.session.id'),
 *   command: Command.shell('npm run lint'),
 *   mountPath: '/mnt/workspace',
 *   workingDirectory: '/mnt/workspace/repo',
 *   timeout: Duration.minutes(10),
 *   resultPath: '$.lint',
 * });
 */
export class RunCommand extends sfn.StateMachineFragment {
  /** Creates a fragment whose states use JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: RunCommandJsonPathProps): RunCommand {
    return new RunCommand(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** Creates a fragment whose states use JSONata. */
  public static jsonata(scope: Construct, id: string, props: RunCommandJsonataProps): RunCommand {
    return new RunCommand(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  /** The first state of the fragment. */
  public readonly startState: sfn.State;
  /** The states after which the state machine continues when the command has ended, whatever its verdict. */
  public readonly endStates: sfn.INextable[];

  private readonly tasks: DriverTask[];

  constructor(scope: Construct, id: string, props: RunCommandProps) {
    super(scope, id);
    const command = props.command._bind(this);
    throwOnFaults(this, [...runCommandFaults(this, props), ...command.faults]);

    const driver = props.driver ?? SessionDriver.getOrCreate(this);
    driver._allow(props.runtime, INVOKE_COMMAND_ACTIONS, props.endpoint);
    const name = props.stateName ?? id;
    const jsonata = props.queryLanguage === sfn.QueryLanguage.JSONATA;
    const wiring = jsonata ? jsonataWiring(props) : jsonPathWiring(props);
    const request = requestOf(name, props, command, props.run ?? wiring.generatedRun);

    const task = (taskId: string, stateName: string, mode: 'start' | 'attach') => new CommandTask(this, taskId, {
      driver,
      request: { ...request, mode, ...(mode === 'attach' ? { previous: wiring.previous } : {}) },
      retries: mode === 'start' ? REPEATABLE : ATTACHING,
      state: {
        queryLanguage: props.queryLanguage,
        comment: props.comment,
        stateName,
        taskTimeout: sfn.Timeout.duration(Duration.seconds(STATE_SECONDS)),
        ...wiring.task,
      },
    });
    const start = task('Start', name, 'start');
    const attach = task('Attach', `${name}: attach`, 'attach');
    // It is unknown whether the command began; an attach never starts it.
    start.addCatch(attach, { errors: [...LAMBDA_ERRORS.DIED], ...wiring.caught });

    const ended = new EndedChoice(this, 'Ended', name, { stateName: `${name}: ended?`, queryLanguage: props.queryLanguage, ...wiring.choice });
    ended.when(wiring.isRunning, attach);
    start.next(ended);
    attach.next(ended);

    this.tasks = [start, attach];
    this.startState = props.run === undefined
      ? new sfn.Pass(this, 'Name', { stateName: `${name}: name the job`, queryLanguage: props.queryLanguage, ...wiring.pass }).next(start).startState
      : start;
    this.endStates = ended.afterwards({ includeOtherwise: true }).endStates;
  }

  /**
   * Adds a handler for errors of the infrastructure. A command that does not pass is not an error.
   *
   * @param handler The state to continue with after an error
   * @param props Properties for the handler
   */
  public addCatch(handler: sfn.IChainable, props: sfn.CatchProps = {}): RunCommand {
    for (const task of this.tasks) task.addCatch(handler, props);
    return this;
  }
}

function requestOf(name: string, props: RunCommandProps, command: CommandConfig, run: string): { [name: string]: unknown } {
  const timeout = props.timeout ?? DEFAULT_TIMEOUT;
  const optional = {
    round: props.round,
    ...command.request,
    workingDirectory: props.workingDirectory,
    environment: sorted(props.environment),
    failFast: props.failFast,
    tailBytes: bytesOf(props.tailSize),
    logBytes: bytesOf(props.logSize),
    answered: props.mayStartSession === false ? true : undefined,
  };
  return {
    operation: OPERATIONS.RUN,
    ...addressOf(props),
    run,
    name,
    mount: mountOf(props),
    timeoutSeconds: timeout.toSeconds(),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function bytesOf(size: Size | undefined): number | undefined {
  return size?.toBytes();
}

/** Passes the result and the run's id between the states, in one of the two query languages. */
interface Wiring {
  readonly generatedRun: string;
  /** The result of the previous call, for a call that attaches. */
  readonly previous: unknown;
  readonly pass: sfn.PassProps;
  readonly task: Partial<sfn.TaskStateBaseProps>;
  readonly caught: sfn.CatchProps;
  readonly choice: Partial<sfn.ChoiceProps>;
  readonly isRunning: sfn.Condition;
}

function jsonPathWiring(props: RunCommandProps): Wiring {
  const resultPath = props.resultPath ?? '$.command';
  return {
    // The result holds the run too, so that the path is the same before and after.
    generatedRun: sfn.JsonPath.stringAt(`${resultPath}.run`),
    previous: sfn.JsonPath.objectAt(resultPath),
    pass: { parameters: { run: sfn.JsonPath.uuid() }, resultPath },
    task: { resultPath },
    caught: { resultPath: `${resultPath}.error` },
    choice: {},
    isRunning: sfn.Condition.stringEquals(`${resultPath}.status`, STATUSES.RUNNING),
  };
}

function jsonataWiring(props: RunCommandProps): Wiring {
  const result = props.resultVariable ?? 'commandResult';
  const keep = '{% $states.input %}';
  return {
    generatedRun: `{% $${result}.run %}`,
    previous: `{% $${result} %}`,
    pass: { assign: { [result]: { run: '{% $uuid() %}' } }, outputs: keep },
    task: { assign: { [result]: '{% $states.result %}' }, outputs: keep },
    // With a given run, the variable has no value yet.
    caught: { outputs: keep, ...(props.run === undefined ? {} : { assign: { [result]: {} } }) },
    choice: { outputs: sorted(props.outputs) ?? `{% $${result} %}`, assign: sorted(props.assign) },
    isRunning: sfn.Condition.jsonata(`{% $${result}.status = '${STATUSES.RUNNING}' %}`),
  };
}
