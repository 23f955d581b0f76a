import { Duration, Size } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { CommandConfig } from './command';
import { DEFAULT_TIMEOUT, mountOf, runCommandFaults } from './run-command-faults';
import { RunCommandJsonataProps, RunCommandJsonPathProps, RunCommandProps } from './run-command-props';
import { addressOf, DriverTask } from './session-task';
import { ATTACHING, REPEATABLE } from '../driver/retry-policies';
import { SessionDriver } from '../driver/session-driver';
import { LAMBDA_ERRORS, LIMITS, OPERATIONS, STATUSES } from '../jobs/constants';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';
import { INVOKE_COMMAND_ACTIONS } from '../runtime/perms';

/** Longer than a function lives, so that its own end is seen before the state's. */
const STATE_SECONDS = LIMITS.functionSeconds + LIMITS.functionMarginSeconds;

/** One of the two states that ask the driver. */
class CommandTask extends DriverTask {}

/** Where it goes on. With nothing after it, the command is the end of its state machine or branch, and a success there. */
class EndedChoice extends sfn.Choice {
  private prefix = '';

  constructor(scope: Construct, id: string, private readonly commandName: string, props: sfn.ChoiceProps) {
    super(scope, id, props);
  }

  public addPrefix(prefix: string): void {
    super.addPrefix(prefix);
    this.prefix = `${prefix}${this.prefix}`;
  }

  /** Whatever follows is known by now: a definition is made from the graph in one go with this. */
  public bindToGraph(graph: sfn.StateGraph): void {
    if (this.defaultChoice === undefined) {
      const stateName = `${this.prefix}${this.commandName}: done`;
      this.otherwise(new sfn.Succeed(this, 'Done', { stateName, queryLanguage: this.queryLanguage }));
    }
    super.bindToGraph(graph);
  }
}

/**
 * Runs a command in a session, at most once, and waits for its verdict, however long that takes: up to 8 hours.
 *
 * The result is data: `{ status, verdict, exitCode, seconds, tail, logPath, … }`, the verdict being `PASSED` (exit code 0, and
 * only that), `FAILED`, `TIMED_OUT`, `INERT` (126, 127 or no such directory: the image lacks what is needed) or `LOST` (the
 * microVM or the workspace was replaced in mid-command; nobody knows how it would have ended). A command that does not pass
 * is no error: choose on `verdict`. An error is infrastructure, by the names of `Workbench.*`.
 *
 * It is a fragment of three or four states, with a `Succeed` as one more if nothing follows it. The command runs as a job of its
 * own in the session, so that a function or a connection that dies does not end it and does not run it twice: another call attaches
 * to it.
 *
 * ## Limitations
 *
 * - The mount has to outlive a microVM: records of the job are there.
 * - A command runs twice if its first call breaks off before it is answered, and both the microVM and the workspace are replaced before the next.
 * - Whoever can write to the workspace, such as the agent, can forge what a command says.
 * - If the service ends what a call leaves running, which it does not document, a command is lost after one hour.
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
  /** States that read their input by JSONPath. */
  public static jsonPath(scope: Construct, id: string, props: RunCommandJsonPathProps): RunCommand {
    return new RunCommand(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSON_PATH });
  }

  /** States that read their input by JSONata. */
  public static jsonata(scope: Construct, id: string, props: RunCommandJsonataProps): RunCommand {
    return new RunCommand(scope, id, { ...props, queryLanguage: sfn.QueryLanguage.JSONATA });
  }

  /** The first of the states. */
  public readonly startState: sfn.State;
  /** Where it goes on when the command has ended, whatever its verdict. */
  public readonly endStates: sfn.INextable[];

  private readonly tasks: DriverTask[];

  constructor(scope: Construct, id: string, props: RunCommandProps) {
    super(scope, id);
    const command = props.command._bind(this);
    throwOnFaults(this, [...runCommandFaults(this, props), ...command.faults]);

    const driver = props.driver ?? SessionDriver.of(this);
    driver._allow(props.runtime, INVOKE_COMMAND_ACTIONS, props.endpointName);
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
    // Whether it began is not known; an attach does not start it in any case.
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

  /** Goes to another state when the driver fails, for infrastructure's sake: never for a command that did not pass. */
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

/** How the states hand on the result and the run's id, in one of the two languages. */
interface Wiring {
  readonly generatedRun: string;
  /** The result of the call before, for a call that attaches. */
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
    // A result has the run in it, so that the path is the same before and after.
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
    // With a run of one's own there is no value yet.
    caught: { outputs: keep, ...(props.run === undefined ? {} : { assign: { [result]: {} } }) },
    choice: { outputs: sorted(props.outputs) ?? `{% $${result} %}`, assign: sorted(props.assign) },
    isRunning: sfn.Condition.jsonata(`{% $${result}.status = '${STATUSES.RUNNING}' %}`),
  };
}
