import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LoopGraph, LoopStep } from './loop-graph';
import { STEPS } from './steps/constants';
import { BEFORE_FIRST_BYTE } from '../driver/retry-policies';
import { LIMITS, TIMEOUT_ERRORS } from '../jobs/constants';
import { durationFaults, secondsOf, unknownDurationFaults } from '../private/validation';

/** Options for `AgentTurn.invoke`. */
export interface InvokeTurnOptions {
  /**
   * The timeout of a turn: 1 second to 14 minutes and 40 seconds, because a Lambda function waits for the agent's answer.
   *
   * @default Duration.seconds(880) - 14 minutes and 40 seconds
   */
  readonly timeout?: Duration;
}

/** Options for `AgentTurn.command`. */
export interface CommandTurnOptions {
  /**
   * The timeout of a turn: 1 second to the `maxLifetime` of the session, which is 8 hours at most.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Options for `AgentTurn.callback`. */
export interface CallbackTurnOptions {
  /**
   * The timeout of a turn: 1 second to the `maxLifetime` of the session, which is 8 hours at most.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;

  /**
   * The maximum time between two calls of `SendTaskHeartbeat` by the agent: at least 10 seconds, and less than `timeout`, because Step Functions
   * requires it.
   *
   * @default Duration.minutes(5)
   */
  readonly heartbeat?: Duration;
}

const WHOLE_LIFE = 'a session does not live longer';

/**
 * Determines how a loop runs a turn of the agent.
 *
 * An agent that is invoked receives `{ prompt, taskId, round, workspace, feedback? }`, where `workspace` is the path of the clone. In a repair, the
 * prompt contains both the task and the feedback, so that an agent can ignore all other fields.
 */
export abstract class AgentTurn {
  /**
   * Invokes the agent of the runtime and waits for its answer.
   *
   * @param options Options for the turn
   */
  public static invoke(options: InvokeTurnOptions = {}): AgentTurn {
    return new InvokeTurn(options);
  }

  /**
   * Runs an agent that is a program, such as `claude -p` or `codex exec`, in the clone.
   *
   * The program can read the prompt from its standard input, or from the file whose path is in the environment variable `WORKBENCH_PROMPT_FILE`.
   * The prompt is never part of the command. `WORKBENCH_TASK_ID`, `WORKBENCH_ROUND` and `WORKBENCH_RUN` contain the ID of the task, the number
   * of the round, and the ID of the run. The logs of the driver contain the same ID.
   *
   * @param line A command line for `/bin/bash -c`, at most 32 KiB. The turn fails if the exit code of its last command is not 0
   * @param options Options for the turn
   */
  public static command(line: string, options: CommandTurnOptions = {}): AgentTurn {
    return new CommandTurn(line, options);
  }

  /**
   * Invokes an agent that answers at once, works in the background, and reports the end of its turn with the `taskToken` of the payload, by
   * `SendTaskSuccess` or `SendTaskFailure`.
   *
   * The run fails with the error that the agent reports, or with `CodingLoop.TurnFailed` if that error has no name or a reserved one. It fails with
   * `CodingLoop.TurnTimedOut` if the agent sends no heartbeat in time. Grant the execution role permission to report with
   * `loop.stateMachine.grantTaskResponse(runtime)`.
   *
   * @param options Options for the turn
   */
  public static callback(options: CallbackTurnOptions = {}): AgentTurn {
    return new CallbackTurn(options);
  }

  /**
   * Runs the program of a `CodingAgent`, which reports its turn and is told the loop's instructions.
   *
   * @internal
   */
  public static _ofAgent(line: string, options: CommandTurnOptions): AgentTurn {
    return new ProgramTurn(line, options);
  }

  /**
   * Determines whether the turn ends with the report of a `CodingAgent`, and reads the loop's instructions.
   *
   * @internal
   */
  public readonly _reports: boolean = false;

  /**
   * The command of the agent's program, if it is one.
   *
   * @internal
   */
  public readonly _command?: string;

  /**
   * The timeout of one turn, in seconds.
   *
   * @internal
   */
  public abstract readonly _timeoutSeconds: number;

  /** @internal */
  public abstract _faults(): string[];

