import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { ContainerProcess } from './container-process';
import type { ContainerTool } from './container-tool';
import { execute } from './execute';
import { freePort } from './free-port';
import type { AgentPort, ExecOptions, ExecResult, ProcessOptions, Sandbox, SandboxProcess } from './sandbox';

type AttachOptions = Pick<ProcessOptions, 'command' | 'environment' | 'workingDirectory'>;

export interface ContainerSandboxProps {
  readonly tool: ContainerTool;
  /** Name of the container. */
  readonly container: string;
  /** The tool's own process that the container's process 1 is attached to. */
  readonly init: ChildProcess;
  /** The port that the container publishes on loopback; none if it has the network of this machine. */
  readonly publishedPort?: number;
  readonly warnings: readonly string[];
}

/** A container that is kept by its process 1 and entered by `exec`. */
export class ContainerSandbox implements Sandbox {
  readonly warnings: readonly string[];
  private readonly gone: Promise<void>;
  private isGone = false;
  private killing = false;

  constructor(private readonly props: ContainerSandboxProps) {
    this.warnings = props.warnings;
    this.gone = new Promise<void>(resolve => props.init.once('exit', async (_, signal) => {
      this.isGone = true;
      if (signal !== null) {
        // Not the container has ended, but the tool: it will not have removed anything.
        await props.tool.run(['rm', '--force', props.container]).catch(() => undefined);
      }
      resolve();
    }));
  }

  get killed(): boolean {
    return this.killing || this.isGone;
  }

  async spawn(options: ProcessOptions): Promise<SandboxProcess> {
    if (this.killed) {
      return { ended: Promise.resolve({ exitCode: 137, sandboxKilled: true }), kill: () => undefined };
    }
    return new ContainerProcess(this.props.tool, this.props.container, options, () => this.killed);
  }

  async exec(options: ExecOptions): Promise<ExecResult> {
    return execute(this, options);
  }

  async attach({ command, environment = {}, workingDirectory = '/' }: AttachOptions): Promise<number> {
    const { tool, container } = this.props;
    const terminal = process.stdin.isTTY ? ['--tty'] : [];
    const client = tool.attach(['exec', '--interactive', ...terminal, '--workdir', workingDirectory, container, ...command], environment);
    return new Promise((resolve, reject) => {
      client.once('error', reject);
      client.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  }

  async agentPort(): Promise<AgentPort> {
    const { tool, container, publishedPort } = this.props;
    if (publishedPort === undefined) {
      const port = await freePort();
      return { inside: port, outside: port };
    }
    const [, outside] = /:(\d+)\s*$/m.exec(await tool.run(['port', container, `${publishedPort}`])) ?? [];
    return { inside: publishedPort, outside: Number(outside) };
  }

  async kill(): Promise<void> {
    if (!this.killed) {
      this.killing = true;
      await this.props.tool.run(['kill', '--signal', 'KILL', this.props.container]).catch(() => {
        this.props.init.stdin!.destroy(); // its process 1 ends at the end of its input
      });
    }
    await this.gone;
  }
}
