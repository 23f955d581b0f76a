/** A host directory that a sandbox sees at a path of its own. */
export interface SandboxMount {
  readonly source: string;
  readonly target: string;
}

/** Determines whether processes that a command leaves behind are killed. The service's behavior is not documented, so both have to be tried. */
export type Leftovers = 'keep' | 'kill';

export interface SandboxOptions {
  /** A directory that does not exist yet, for an ephemeral disk. It is removed when the sandbox is killed. */
  readonly disk: string;
  /** Directories of the host that are shared with the sandbox and outlive it, such as a session's workspace. */
  readonly mounts: readonly SandboxMount[];
  /** The whole environment of what runs in the sandbox: nothing of the host's comes along by itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of the host that must look empty, such as the workspaces of other sessions. */
  readonly hidden?: readonly string[];
}

/** Takes a piece of output. The process is not read any further until a returned promise has settled. */
export type OutputListener = (chunk: Buffer) => void | Promise<void>;

export interface ProcessOptions {
  /** The program and its arguments, handed over as they are. */
  readonly command: readonly string[];
  /** Added to the sandbox's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default '/' */
  readonly workingDirectory?: string;
  readonly onStdout?: OutputListener;
  readonly onStderr?: OutputListener;
  /** @default 'keep' */
  readonly leftovers?: Leftovers;
}

export interface ExecOptions extends ProcessOptions {
  /** Kills the command, with its process group, and with everything that descends from it when left-overs are killed. */
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  /** The program's own code; 128 + n after signal n; 126 or 127 when the program cannot be started. */
  readonly exitCode: number;
  /** The sandbox itself was killed: the code says nothing about the command. */
  readonly sandboxKilled: boolean;
}

export interface SandboxProcess {
  /** Settles once the program has ended and the output that it had written has been handed over. Never rejects. */
  readonly ended: Promise<ExecResult>;
  kill(): void;
}

/** The port that a program with the container contract listens on, inside the sandbox and as seen from outside. */
export interface AgentPort {
  readonly inside: number;
  readonly outside: number;
}

/** One microVM: processes, ephemeral disk, mounts. */
export interface Sandbox {
  /** Ways in which this sandbox is looser than a microVM, in words for a person. */
  readonly warnings: readonly string[];
  readonly killed: boolean;
  spawn(options: ProcessOptions): Promise<SandboxProcess>;
  exec(options: ExecOptions): Promise<ExecResult>;
  /** Runs a program with the terminal of this process, for a person; returns its exit code. Not all sandboxes can. */
  attach?(options: Pick<ProcessOptions, 'command' | 'environment' | 'workingDirectory'>): Promise<number>;
  /** Ports on loopback for one program. */
  agentPort(): Promise<AgentPort>;
  /** Settles when no process and nothing of the ephemeral disk is left. May be called again. */
  kill(): Promise<void>;
}

/** A container image, and what it runs by itself. */
export interface SandboxImage {
  readonly name: string;
  /** Entry point and command. */
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** Numbers of its user and group. */
  readonly user: number;
  readonly group: number;
}

export interface SandboxDriver {
  readonly name: string;
  /** The container engine's command line. @default - no container */
  readonly tool?: string;
  /** The image that provides the programs. @default - this machine's programs */
  readonly image?: SandboxImage;
  /** Number of the user that was asked for. @default - the one who rehearses, or the image's */
  readonly runsAs?: number;
  /** Indicates that its sandboxes cannot reach the loopback of this machine. @default false */
  readonly ownNetwork?: boolean;
  start(options: SandboxOptions): Promise<Sandbox>;
}

/** No sandbox could be made here: the message says what is missing. */
export class SandboxUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SandboxUnavailableError';
  }
}