  /**
   * Creates the states of a turn.
   *
   * @param instructions What the loop tells an agent that reads its instructions
   * @internal
   */
  public abstract _bind(graph: LoopGraph, instructions?: string): LoopStep;
}

class InvokeTurn extends AgentTurn {
  public readonly _timeoutSeconds: number;

  constructor(private readonly options: InvokeTurnOptions) {
    super();
    this._timeoutSeconds = secondsOf(options.timeout, LIMITS.functionSeconds - LIMITS.functionMarginSeconds);
  }

  public _faults(): string[] {
    const longest = LIMITS.functionSeconds - LIMITS.functionMarginSeconds;
    return [
      ...unknownDurationFaults('turn.timeout', this.options.timeout),
      ...durationFaults('turn.timeout', this.options.timeout, 1, longest, 'use AgentTurn.command or AgentTurn.callback for longer turns'),
    ];
  }

  public _bind(graph: LoopGraph): LoopStep {
    const ask = graph.caught(graph.step('Turn', 'Ask the agent', STEPS.TURN, { timeoutSeconds: this._timeoutSeconds }, { retries: BEFORE_FIRST_BYTE }));
    return { start: ask, next: (record) => ask.next(record) };
  }
}

class CommandTurn extends AgentTurn {
  public readonly _timeoutSeconds: number;

  constructor(public readonly _command: string, private readonly options: CommandTurnOptions) {
    super();
    this._timeoutSeconds = secondsOf(options.timeout, 3_600);
  }

  public _faults(): string[] {
    return [
      ...(this._command.trim() === '' ? ['"turn" must have a command that is not empty: name the program of the agent'] : []),
      ...(Buffer.byteLength(this._command) > LIMITS.commandBytes
        ? [`"turn" must have a command of at most ${LIMITS.commandBytes} bytes: put it in a script of the image`] : []),
      ...unknownDurationFaults('turn.timeout', this.options.timeout),
      ...durationFaults('turn.timeout', this.options.timeout, 1, LIMITS.sessionSeconds, WHOLE_LIFE),
    ];
  }

  public _bind(graph: LoopGraph, instructions?: string): LoopStep {
    const agent = this._reports ? { agent: true, ...(instructions === undefined ? {} : { instructions }) } : {};
    const ask = graph.caught(graph.step('Turn', 'Ask the agent', STEPS.TURN, {
      timeoutSeconds: this._timeoutSeconds, command: this._command, ...agent,
    }));
    return graph.untilDone(ask, 'Answered', 'Is the agent done?');
  }
}

class ProgramTurn extends CommandTurn {
  public override readonly _reports = true;
}

class CallbackTurn extends AgentTurn {
  public readonly _timeoutSeconds: number;
  private readonly heartbeat: Duration;

  constructor(private readonly options: CallbackTurnOptions) {
    super();
    this._timeoutSeconds = secondsOf(options.timeout, 3_600);
    this.heartbeat = options.heartbeat ?? Duration.minutes(5);
  }

  public _faults(): string[] {
    return [
      ...unknownDurationFaults('turn.timeout', this.options.timeout),
      ...unknownDurationFaults('turn.heartbeat', this.options.heartbeat),
      ...durationFaults('turn.timeout', this.options.timeout, 1, LIMITS.sessionSeconds, WHOLE_LIFE),
      // Step Functions refuses a heartbeat that is not shorter than the timeout.
      ...durationFaults('turn.heartbeat', this.heartbeat, 10, this._timeoutSeconds - 1, 'it has to be shorter than the timeout'),
    ];
  }

  public _bind(graph: LoopGraph): LoopStep {
    const ask = graph.step('Turn', 'Ask the agent', STEPS.TURN, { timeoutSeconds: LIMITS.functionSeconds, taskToken: sfn.JsonPath.taskToken }, {
      retries: BEFORE_FIRST_BYTE,
      integrationPattern: sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
      taskTimeout: sfn.Timeout.duration(Duration.seconds(this._timeoutSeconds)),
      heartbeatTimeout: sfn.Timeout.duration(this.heartbeat),
      resultPath: sfn.JsonPath.DISCARD,
    });
    // Caught apart from other errors: the name of a timeout does not say that it was the agent that sent no heartbeat.
    ask.addCatch(graph.stopFailed, { errors: [...TIMEOUT_ERRORS], resultPath: '$.silence' });
    graph.caught(ask);
    return { start: ask, next: (record) => ask.next(record) };
  }
}
