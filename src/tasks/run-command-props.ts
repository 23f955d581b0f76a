import { Duration, Size } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { IConstruct } from 'constructs';
import { Command } from './command';
import { sessionFaults, sessionSecondsOf, SessionTaskProps } from './session-task';
import { LIMITS } from '../jobs/constants';
import { isExpression } from '../private/expression';
import { secretFaults } from '../private/secrets';
import { durationFaults, environmentFaults, faultsOf, patternFaults, Rule } from '../private/validation';
import { sessionStorageMountOf } from '../runtime/introspection';

/**
 * Properties for `RunCommand` in either query language.
 *
 * @internal
 */
export interface RunCommandOptions {
  /** The command to run: `Command.shell()` or `Command.exec()`. */
  readonly command: Command;

  /**
   * The path of the workspace: a mount that outlives the microVM. The job keeps its records and its log there, in `.workbench/`.
   *
   * @default - the path where the runtime mounts its session storage
   */
  readonly mountPath?: string;

  /**
   * The absolute path of the directory in which the command runs. If it does not exist, the verdict is `INERT`.
   *
   * @default - `mountPath`
   */
  readonly workingDirectory?: string;

  /**
   * Environment variables of the command, in addition to those of the container. They must not contain secrets, because the service logs them
   * with the command.
   *
   * @default - only XDG_CACHE_HOME, UV_CACHE_DIR, PIP_CACHE_DIR, npm_config_cache and MISE_CACHE_DIR, which move caches to ephemeral disk, because
   * session storage does not support the file locks that they need
   */
  readonly environment?: { [name: string]: string };

  /**
   * The timeout of the command: 1 second to the `maxLifetime` of the session, which is 8 hours at most. A command that takes longer is
   * terminated with all its child processes, and its verdict is `TIMED_OUT`.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;

  /**
   * Determines whether the task may be the first one on the session, and so start it.
   *
   * A new session can fail to start for up to 2 minutes, for example while the image is pulled for the first time. The task then sends the command
   * again for up to 3 minutes, until the session answers. Set it to `false` after another task on the same session, so that the task reports a
   * failing container at once.
   *
   * @default true
   */
  readonly mayStartSession?: boolean;

  /**
   * JavaScript regular expressions that end the command early: as soon as a line of its output matches one of them, the command is terminated
   * with the verdict `FAILED`.
   *
   * @default - only the exit code determines the verdict
   */
  readonly failFast?: string[];

  /**
   * The maximum size of `tail`, the end of the output in the result: 0 to 24 KiB, because JSON may take 6 bytes for one and the payload of a state
   * is limited to 256 KiB.
   *
   * @default Size.kibibytes(8)
   */
  readonly tailSize?: Size;

  /**
   * The maximum size of the log in the workspace: 64 KiB to 256 MiB. The log of a longer output contains its beginning and its end.
   *
   * @default Size.mebibytes(32)
   */
  readonly logSize?: Size;

  /**
   * The ID of the run that the command belongs to. In one session, a command with the same run, round and state name is started at most once, and
   * later requests attach to it.
   *
   * @default - a new ID each time the state is entered
   */
  readonly run?: string;

  /**
   * The round of the run, counted from 0, for a command that runs once in each round.
   *
   * @default 0
   */
  readonly round?: number;
}

/**
 * Properties for the result of a `RunCommand` that uses JSONPath.
 *
 * @internal
 */
export interface RunCommandJsonPathResultProps {
  /**
   * The path in the input where the result is placed. It must be below `$`, because the next call needs the input to attach to a command that
   * outlives the first call.
   *
   * @default '$.command'
   */
  readonly resultPath?: string;
}

/**
 * Properties for the result of a `RunCommand` that uses JSONata.
 *
 * @internal
 */
export interface RunCommandJsonataResultProps extends sfn.AssignableStateOptions {
  /**
   * The output of the fragment. `$states.input` is its input, and the variable named by `resultVariable` contains the result.
   *
   * @default - the result
   */
  readonly outputs?: unknown;

