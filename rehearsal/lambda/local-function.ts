import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecutionEnvironment, FunctionOutcome } from './execution-environment';

export interface LocalFunctionProps {
  readonly name: string;
  readonly arn: string;
  /** The directory of its code. */
  readonly directory: string;
  /** `file.export`. */
  readonly handler: string;
  /** @default 3, as Lambda */
  readonly timeoutSeconds?: number;
  /** MiB, for its environment; nothing holds it to that. @default 128 */
  readonly memorySize?: number;
  readonly region: string;
  /** Tells servers whose requests these are; nothing checks a signature. @default 'AKIDLOCAL' */
  readonly accessKeyId?: string;
  /** Its own variables, and endpoints of the services it may call. Nothing of ours is passed on. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onLog?: (line: string) => void;
}

/** A Lambda function on this machine: its own bundle in processes of its own, kept warm between requests. */
export class LocalFunction {
  private readonly environments: ExecutionEnvironment[] = [];
  private scratch?: string;

  constructor(private readonly props: LocalFunctionProps) {}

  /** Runs it in an environment that is idle, or in a new one. Never throws for what the function does. */
  async invoke(event: unknown): Promise<FunctionOutcome> {
    const { arn, timeoutSeconds = 3 } = this.props;
    const environment = this.environments.find(({ idle, alive }) => idle && alive) ?? this.start();
    return environment.invoke({ event, arn, requestId: randomUUID(), deadline: Date.now() + timeoutSeconds * 1_000 });
  }

  /** Ends all its processes at once: what is running fails as it does when Lambda loses a host, and the next request starts cold. */
  async kill(): Promise<void> {
    const { scratch } = this;
    this.scratch = undefined; // a request that comes meanwhile has a copy of its own
    await Promise.all(this.environments.splice(0).map((environment) => environment.kill()));
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }

  /**
   * Copies the code to a directory without a `package.json` of the user's above it, as in `/var/task`: one with `"type": "module"` would turn
   * a CommonJS bundle into an ES module.
   */
  private get taskRoot(): string {
    if (this.scratch === undefined) {
      this.scratch = mkdtempSync(join(tmpdir(), 'workbench-function-'));
      writeFileSync(join(this.scratch, 'package.json'), '{}\n');
      cpSync(this.props.directory, join(this.scratch, 'task'), { recursive: true, verbatimSymlinks: true });
    }
    return join(this.scratch, 'task');
  }

  private start(): ExecutionEnvironment {
    const { name, handler, memorySize = 128, region, accessKeyId = 'AKIDLOCAL', environment, onLog = () => undefined } = this.props;
    const started = new ExecutionEnvironment({
      // Not that of the one who rehearses, whose configuration of AWS is there, or who has none.
      HOME: this.taskRoot,
      ...environment,
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: this.taskRoot,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memorySize}`,
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
      // Any will do, where nothing checks a signature; none would make the SDK look for some on this machine.
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SESSION_TOKEN: 'local',
      AWS_EC2_METADATA_DISABLED: 'true',
    }, onLog);
    this.environments.push(started);
    return started;
  }
}
