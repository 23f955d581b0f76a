import { ChildProcess, ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Tools with the command line of `docker`, in the order in which they are looked for. */
export const CONTAINER_TOOLS = ['docker', 'podman', 'finch'] as const;
export type ContainerToolName = typeof CONTAINER_TOOLS[number];

export interface ContainerToolOptions {
  /** Environment of the tool itself, such as `DOCKER_HOST`. @default - that of this process */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A container tool failed; the message is its own. */
export class ContainerToolError extends Error {
  readonly name = 'ContainerToolError';
}

/** The command line of a container engine. */
export class ContainerTool {
  private readonly environment: NodeJS.ProcessEnv;

  constructor(readonly name: ContainerToolName, options: ContainerToolOptions = {}) {
    this.environment = options.environment ?? process.env;
  }

  /** Returns why the tool cannot be used, or `undefined` if it is installed and its engine answers. */
  async complaint(): Promise<string | undefined> {
    try {
      await this.run(['ps', '--quiet']); // unlike a version, it takes the engine
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Runs the tool to its end. @returns what it printed */
  async run(args: readonly string[]): Promise<string> {
    try {
      return (await run(this.name, args, { env: this.environment, maxBuffer: 64 * 1024 * 1024 })).stdout;
    } catch (error) {
      const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
      const why = code === 'ENOENT' ? 'not installed' : stderr.trim() || (error as Error).message;
      throw new ContainerToolError(`${this.name} ${args[0]}: ${why}`);
    }
  }

  /**
   * Starts the tool, connected to the program that it runs.
   * @param variables environment of the container; it follows `args[0]`, by name alone where possible, because everyone can read a command line
   */
  start(args: readonly string[], variables: Readonly<Record<string, string>>): ChildProcessByStdio<Writable, Readable, Readable> {
    const { words, env } = this.withVariables(args, variables);
    return spawn(this.name, words, {
      detached: true, // Ctrl-C is for the rehearsal, which ends its sandboxes in order
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
    });
  }

  /** Runs the tool with the terminal of this process, for a person. */
  attach(args: readonly string[], variables: Readonly<Record<string, string>>): ChildProcess {
    const { words, env } = this.withVariables(args, variables);
    return spawn(this.name, words, { stdio: 'inherit', env });
  }

  private withVariables(args: readonly string[], variables: Readonly<Record<string, string>>): { words: string[]; env: NodeJS.ProcessEnv } {
    const entries = Object.entries(variables);
    const own = ([name, value]: [string, string]) => this.environment[name] !== undefined && this.environment[name] !== value;
    const flags = entries.flatMap(entry => ['--env', own(entry) ? entry.join('=') : entry[0]]);
    const env = { ...this.environment, ...Object.fromEntries(entries.filter(entry => !own(entry))) };
    return { words: [args[0], ...flags, ...args.slice(1)], env };
  }
}

/** The first tool that answers, or why none does. */
export async function findContainerTool(options: ContainerToolOptions = {}): Promise<ContainerTool | string[]> {
  const complaints: string[] = [];
  for (const name of CONTAINER_TOOLS) {
    const tool = new ContainerTool(name, options);
    const complaint = await tool.complaint();
    if (complaint === undefined) {
      return tool;
    }
    complaints.push(complaint);
  }
  return complaints;
}
