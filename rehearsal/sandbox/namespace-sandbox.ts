import { ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { execute } from './execute';
import { freePort } from './free-port';
import { EXEC_MARKER, processesOf } from './leftovers';
import { OutputPump } from './output-pump';
import { discard, Pipe, PipePool } from './pipes';
import type { AgentPort, ExecOptions, ExecResult, ProcessOptions, Sandbox, SandboxProcess } from './sandbox';

export interface NamespaceSandboxProps {
  readonly supervisor: ChildProcess;
  readonly initPid: number;
  /** Command line that runs another in the sandbox, with the rights of whoever made it. */
  readonly enter: readonly string[];
  /** The same, to run it there as the sandbox's user. */
  readonly become: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly pipes: PipePool;
  readonly warnings: readonly string[];
}

/** A sandbox of Linux namespaces. Commands get in by `nsenter`, which costs about as much as starting a second small program. */
export class NamespaceSandbox implements Sandbox {
  readonly warnings: readonly string[];
  private readonly gone: Promise<void>;
  private isGone = false;
  private killing = false;
  private execs = 0;

  constructor(private readonly props: NamespaceSandboxProps) {
    this.warnings = props.warnings;
    const { supervisor } = props;
    this.gone = new Promise(resolve => supervisor.once('exit', () => {
      this.isGone = true;
      resolve();
    }));
  }

  get killed(): boolean {
    return this.killing || this.isGone;
  }

  async spawn(options: ProcessOptions): Promise<SandboxProcess> {
    const execId = `${this.props.initPid}-${++this.execs}`;
    const pipes = await this.pipes();
    if (!pipes) {
      return { ended: Promise.resolve({ exitCode: 137, sandboxKilled: true }), kill: () => undefined };
    }
    const [stdout, stderr] = pipes;
    const [program, ...args] = this.commandLine(options);
    const child = spawn(program, args, {
      detached: true, // a process group of its own, to be killed as a whole
      stdio: ['ignore', stdout.writeFd, stderr.writeFd],
      env: { ...this.props.environment, ...options.environment, [EXEC_MARKER]: execId },
    });
    closeSync(stdout.writeFd);
    closeSync(stderr.writeFd);
    const outputs = [new OutputPump(stdout.reader, options.onStdout), new OutputPump(stderr.reader, options.onStderr)];
    const exited = new Promise<number>(resolve => {
      child.once('error', () => resolve(126));
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
    const sweep = async () => {
      if (options.leftovers === 'kill') {
        await this.killProcesses(execId);
      }
    };
    const ended = exited.then(async exitCode => {
      const sandboxKilled = this.killed;
      await sweep();
      await Promise.all(outputs.map(output => output.drain()));
      return { exitCode, sandboxKilled };
    });
    return {
      ended,
      kill: () => {
        killGroup(child);
        void sweep();
      },
    };
  }

  async exec(options: ExecOptions): Promise<ExecResult> {
    return execute(this, options);
  }

  async agentPort(): Promise<AgentPort> {
    const port = await freePort();
    return { inside: port, outside: port };
  }

  async attach(options: Pick<ProcessOptions, 'command' | 'environment' | 'workingDirectory'>): Promise<number> {
    const [program, ...args] = this.commandLine(options);
    const child = spawn(program, args, { stdio: 'inherit', env: { ...this.props.environment, ...options.environment } });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  }

  async kill(): Promise<void> {
    if (!this.killing && !this.isGone) {
      this.killing = true;
      // Its init ends at the end of its input, and the kernel ends all other processes of the namespace with it.
      this.props.supervisor.stdin!.destroy();
    }
    await this.gone;
  }

  private commandLine({ command, workingDirectory }: Pick<ProcessOptions, 'command' | 'workingDirectory'>): readonly string[] {
    return [...this.props.enter, ...this.props.become, ...inDirectory(workingDirectory, command)];
  }

  /** Reads stdout and stderr; none once the sandbox is killed, because they are on its disk. */
  private async pipes(): Promise<[Pipe, Pipe] | undefined> {
    const taken: Pipe[] = [];
    try {
      while (taken.length < 2 && !this.killed) {
        taken.push(await this.props.pipes.take());
      }
    } catch (error) {
      if (!this.killed) {
        throw error;
      }
    }
    if (this.killed) {
      taken.forEach(discard);
      return undefined;
    }
    return [taken[0], taken[1]];
  }

  /** Repeats, since what is found may have forked before it was killed. */
  private async killProcesses(execId: string): Promise<void> {
    for (let found = processesOf(this.props.initPid, execId); found.length > 0 && !this.killed; found = processesOf(this.props.initPid, execId)) {
      const [program, ...args] = [...this.props.enter, 'kill', '-KILL', ...found.map(String)];
      const killer = spawn(program, args, { stdio: 'ignore' });
      await new Promise(resolve => killer.once('error', resolve).once('exit', resolve));
    }
  }
}

/** `nsenter` looks up a working directory before it is inside. */
function inDirectory(directory: string | undefined, command: readonly string[]): readonly string[] {
  return directory === undefined || directory === '/' ? command : ['bash', '--norc', '-c', 'cd -- "$0" && exec "$@"', directory, ...command];
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Ended already.
  }
}
