import { Duration } from 'aws-cdk-lib';
import { LIMITS } from '../jobs/constants';
import { durationFaults, secondsOf, unknownDurationFaults } from '../tasks/checks';

/** Options of a turn that is an invocation. */
export interface InvokeTurnOptions {
  /**
   * How long the agent may take for one turn: at most 14 minutes and 40 seconds, since a function waits for its answer.
   *
   * @default - 14 minutes and 40 seconds
   */
  readonly timeout?: Duration;
}

/** Options of a turn that is a command. */
export interface CommandTurnOptions {
  /**
   * How long the command may take: at most 8 hours, the life of a session.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Options of a turn that the agent reports itself. */
export interface CallbackTurnOptions {
  /**
   * How long all of a turn may take: at most 8 hours, the life of a session.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;

  /**
   * The longest silence: the agent calls `SendTaskHeartbeat` more often than that. 10 seconds or more, and shorter than `timeout`.
   *
   * @default Duration.minutes(5)
   */
  readonly heartbeat?: Duration;
}

/**
 * How the agent is asked for a turn.
 *
 * What it gets is `{ prompt, taskId, round, workspace, feedback? }`. In a repair, the prompt holds the task and what went
 * wrong, so that an agent that reads nothing else works too.
 */
export class AgentTurn {
  /** Invokes the agent that serves the runtime, and waits for its answer. */
  public static invoke(options: InvokeTurnOptions = {}): AgentTurn {
    return new AgentTurn('INVOKE', undefined, options.timeout, undefined);
  }

  /**
   * Runs an agent that is a program, such as `claude -p` or `codex exec`, in the clone.
   *
   * The prompt is its standard input and in the file that `WORKBENCH_PROMPT_FILE` names; it is never put into the line.
   * `WORKBENCH_TASK_ID` and `WORKBENCH_ROUND` are set as well.
   *
   * @param line for `/bin/bash -c`, whose last command decides whether the turn has failed
   */
  public static command(line: string, options: CommandTurnOptions = {}): AgentTurn {
    return new AgentTurn('COMMAND', line, options.timeout, undefined);
  }

  /**
   * Invokes the agent, which answers at once, works in the background, and reports with `SendTaskSuccess` or
   * `SendTaskFailure` and the `taskToken` of its payload. A run ends with the error that it reports, or with `CodingLoop.TurnFailed`
   * for one that is missing or reserved, and with `CodingLoop.TurnTimedOut` if it keeps silent. Its execution role has to be allowed to:
   * `loop.stateMachine.grantTaskResponse(runtime)`.
   */
  public static callback(options: CallbackTurnOptions = {}): AgentTurn {
    return new AgentTurn('CALLBACK', undefined, options.timeout, options.heartbeat);
  }

  private constructor(
    private readonly kind: 'INVOKE' | 'COMMAND' | 'CALLBACK',
    private readonly line: string | undefined,
    private readonly timeout: Duration | undefined,
    private readonly heartbeat: Duration | undefined,
  ) {}

  /** @internal */
  public _config(): AgentTurnConfig {
    const longest = this.kind === 'INVOKE' ? LIMITS.functionSeconds - LIMITS.functionMarginSeconds : LIMITS.sessionSeconds;
    const timeoutSeconds = secondsOf(this.timeout, this.kind === 'INVOKE' ? longest : 3_600);
    const heartbeat = this.heartbeat ?? Duration.minutes(5);
    return {
      command: this.line,
      callback: this.kind === 'CALLBACK',
      timeoutSeconds,
      heartbeat,
      faults: [
        ...(this.line?.trim() === '' ? ['"turn" has an empty command: say which program is the agent'] : []),
        ...(Buffer.byteLength(this.line ?? '') > LIMITS.commandBytes ? [`"turn" has more than ${LIMITS.commandBytes} bytes: put it in a script of the image`] : []),
        ...unknownDurationFaults('turn.timeout', this.timeout),
        ...unknownDurationFaults('turn.heartbeat', this.heartbeat),
        ...durationFaults('turn.timeout', this.timeout, 1, longest, this.kind === 'INVOKE'
          ? 'use AgentTurn.command or AgentTurn.callback for longer turns' : 'a session does not live longer'),
        // Step Functions refuses one that is not shorter.
        ...(this.kind === 'CALLBACK' ? durationFaults('turn.heartbeat', heartbeat, 10, timeoutSeconds - 1, 'it has to be shorter than the timeout') : []),
      ],
    };
  }
}

/** @internal */
export interface AgentTurnConfig {
  readonly command?: string;
  readonly callback: boolean;
  readonly timeoutSeconds: number;
  readonly heartbeat: Duration;
  readonly faults: string[];
}
