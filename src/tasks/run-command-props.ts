import { Duration, Size } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Command } from './command';
import { SessionTaskProps } from './session-task';

/**
 * Props of `RunCommand` in either query language.
 *
 * @internal
 */
export interface RunCommandOptions {
  /** The command to run: `Command.shell()` or `Command.exec()`. */
  readonly command: Command;

  /**
   * The session's persistent directory, where the job keeps its records and its log, in `.workbench/`.
   *
   * @default - where the runtime mounts its session storage
   */
  readonly mountPath?: string;

  /**
   * The directory that the command runs in. A missing one is the verdict `INERT`.
   *
   * @default - `mountPath`
   */
  readonly workingDirectory?: string;

  /**
   * Environment of the command, beside the container's own. No secrets: the service logs it with the command.
   *
   * @default - caches that need file locks are pointed at ephemeral disk: XDG_CACHE_HOME, UV_CACHE_DIR, PIP_CACHE_DIR,
   * npm_config_cache and MISE_CACHE_DIR
   */
  readonly environment?: { [name: string]: string };

  /**
   * How long the command may take: 1 second to the session's `maxLifetime`, at most 8 hours. Then it is ended, with its
   * children: `TIMED_OUT`.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;

  /**
   * Whether this may be the first use of the session. For up to two minutes a new session may fail to start, such as while the image is first
   * pulled: it is then asked again, for up to 3 minutes, until it has answered once. `false` after another task on the same session: a
   * container that fails is reported at once.
   *
   * @default true
   */
  readonly mayStartSession?: boolean;

  /**
   * Regular expressions (JavaScript) that end the command, with `FAILED`, as soon as a line of its output matches.
   *
   * @default - none
   */
  readonly failFast?: string[];

  /**
   * How much of the output's end is in the result, at most 24 KiB: a state holds 256 KiB, and JSON may need six for one.
   *
   * @default Size.kibibytes(8)
   */
  readonly tailSize?: Size;

  /**
   * How much of the output is kept in the workspace: 64 KiB to 256 MiB. Of a longer one the beginning and the end are kept.
   *
   * @default Size.mebibytes(32)
   */
  readonly logSize?: Size;

  /**
   * Which run the command belongs to. In one session, a command of the same run, round and state name is started once,
   * and asked for again is attached to.
   *
   * @default - a new id each time that the state is entered
   */
  readonly run?: string;

  /**
   * Which round of the run, for a command that runs once in each.
   *
   * @default 0
   */
  readonly round?: number;
}

/**
 * Props for the result of a `RunCommand` that uses JSONPath.
 *
 * @internal
 */
export interface RunCommandJsonPathResultProps {
  /**
   * Where the result is put into the input, a path below `$`. The input itself has to stay, since a command that outlives
   * a function is attached to with it.
   *
   * @default '$.command'
   */
  readonly resultPath?: string;
}

/**
 * Props for the result of a `RunCommand` that uses JSONata.
 *
 * @internal
 */
export interface RunCommandJsonataResultProps extends sfn.AssignableStateOptions {
  /**
   * The output. `$states.input` is the input, and the result is in the variable that `resultVariable` names.
   *
   * @default - the result
   */
  readonly outputs?: unknown;

  /**
   * Name of the variable that holds the result.
   *
   * @default 'commandResult'
   */
  readonly resultVariable?: string;
}

/** Props of `RunCommand`. */
export interface RunCommandProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonPathResultProps, RunCommandJsonataResultProps {}
/** Props of `RunCommand.jsonPath`. */
export interface RunCommandJsonPathProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonPathResultProps {}
/** Props of `RunCommand.jsonata`. */
export interface RunCommandJsonataProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonataResultProps {}