  /**
   * The name of the variable that contains the result.
   *
   * @default 'commandResult'
   */
  readonly resultVariable?: string;
}

/** Properties for `RunCommand`. */
export interface RunCommandProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonPathResultProps, RunCommandJsonataResultProps {}
/** Properties for `RunCommand.jsonPath`. */
export interface RunCommandJsonPathProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonPathResultProps {}
/** Properties for `RunCommand.jsonata`. */
export interface RunCommandJsonataProps extends SessionTaskProps, RunCommandOptions, RunCommandJsonataResultProps {}

/** The timeout of a command without a timeout of its own. */
export const DEFAULT_TIMEOUT = Duration.minutes(5);

/** Returns the mount that holds a command's records: `mountPath`, or the runtime's session storage. */
export function mountOf(props: RunCommandProps): string | undefined {
  return (props.mountPath ?? sessionStorageMountOf(props.runtime))?.replace(/(.)\/$/, '$1');
}

/** Returns the faults of the props, without those of the command itself. */
export function runCommandFaults(scope: IConstruct, props: RunCommandProps): string[] {
  const environment = props.environment ?? {};
  return [
    ...sessionFaults(props),
    ...faultsOf({ ...props, mount: mountOf(props) }, PATH_RULES),
    ...durationFaults('timeout', props.timeout ?? DEFAULT_TIMEOUT, 1, sessionSecondsOf(props.runtime),
      'the session does not live longer; raise its "maxLifetime", or split the command'),
    ...sizeFaults('tailSize', props.tailSize, LIMITS.tailBytes),
    ...sizeFaults('logSize', props.logSize, LIMITS.logBytes),
    ...environmentFaults('environment', environment),
    ...secretFaults(scope, Object.fromEntries(Object.entries(environment).map(([name, value]) => [`environment.${name}`, value]))),
    ...(props.failFast ?? []).filter((pattern) => !isExpression(pattern)).flatMap((pattern) => patternFaults('failFast', pattern)),
  ];
}

const isRelative = (path: string | undefined) => path !== undefined && !isExpression(path) && !path.startsWith('/');

const PATH_RULES: readonly Rule<RunCommandProps & { readonly mount?: string }>[] = [
  {
    broken: ({ mount }) => mount === undefined,
    message: () => '"mountPath" must be set, since no session storage of the runtime is known at synth: add session storage to the runtime, '
      + 'or use the path of a mount that outlives the microVM',
  },
  {
    broken: ({ mount }) => isRelative(mount),
    message: ({ mount }) => `"mountPath" must be an absolute path, not "${mount}": start it with "/"`,
  },
  {
    broken: ({ workingDirectory }) => isRelative(workingDirectory),
    message: ({ workingDirectory }) => `"workingDirectory" must be an absolute path, not "${workingDirectory}": start it with "/"`,
  },
  {
    broken: ({ mount, mountPath, workingDirectory: directory }) => mount !== undefined && mountPath === undefined && directory !== undefined
      && !isExpression(mount) && !isExpression(directory) && directory.startsWith('/mnt/') && directory !== mount && !directory.startsWith(`${mount}/`),
    message: ({ mount, workingDirectory }) =>
      `"workingDirectory" must be on the session storage at "${mount}", not "${workingDirectory}": change one of them, or name the mount in "mountPath"`,
  },
  {
    broken: ({ resultPath }) => resultPath !== undefined && !/^\$(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(resultPath),
    message: ({ resultPath }) => `"resultPath" must be a path below "$", not ${resultPath === sfn.JsonPath.DISCARD ? 'JsonPath.DISCARD' : `"${resultPath}"`}: `
      + 'use a path such as "$.lint", since the input is needed again to attach to the command',
  },
];

function sizeFaults(prop: string, size: Size | undefined, { min, max }: { readonly min: number; readonly max: number }): string[] {
  if (size === undefined || size.isUnresolved()) return [];
  const bytes = size.toBytes({ rounding: undefined });
  return bytes < min || bytes > max ? [`"${prop}" must be ${min} to ${max} bytes, not ${bytes}: change it`] : [];
}
