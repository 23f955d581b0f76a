import { Duration, Token } from 'aws-cdk-lib';
import { LIMITS } from './handler/constants';
import { TOOLS_COMMAND } from './tools-command';
import { normalizeMountPath } from '../mount/constants';
import { mountPathFaults } from '../mount/mount-rules';
import { sorted } from '../private/sorted';

/** Options of `SmokeTest.command`. */
export interface SmokeCommandOptions {
  /**
   * Exit code that the command has to end with: 0 to 255.
   *
   * @default 0
   */
  readonly expectExitCode?: number;

  /**
   * How long the command may take, 1 second to 30 minutes. It is ended after that, with its children, and the test has failed.
   *
   * @default Duration.minutes(2)
   */
  readonly timeout?: Duration;
}

/** Options of `SmokeTest.invoke`. */
export interface SmokeInvokeOptions {
  /**
   * Regular expression that the agent's reply has to match: its text, or its JSON without line breaks; of an event stream the last event's data.
   *
   * @default - any reply will do that does not say `error`
   */
  readonly expect?: string;

  /**
   * How long the agent may take, 1 second to 10 minutes. All invokes of a rollout together have 10 minutes, and less than its own `timeout`.
   *
   * @default Duration.minutes(3)
   */
  readonly timeout?: Duration;
}

/** What a smoke test does. */
export interface SmokeTestConfig {
  /** What the test is called in logs and errors. */
  readonly name: string;

  /**
   * Line for bash, run in `/tmp`.
   *
   * @default - none: the test is an invoke
   */
  readonly command?: string;

  /**
   * Exit code that the command has to end with.
   *
   * @default 0
   */
  readonly expectExitCode?: number;

  /**
   * JSON to invoke the agent with.
   *
   * @default - none: the test is a command
   */
  readonly payload?: string;

  /**
   * Regular expression for the agent's reply.
   *
   * @default - any reply will do
   */
  readonly expect?: string;

  /** How long it may take. */
  readonly timeout: Duration;
}

/**
 * What a new version of a runtime has to do before anyone gets to use it: a command, or an invoke of the agent.
 *
 * Tests run one after the other in a session that is made for them and stopped afterwards, on the endpoint that is to be handed out. A
 * rollout that is interrupted goes on with them: a command that was begun is not begun again, an invoke is. The service logs commands: they
 * must hold no secrets.
 */
export abstract class SmokeTest {
  /**
   * A line for bash, which ends with the exit code that is expected.
   *
   * @param line run in `/tmp`, at most 32 KiB
   */
  public static command(line: string, options: SmokeCommandOptions = {}): SmokeTest {
    const name = line.length > 40 ? `${line.slice(0, 39)}…` : line;
    return new CommandTest(name, line, options);
  }

  /**
   * Every tool answers that an `AgentImage` was built with: `/etc/agent-image.json` lists them, each with the command that verified it
   * in the build. Fails on an image without that list.
   */
  public static tools(): SmokeTest {
    return new CommandTest('tools', TOOLS_COMMAND, { timeout: Duration.minutes(5) });
  }

  /**
   * A mount takes a file and gives it back.
   *
   * @param mountPath where the file system is mounted, such as `/mnt/workspace`
   */
  public static writable(mountPath: string): SmokeTest {
    return new WritableTest(mountPath);
  }

  /**
   * The agent answers.
   *
   * @param payload sent as JSON; it should ask for no work that costs, as it may be sent again
   */
  public static invoke(payload: { [name: string]: unknown }, options: SmokeInvokeOptions = {}): SmokeTest {
    return new InvokeTest(payload, options);
  }

  /** What the test does. Called by `RuntimeRollout`. */
  public abstract bind(): SmokeTestConfig;
}

class CommandTest extends SmokeTest {
  constructor(private readonly name: string, private readonly line: string, private readonly options: SmokeCommandOptions) {
    super();
  }

  public bind(): SmokeTestConfig {
    const { expectExitCode = 0, timeout = Duration.seconds(LIMITS.commandSeconds.default) } = this.options;
    return { name: this.name, command: this.line, expectExitCode, timeout };
  }
}

class WritableTest extends SmokeTest {
  constructor(private readonly mountPath: string) {
    super();
  }

  public bind(): SmokeTestConfig {
    const faults = Token.isUnresolved(this.mountPath) ? [] : mountPathFaults(this.mountPath, 'mountPath');
    if (faults.length > 0) throw new Error(faults.join('\n'));
    const mount = normalizeMountPath(this.mountPath);
    return {
      name: `writable ${mount}`,
      command: `file="${mount}/.smoke-$$" && echo written > "$file" && [ "$(cat "$file")" = written ] && rm "$file"`,
      timeout: Duration.seconds(LIMITS.commandSeconds.default),
    };
  }
}

class InvokeTest extends SmokeTest {
  constructor(private readonly payload: unknown, private readonly options: SmokeInvokeOptions) {
    super();
  }

  public bind(): SmokeTestConfig {
    const { expect, timeout = Duration.seconds(LIMITS.invokeSeconds.default) } = this.options;
    return { name: 'invoke', payload: JSON.stringify(sorted(this.payload)), expect, timeout };
  }
}
