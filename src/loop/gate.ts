import { Duration, Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { IConstruct } from 'constructs';
import { LoopGraph } from './loop-graph';
import { GATE_NAME, STEPS } from './steps/constants';
import { LIMITS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { durationFaults, environmentFaults, faultsOf, patternFaults, Rule, secondsOf, unknownDurationFaults } from '../private/validation';

/** Options for a gate. */
export interface GateOptions {
  /**
   * The timeout of the command: 1 second to 8 hours, the maximum lifetime of a session. A command that takes longer is ended, and the agent is
   * told.
   *
   * @default Duration.minutes(15)
   */
  readonly timeout?: Duration;

  /**
   * The directory in which the command runs, relative to the root of the repository.
   *
   * @default - the root of the repository
   */
  readonly workingDirectory?: string;

  /**
   * Environment variables of the command. Do not put secrets here: the service logs them.
   *
   * @default - the environment of the container and of the loop only
   */
  readonly environment?: { [name: string]: string };

  /**
   * JavaScript regular expressions. The gate fails as soon as a line of the output matches one of them.
   *
   * @default - the exit code alone decides
   */
  readonly failFast?: string[];

  /**
   * Determines whether a pipe fails if any of its programs fails, so that `npm test | tee log` is red when the tests are. Otherwise, the last
   * program of the pipe decides. Turn it off for a program that ends before it has read all of its input, such as `grep -q` or `head`: the
   * program before it may fail with exit code 141.
   *
   * @default true
   */
  readonly pipefail?: boolean;
}

/** A check that has to pass before anything is committed. */
export abstract class Gate {
  /**
   * Runs a command in the clone. The gate passes if the command exits with 0.
   *
   * The command must leave the files of the repository as they are. New files that git neither tracks nor ignores are moved out of the clone.
   *
   * @param name 1 to 40 letters, digits, spaces, "-" and "_"; shown in the state machine's graph, the commit and the feedback.
   * @param line Command for `/bin/bash -c`. It may be a script of several lines. Bash runs it with `set -e -o pipefail`: the first command that
   * fails ends it, also within a pipe. Append `|| true` to a command that may fail.
   */
  public static command(name: string, line: string, options: GateOptions = {}): Gate {
    return new CommandGate(name, line, options);
  }

  /** The name of the gate, unique within its loop. */
  public abstract readonly name: string;

  /**
   * The timeout, in seconds.
   *
   * @internal
   */
  public abstract readonly _timeoutSeconds: number;

  /**
   * The gate as the driver's step receives it.
   *
   * @internal
   */
  public abstract _config(): object;

  /** @internal */
  public abstract _faults(scope: IConstruct): string[];

  /**
   * Creates the state that runs the gate.
   *
   * @param position the gate's position in the loop, from 1
   * @param request fields of the step that are the same for every kind of gate
   * @internal
   */
  public _bind(graph: LoopGraph, position: number, request: object): sfn.TaskStateBase {
    return graph.step(`Gate${position}`, `Run gate: ${this.name}`, STEPS.GATE, { gate: this._config(), ...request });
  }
}

class CommandGate extends Gate {
  public readonly _timeoutSeconds: number;

  constructor(public readonly name: string, private readonly line: string, private readonly options: GateOptions) {
    super();
    this._timeoutSeconds = secondsOf(options.timeout, 900);
  }

  public _config(): object {
    const { workingDirectory, environment, failFast, pipefail } = this.options;
    return {
      name: this.name,
      command: this.line,
      timeoutSeconds: this._timeoutSeconds,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(environment === undefined ? {} : { environment: sorted(environment) }),
      ...(failFast === undefined ? {} : { failFast }),
      ...(pipefail === false ? { pipefail } : {}),
    };
  }

  public _faults(scope: IConstruct): string[] {
    const { timeout, environment = {}, failFast = [] } = this.options;
    return [
      ...faultsOf({ name: this.name, line: this.line, ...this.options }, COMMAND_RULES),
      ...unknownDurationFaults('timeout', timeout),
      ...environmentFaults('environment', environment),
      ...durationFaults('timeout', timeout, 1, LIMITS.sessionSeconds, 'a session does not live longer'),
      ...failFast.flatMap((pattern) => patternFaults('failFast', pattern)),
      ...secretFaults(scope, { command: this.line, ...Object.fromEntries(Object.entries(environment).map(([key, value]) => [`environment.${key}`, value])) }),
    ].map((fault) => `gate "${this.name}": ${fault}`);
  }
}

const COMMAND_RULES: readonly Rule<GateOptions & { readonly name: string; readonly line: string }>[] = [
  {
    broken: ({ name }) => !Token.isUnresolved(name) && !GATE_NAME.test(name),
    message: () => '"name" must be 1 to 40 letters, digits, spaces, "-" and "_", beginning with a letter or digit: rename the gate',
  },
  {
    broken: ({ line }) => line.trim() === '',
    message: () => '"command" must not be empty: give the command to run',
  },
  {
    broken: ({ line }) => Buffer.byteLength(line) > LIMITS.commandBytes,
    message: () => `"command" must have at most ${LIMITS.commandBytes} bytes: put it in a script of the repository`,
  },
  {
    broken: ({ workingDirectory: directory }) =>
      directory !== undefined && !Token.isUnresolved(directory) && (directory.startsWith('/') || directory.split('/').includes('..')),
    message: ({ workingDirectory }) => `"workingDirectory" must be a directory of the repository, not "${workingDirectory}": make it relative, without ".."`,
  },
];
