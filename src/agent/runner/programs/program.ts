import { AgentDefinition, AgentErrorName, AgentReport } from '../../constants';

/** One program that works as an agent: how it is started for one turn, and how its output is read. */
export interface Program {
  /** The executable, which is looked up on `PATH`; undefined if the definition has a command line instead. */
  readonly executable?: string;
  /** The arguments that make the executable print its version. @default ['--version'] */
  readonly versionArguments?: readonly string[];
  /** The paths below the state directory that make a conversation. Only they are kept on the mount. */
  readonly kept: readonly string[];
  /** Returns what is missing for the program to begin. Each fault says what to change. */
  faults?(definition: AgentDefinition, environment: Environment): string[];
  /**
   * Returns a process that finds out whether the agent could begin, when the version of the program does not tell. If it fails, the last line of its
   * standard error says what to change. It may write files into the directory, and calls no model.
   */
  trial?(definition: AgentDefinition, directory: string): ProgramStart;
  /** Returns the process of one turn. It may write files of configuration into the state directory. */
  start(turn: ProgramTurn): ProgramStart;
  /**
   * Returns the reader of one process's output. `stop` ends the process when nothing good can follow, such as the same failure again and again; the
   * reader's result then has the reason.
   */
  reader(progress: Progress, stop: () => void, turn: ProgramTurn): ProgramReader;
}

/** Prints one thing that the agent does, for people to follow: its text, or the name of a tool. */
export type Progress = (text: string) => void;

export interface Environment {
  readonly [name: string]: string | undefined;
}

/** The turn that a program is started for. */
export interface ProgramTurn {
  readonly definition: AgentDefinition;
  /** The ID of the model: that of the environment, or that of the definition. */
  readonly model?: string;
  /** The AWS region of the session, if it has one. */
  readonly region?: string;
  readonly prompt: string;
  /** All instructions that are not the repository's own: those of the definition and those of the loop. */
  readonly instructions?: string;
  /** The ID of the conversation to continue, as the reader returned it at the end of an earlier turn of the same task. */
  readonly conversation?: string;
  /** The clone, which is the current directory of the process. */
  readonly directory: string;
  /** The directory for the program's state, on ephemeral disk. Conversations that are kept on the mount are restored to it. */
  readonly state: string;
  /** The variables that the process inherits. */
  readonly environment: Environment;
}

export interface ProgramStart {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Variables in addition to those that the process inherits; undefined removes one. The definition's own variables override them. */
  readonly environment?: Environment;
  /** The standard input. The prompt goes here or into a file, never into the arguments, which other processes can read. */
  readonly input: string;
}

export interface ProgramReader {
  /** Reads one complete line of the standard output, without its end. */
  line(line: string): void;
  /** Reads the beginning of a line that is longer than the runner retains. @default - such lines are ignored */
  longLine?(beginning: string): void;
  /** Reads one line of the standard error, cut if it is long. @default - the standard error is only passed on */
  errorLine?(line: string): void;
  /** Returns what the process reported, after it ended. */
  end(ended: ProgramEnd): ProgramResult;
}

export interface ProgramEnd {
  /** The exit code, or null if a signal ended the process. */
  readonly exitCode: number | null;
  readonly signal?: string;
  /** The ends of both outputs, bounded. */
  readonly output: string;
  readonly errors: string;
}

export interface ProgramResult extends Pick<AgentReport, 'turns' | 'usage' | 'costUsd' | 'summary' | 'version'> {
  /** The ID with which the next turn of the task continues this conversation. */
  readonly conversation?: string;
  /** Determines whether the program did not find the conversation that it should continue. The turn starts again with a new one. */
  readonly lostConversation?: boolean;
  /** The end that is no work. `failure` in failures.ts makes it from the name and the program's own words. */
  readonly error?: { readonly name: AgentErrorName; readonly message: string };
}
