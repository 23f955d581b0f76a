import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LoopGraph, LoopStep } from './loop-graph';
import { STEPS } from './steps/constants';
import { BEFORE_FIRST_BYTE } from '../driver/retry-policies';
import { LIMITS, TIMEOUT_ERRORS } from '../jobs/constants';
import { durationFaults, secondsOf, unknownDurationFaults } from '../private/validation';

/** Options for a turn that invokes the agent. */
export interface InvokeTurnOptions {
  /**
   * The timeout of one turn: 1 second to 14 minutes and 40 seconds, since a Lambda function waits for the agent's answer.
   *
   * @default Duration.seconds(880) - 14 minutes and 40 seconds
   */
  readonly timeout?: Duration;
}

/** Options for a turn that runs a command. */
export interface CommandTurnOptions {
  /**
   * The timeout of one turn: 1 second to 8 hours, the maximum lifetime of a session.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Options for a turn whose end the agent reports. */
export interface CallbackTurnOptions {
  /**
   * The timeout of one turn: 1 second to 8 hours, the maximum lifetime of a session.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;

  /**
   * The maximum time between two calls of `SendTaskHeartbeat` by the agent: at least 10 seconds, and less than `timeout`.
   *
   * @default Duration.minutes(5)
   */
  readonly heartbeat?: Duration;
}

const WHOLE_LIFE = 'a session does not live longer';

/**
 * Determines how the loop asks the agent for a turn.
 *
 * The agent receives `{ prompt, taskId, round, workspace, feedback? }`. In a repair, the prompt contains the task and what went wrong, so that
 * an agent that reads nothing else works too.
 */
export abstract class AgentTurn {
  /** Invokes the agent that the runtime serves, and waits for its answer. */
  public static invoke(options: InvokeTurnOptions = {}): AgentTurn {
    return new InvokeTurn(options);
  }

  /**
   * Runs an agent that is a program, such as `claude -p` or `codex exec`, in the clone.
   *
   * The program reads the prompt from its standard input, or from the file that `WORKBENCH_PROMPT_FILE` names; the prompt is never part of the
   * command. `WORKBENCH_TASK_ID` and `WORKBENCH_ROUND` are set as well.
   *
   * @param line Command for `/bin/bash -c`. The exit code of its last command determines whether the turn has failed.
   */
  public static command(line: string, options: CommandTurnOptions = {}): AgentTurn {
    return new CommandTurn(line, options);
  }

  /**
   * Invokes the agent, which answers at once, works in the background, and reports its end with `SendTaskSuccess` or `SendTaskFailure` and the
   * `taskToken` of its payload.
   *
   * A run ends with the error that the agent reports, with `CodingLoop.TurnFailed` if that error has no name or a reserved one, and with
   * `CodingLoop.TurnTimedOut` if the agent sends no heartbeat in time. Grant the runtime's execution role permission to report:
   * `loop.stateMachine.grantTaskResponse(runtime)`.
   */
  public static callback(options: CallbackTurnOptions = {}): AgentTurn {
    return new CallbackTurn(options);
  }

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
   * @internal
   */
  public abstract _bind(graph: LoopGraph): LoopStep;
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

  public _bind(graph: LoopGraph): LoopStep {
    const ask = graph.caught(graph.step('Turn', 'Ask the agent', STEPS.TURN, { timeoutSeconds: this._timeoutSeconds, command: this._command }));
    return graph.untilDone(ask, 'Answered', 'Is the agent done?');
  }
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
