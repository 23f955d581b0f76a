import { Duration, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { GATE_NAME } from './steps/constants';
import { LIMITS } from '../jobs/constants';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { durationFaults, environmentFaults, secondsOf, unknownDurationFaults } from '../tasks/checks';

/** Options of a gate. */
export interface GateOptions {
  /**
   * How long it may take: 1 second to 8 hours. Then it is ended, and the agent is told.
   *
   * @default Duration.minutes(15)
   */
  readonly timeout?: Duration;

  /**
   * A directory of the repository, for a project in a part of it.
   *
   * @default - the repository's root
   */
  readonly workingDirectory?: string;

  /**
   * Environment of the command. No secrets: the service logs it.
   *
   * @default - none beside the container's own and the loop's
   */
  readonly environment?: { [name: string]: string };

  /**
   * Regular expressions that fail the gate as soon as a line of its output matches.
   *
   * @default - none
   */
  readonly failFast?: string[];

  /**
   * Whether a pipe fails if any of its programs does, so that `npm test | tee log` is red when the tests are. If not, its last program decides:
   * for one that ends before it has read all, such as `grep -q` or `head`, which can make the one before it fail with exit code 141.
   *
   * @default true
   */
  readonly pipefail?: boolean;
}

/** A check that has to pass before anything is committed. */
export class Gate {
  /**
   * A command that passes if it exits with 0.
   *
   * It has to leave the files of the repository as they are. What it leaves that git neither has nor ignores is moved out of the way.
   *
   * @param name of 1 to 40 letters, digits, spaces, "-" and "_"; shown in the graph, the commit and the feedback
   * @param line for `/bin/bash -c`, in the clone. It may be a script of several lines. Bash runs it with `set -e -o pipefail`: each command has to
   * pass, also within a pipe, and the first that does not ends it. A command that may fail is followed by `|| true`
   */
  public static command(name: string, line: string, options: GateOptions = {}): Gate {
    return new Gate(name, line, options);
  }

  private constructor(
    /** How it is called. */
    public readonly name: string,
    private readonly line: string,
    private readonly options: GateOptions,
  ) {}

  /** @internal */
  public _config(): GateConfig {
    const { timeout, workingDirectory, environment, failFast, pipefail } = this.options;
    return {
      name: this.name,
      command: this.line,
      timeoutSeconds: secondsOf(timeout, 900),
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(environment === undefined ? {} : { environment: sorted(environment) }),
      ...(failFast === undefined ? {} : { failFast }),
      ...(pipefail === false ? { pipefail } : {}),
    };
  }

  /** @internal */
  public _faults(scope: IConstruct): string[] {
    const { timeout, workingDirectory, environment = {}, failFast = [] } = this.options;
    const prefix = `gate "${this.name}": `;
    return [
      ...(Token.isUnresolved(this.name) || GATE_NAME.test(this.name)
        ? [] : ['"name" has 1 to 40 letters, digits, spaces, "-" and "_", the first a letter or digit: rename it']),
      ...(this.line.trim() === '' ? ['"command" is empty: say what to run'] : []),
      ...(Buffer.byteLength(this.line) > LIMITS.commandBytes ? [`"command" has more than ${LIMITS.commandBytes} bytes: put it in a script of the repository`] : []),
      ...unknownDurationFaults('timeout', timeout),
      ...environmentFaults('environment', environment),
      ...durationFaults('timeout', timeout, 1, LIMITS.sessionSeconds, 'a session does not live longer'),
      ...(workingDirectory !== undefined && !Token.isUnresolved(workingDirectory) && (workingDirectory.startsWith('/') || workingDirectory.split('/').includes('..'))
        ? [`"workingDirectory" is "${workingDirectory}", a directory of the repository is allowed: make it relative, without ".."`] : []),
      ...failFast.flatMap(patternFaults),
      ...secretFaults(scope, { command: this.line, ...Object.fromEntries(Object.entries(environment).map(([key, value]) => [`environment.${key}`, value])) }),
    ].map((fault) => prefix + fault);
  }
}

function patternFaults(pattern: string): string[] {
  try {
    return pattern === '' || !new RegExp(pattern) ? ['"failFast" has an empty pattern, which every line matches: take it out'] : [];
  } catch (error) {
    return [`"failFast" has "${pattern}", which is no regular expression of JavaScript (${(error as Error).message}): correct it`];
  }
}

/** @internal */
export interface GateConfig {
  readonly name: string;
  readonly command: string;
  readonly timeoutSeconds: number;
  readonly workingDirectory?: string;
  readonly environment?: { readonly [name: string]: string };
  readonly failFast?: readonly string[];
  readonly pipefail?: boolean;
}
