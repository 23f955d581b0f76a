import { Duration, Token, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { CommandTestProperties, InvokeTestProperties, LIMITS, SmokeTestProperties } from './handler/constants';
import { SMOKE_COMMAND_ACTIONS, SMOKE_INVOKE_ACTIONS } from './perms';
import { RUNNER } from '../agent/constants';
import { MANIFEST_PATH } from '../image/constants';
import { LIMITS as SESSION_LIMITS } from '../jobs/constants';
import { normalizeMountPath } from '../mount/constants';
import { mountPathFaults } from '../mount/mount-rules';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { durationFaults, faultsOf, Rule } from '../private/validation';

/** Options for `SmokeTest.command`. */
export interface SmokeCommandOptions {
  /**
   * The exit code that the command must have: 0 to 255.
   *
   * @default 0
   */
  readonly expectExitCode?: number;

  /**
   * The timeout of the command: 1 second to 30 minutes. A command that takes longer is terminated with all its child processes, and the test fails.
   *
   * @default Duration.minutes(2)
   */
  readonly timeout?: Duration;
}

/** Options for `SmokeTest.invoke`. */
export interface SmokeInvokeOptions {
  /**
   * A JavaScript regular expression that the agent's reply must match. It is matched against the text of the reply, or its JSON without line breaks;
   * for an event stream, against the data of the last event.
   *
   * @default - any reply passes unless it has an `error` property
   */
  readonly expect?: string;

  /**
   * The timeout of the agent's reply: 1 second to 10 minutes. The timeouts of all such tests of a rollout together must be at most 10 minutes, and
   * less than the `timeout` of the rollout, because one call of a Lambda function runs them.
   *
   * @default Duration.minutes(3)
   */
  readonly timeout?: Duration;
}

/**
 * A test that a new version of a runtime must pass before it is used: a command, or an invocation of the agent.
 *
 * Tests run in order on the endpoint of the version, in a session that is created for them and stopped afterwards. A rollout that is interrupted
 * attaches to a command that it has started, but invokes the agent again. Commands must not contain secrets, because the service logs them.
 */
export abstract class SmokeTest {
  /**
   * Tests that a command ends with the expected exit code.
   *
   * @param line A bash command line of at most 32 KiB, which runs in `/tmp`
   * @param options Options for the test
   */
  public static command(line: string, options: SmokeCommandOptions = {}): SmokeTest {
    const name = line.length > 40 ? `${line.slice(0, 39)}…` : line;
    return new CommandTest(name, line, options);
  }

  /**
   * Tests that all tools of an `AgentImage` work, with the commands that verified them in the build. The image lists them in
   * `/etc/agent-image.json`; the test fails if this file does not exist.
   */
  public static tools(): SmokeTest {
    return new CommandTest('tools', toolsCommand(MANIFEST_PATH), { timeout: Duration.minutes(5) });
  }

  /**
   * Tests that the coding agent of the image could begin a turn: its program prints its version, its definition is valid, and it has a model.
   * The model is not invoked. The image must have the agent, such as one from `AgentImage.forAgent`.
   */
  public static agent(): SmokeTest {
    return new CommandTest('agent', `${RUNNER.command} check`, {});
  }

  /**
   * Tests that a mount is writable, and that a file can be read back from it.
   *
   * @param mountPath The path where the file system is mounted, such as `/mnt/workspace`
   */
  public static writable(mountPath: string): SmokeTest {
    return new WritableTest(mountPath);
  }

  /**
   * Tests that the agent answers an invocation.
   *
   * @param payload The payload that is sent to the agent as JSON. It may be sent more than once, so it should not ask for expensive work
   * @param options Options for the test
   */
  public static invoke(payload: { [name: string]: unknown }, options: SmokeInvokeOptions = {}): SmokeTest {
    return new InvokeTest(payload, options);
  }

  /**
   * Returns the default tests of a rollout. Their timeouts are derived from its timeout, so that a short rollout is not refused for their sake.
   *
   * @internal
   */
  public static _defaults(mountPath: string | undefined, rolloutTimeout: Duration): SmokeTest[] {
    const most = rolloutTimeout.isUnresolved() ? Infinity : Math.floor(rolloutTimeout.toSeconds({ integral: false }) / 2);
    const timeout = Duration.seconds(Math.min(LIMITS.commandSeconds.default, most));
    return [
      ...['bash --version', 'git --version'].map((line) => SmokeTest.command(line, { timeout })),
      ...(mountPath === undefined ? [] : [new WritableTest(mountPath, timeout)]),
    ];
  }

  /** @internal */
  public abstract readonly _timeout: Duration;

  /**
   * The IAM actions that the test needs on the runtime and its endpoints.
   *
   * @internal
   */
  public abstract readonly _actions: readonly string[];

  /**
   * Determines whether one call of the function has to see all of the test, since a later call cannot attach to it.
   *
   * @internal
   */
  public abstract readonly _takesOneCall: boolean;

  /** @internal */
  public abstract _faults(scope: IConstruct, prop: string): string[];

  /**
   * Returns the test as it stands in the template.
   *
   * @internal
   */
  public abstract _bind(): SmokeTestProperties;
}

class CommandTest extends SmokeTest {
  public readonly _timeout: Duration;
  public readonly _actions = SMOKE_COMMAND_ACTIONS;
  public readonly _takesOneCall = false;
  private readonly expectExitCode: number;

  constructor(private readonly name: string, private readonly line: string, options: SmokeCommandOptions) {
    super();
    this._timeout = options.timeout ?? Duration.seconds(LIMITS.commandSeconds.default);
    this.expectExitCode = options.expectExitCode ?? 0;
  }

  public _faults(scope: IConstruct, prop: string): string[] {
    const { min, max } = LIMITS.commandSeconds;
    return [
      ...faultsOf({ prop, line: this.line, code: this.expectExitCode }, COMMAND_RULES),
      ...durationFaults(`${prop}.timeout`, this._timeout, min, max, 'lower it'),
      ...secretFaults(scope, { [prop]: this.line }),
    ];
  }

  public _bind(): CommandTestProperties {
    return {
      Name: this.name,
      Command: this.line,
      ExitCode: Tokenization.stringifyNumber(this.expectExitCode),
      TimeoutSeconds: Tokenization.stringifyNumber(this._timeout.toSeconds()),
    };
  }
}

class WritableTest extends CommandTest {
  constructor(private readonly mountPath: string, timeout?: Duration) {
    const mount = normalizeMountPath(mountPath);
    super(`writable ${mount}`, `file="${mount}/.smoke-$$" && echo written > "$file" && [ "$(cat "$file")" = written ] && rm "$file"`, { timeout });
  }

  public override _faults(scope: IConstruct, prop: string): string[] {
    return [...(Token.isUnresolved(this.mountPath) ? [] : mountPathFaults(this.mountPath, `${prop}.mountPath`)), ...super._faults(scope, prop)];
  }
}

class InvokeTest extends SmokeTest {
  public readonly _timeout: Duration;
  public readonly _actions = SMOKE_INVOKE_ACTIONS;
  public readonly _takesOneCall = true;

  constructor(private readonly payload: object, private readonly options: SmokeInvokeOptions) {
    super();
    this._timeout = options.timeout ?? Duration.seconds(LIMITS.invokeSeconds.default);
  }

  public _faults(scope: IConstruct, prop: string): string[] {
    const { min, max } = LIMITS.invokeSeconds;
    return [
      ...faultsOf({ prop, expect: this.options.expect }, INVOKE_RULES),
      ...durationFaults(`${prop}.timeout`, this._timeout, min, max, 'lower it'),
      ...secretFaults(scope, { [`${prop}.payload`]: JSON.stringify(this.payload) }),
    ];
  }

  public _bind(): InvokeTestProperties {
    return {
      Name: 'invoke',
      Payload: JSON.stringify(sorted(this.payload)),
      Expect: this.options.expect,
      TimeoutSeconds: Tokenization.stringifyNumber(this._timeout.toSeconds()),
    };
  }
}

const COMMAND_RULES: readonly Rule<{ readonly prop: string; readonly line: string; readonly code: number }>[] = [
  {
    broken: ({ line }) => !Token.isUnresolved(line) && (line === '' || Buffer.byteLength(line) > SESSION_LIMITS.commandBytes),
    message: ({ prop, line }) => `"${prop}" must have a command of 1 to ${SESSION_LIMITS.commandBytes} bytes, not ${Buffer.byteLength(line)}: put it in a script of the image`,
  },
  {
    broken: ({ code }) => !Token.isUnresolved(code) && !(Number.isInteger(code) && code >= 0 && code <= 255),
    message: ({ prop, code }) => `"${prop}.expectExitCode" must be a whole number from 0 to 255, not ${code}: change it`,
  },
];

const INVOKE_RULES: readonly Rule<{ readonly prop: string; readonly expect?: string }>[] = [
  {
    broken: ({ expect }) => expect !== undefined && !Token.isUnresolved(expect) && !isPattern(expect),
    message: ({ prop, expect }) => `"${prop}.expect" must be a regular expression, not "${expect}": escape its special characters`,
  },
];

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Returns a bash script that runs the verify command of each tool in the manifest of an `AgentImage`.
 *
 * The manifest has one tool per line, with its command at the end. Bash parses the JSON itself, since an image may lack every tool that could:
 * `printf %b` undoes all escapes of JSON except that of a quote. There are no regular expressions, which refuse bytes that are invalid in the
 * locale. There is no apostrophe either, so that the service logs the script unchanged: see docs/decisions/0019.
 */
export function toolsCommand(manifest: string): string {
  return [
    `if [ ! -r "${manifest}" ]; then echo "${manifest} does not exist: the image was not built by AgentImage"; exit 1; fi`,
    'failed=',
    'while IFS= read -r line; do',
    '  [[ $line == *\\"verify\\":\\ \\"* ]] || continue',
    '  name=${line#*\\"name\\": \\"}; name=${name%%\\"*}; json=${line#*\\"verify\\": \\"}; json=${json%\\"*}',
    '  printf -v verify %b "${json//\\\\\\"/\\"}"',
    '  if output=$(cd / && sh -c "$verify" 2>&1 < /dev/null); then echo "$name: $output"',
    '  else failed="$failed $name"; echo "$name: \\"$verify\\" failed: $output"; fi',
    `done < "${manifest}"`,
    'if [ -n "$failed" ]; then echo "the image lacks:$failed"; exit 1; fi',
  ].join('\n');
}
