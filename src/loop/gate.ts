import { Duration, Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { IConstruct } from 'constructs';
import { LoopGraph } from './loop-graph';
import { GATE_NAME, LOOP_LIMITS, STEPS } from './steps/constants';
import { LIMITS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { durationFaults, environmentFaults, faultsOf, patternFaults, Rule, secondsOf, unknownDurationFaults } from '../private/validation';

/** Options for `Gate.command`. */
export interface GateOptions {
  /**
   * The timeout of the command: 1 second to the `maxLifetime` of the session, which is 8 hours at most. A command that takes longer is terminated
   * with all its child processes, and the feedback tells the agent about it.
   *
   * @default Duration.minutes(15)
   */
  readonly timeout?: Duration;

  /**
   * The directory in which the command runs, as a path relative to the root of the repository, without `..`.
   *
   * @default - the root of the repository
   */
  readonly workingDirectory?: string;

  /**
   * Environment variables of the command, in addition to those of the container and the loop. They must not contain secrets, because the service
   * logs them.
   *
   * @default - no additional environment variables
   */
  readonly environment?: { [name: string]: string };

  /**
   * JavaScript regular expressions that end the gate early: it fails as soon as a line of its output matches one of them.
   *
   * @default - only the exit code determines the verdict
   */
  readonly failFast?: string[];

  /**
   * Determines whether a pipe fails if any of its programs fails, so that the gate `npm test | tee log` fails if the tests do.
   *
   * If `false`, only the exit code of the last program counts. Turn it off if a program in a pipe may exit before it has read all of its input, such
   * as `grep -q` or `head`, because the program before it may then fail with exit code 141.
   *
   * @default true
   */
  readonly pipefail?: boolean;

  /**
   * The number of times that a verification runs the gate again on the same files if it fails: 0 to 5. A gate that passes then is `FLAKY` in the
   * record of the run, with the tests that failed before, and lets the change through.
   *
   * In the agent's workspace, gates are not run again: the failure goes to the agent, with the whole output.
   *
   * @default 0
   */
  readonly retries?: number;

  /**
   * The JUnit XML reports that the command writes, as a path relative to `workingDirectory`, such as `target/surefire-reports/TEST-*.xml`: `*` and
   * `?` stand for characters of a name, and `**` for any number of directories.
   *
   * The gate then passes only if the reports say so, too: the command has written at least one, all that it has written are well-formed, no test in
   * them failed, and tests ran. Records and feedback name the failing tests, and a run is stuck if the same tests fail twice in a row. At most 5,000
   * files with 16 MiB in all are read. A tool that does not run tests that are up to date, such as Gradle, must be told to run them.
   *
   * @default - only the exit code determines the verdict
   */
  readonly report?: string;

  /**
   * The minimum number of tests that must run, skipped ones not counted: 0 to 1,000,000. It needs a `report`.
   *
   * @default 1
   */
  readonly minTests?: number;

  /**
   * Determines whether the gate fails if fewer tests run than on the base. It needs a `report`, and `checkBase` or `baseline` of the loop.
   *
   * @default false - the record and the commit are not affected; `tests.ranBefore` of the record shows the difference
   */
  readonly failOnFewerTests?: boolean;
}

/** A check that must pass before a run commits anything. */
export abstract class Gate {
  /**
   * Runs a command in the clone. The gate passes if the exit code is 0.
   *
   * The command must not change files that git tracks. New files that git neither tracks nor ignores are moved out of the clone.
   *
   * @param name The name of the gate, which is shown in the state machine's graph, the commit and the feedback: 1 to 40 letters, digits, spaces,
   * hyphens and underscores, starting with a letter or digit
   * @param line A command line or a script of several lines for `/bin/bash -c`, at most 32 KiB. Bash runs it with `set -e -o pipefail`, so that it
   * stops at the first error, even within a pipe. Append `|| true` to a command that may fail
   * @param options Options for the gate
   */
  public static command(name: string, line: string, options: GateOptions = {}): Gate {
    return new CommandGate(name, line, options);
  }

  /** The name of the gate, which is unique within its loop. */
  public abstract readonly name: string;

  /** Determines whether the gate needs to know how many tests ran on the base. @internal */
  public abstract readonly _needsBase: boolean;

  /** The number of times that a verification repeats the gate. @internal */
  public abstract readonly _retries: number;

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
   * @param position The gate's position in the loop, from 1
   * @param request Fields of the step that are the same for every kind of gate
   * @internal
   */
  public _bind(graph: LoopGraph, position: number, request: object): sfn.TaskStateBase {
    return graph.step(`Gate${position}`, `Run gate: ${this.name}`, STEPS.GATE, { gate: this._config(), ...request });
  }
}

class CommandGate extends Gate {
  public readonly _timeoutSeconds: number;

  public readonly _needsBase: boolean;
  public readonly _retries: number;

  constructor(public readonly name: string, private readonly line: string, private readonly options: GateOptions) {
    super();
    this._needsBase = options.failOnFewerTests === true;
    this._retries = Token.isUnresolved(options.retries) ? LOOP_LIMITS.retries : options.retries ?? 0;
    this._timeoutSeconds = secondsOf(options.timeout, 900);
  }

  public _config(): object {
    const { workingDirectory, environment, failFast, pipefail, retries, report, minTests, failOnFewerTests } = this.options;
    return {
      name: this.name,
      command: this.line,
      timeoutSeconds: this._timeoutSeconds,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(environment === undefined ? {} : { environment: sorted(environment) }),
      ...(failFast === undefined ? {} : { failFast }),
      ...(pipefail === false ? { pipefail } : {}),
      ...(retries ? { retries } : {}),
      ...(report === undefined ? {} : { report }),
      ...(minTests === undefined ? {} : { minTests }),
      ...(failOnFewerTests ? { failOnFewerTests } : {}),
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
  {
    broken: ({ retries }) => isNoWholeNumber(retries, LOOP_LIMITS.retries),
    message: ({ retries }) => `"retries" must be a whole number from 0 to ${LOOP_LIMITS.retries}, not ${retries}: change it`,
  },
  {
    broken: ({ report }) => report !== undefined && !Token.isUnresolved(report) && !isPattern(report),
    message: ({ report }) => `"report" must be the path of files below "workingDirectory", not "${report}": make it relative, without ".." and line breaks`,
  },
  {
    broken: ({ minTests }) => isNoWholeNumber(minTests, 1_000_000),
    message: ({ minTests }) => `"minTests" must be a whole number from 0 to 1000000, not ${minTests}: change it`,
  },
  {
    broken: ({ report, minTests, failOnFewerTests }) => report === undefined && (minTests !== undefined || failOnFewerTests === true),
    message: ({ minTests }) => `"${minTests === undefined ? 'failOnFewerTests' : 'minTests'}" must come with "report", which has the number of tests: name the report, or leave it out`,
  },
];

function isNoWholeNumber(value: number | undefined, max: number): boolean {
  return value !== undefined && !Token.isUnresolved(value) && !(Number.isInteger(value) && value >= 0 && value <= max);
}

function isPattern(report: string): boolean {
  return report.trim() !== '' && report.length <= 500 && !report.startsWith('/') && !report.split('/').includes('..') && !/[\r\n\0]/.test(report);
}
