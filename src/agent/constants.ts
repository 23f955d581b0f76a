/** The program in an image that runs an agent: one turn of it, or the server of the container contract. */
export const RUNNER = {
  /** The name of the command. */
  command: 'workbench-agent',
  /** The directory of the runner in an image. */
  directory: '/opt/workbench-agent',
  /** The path of its bundle in this package. */
  asset: 'assets/agent/workbench-agent.js',
  /** The definition of the agent in an image. */
  definition: '/etc/workbench-agent.json',
} as const;

/** The environment variables of the runner. */
export const RUNNER_VARIABLES = {
  /** The path of the definition, instead of the one in the image. */
  DEFINITION: 'WORKBENCH_AGENT_FILE',
  /** The ID of the model, instead of the one in the definition. */
  MODEL: 'WORKBENCH_AGENT_MODEL',
  /** The ID of the model for small work, instead of the one in the definition. */
  SMALL_MODEL: 'WORKBENCH_AGENT_SMALL_MODEL',
  /** Instructions of the loop for one turn, such as the gates that judge the change. */
  INSTRUCTIONS: 'WORKBENCH_INSTRUCTIONS',
  /** The path of a file with the prompt. Without it, the prompt is the standard input. */
  PROMPT_FILE: 'WORKBENCH_PROMPT_FILE',
  TASK_ID: 'WORKBENCH_TASK_ID',
  ROUND: 'WORKBENCH_ROUND',
  /** The ID of the run, which begins with the name of the execution. It is in the logs of the driver, too. */
  RUN: 'WORKBENCH_RUN',
} as const;

/** The programs that the runner knows how to start, and whose output it reads. */
export const AGENT_PROGRAMS = ['claude-code', 'codex', 'opencode', 'aider', 'strands', 'custom'] as const;
export type AgentProgram = typeof AGENT_PROGRAMS[number];

/** The definition of an agent: what the construct writes into the image, and the runner reads. */
export interface AgentDefinition {
  readonly program: AgentProgram;
  /** The name in records. @default - the name of the program */
  readonly name?: string;
  /** The provider of the model. @default - what the program chooses by its own environment */
  readonly provider?: 'bedrock';
  /** The ID of the model, or the ID or ARN of an inference profile. @default - the program's own default */
  readonly model?: string;
  /** The model for small work, such as titles, for programs that have one. @default - the program's own default */
  readonly smallModel?: string;
  /** The maximum number of model calls in one turn of the agent, for programs that can limit them. @default - no limit */
  readonly maxTurns?: number;
  /** More arguments for the program. */
  readonly arguments?: readonly string[];
  /** More environment variables for the program. */
  readonly environment?: { readonly [name: string]: string };
  /** Instructions for every turn, in addition to those of the repository and of the loop. */
  readonly instructions?: string;
  /** The command line of a custom agent, for `/bin/bash -c`. It reads the prompt from its standard input. */
  readonly command?: string;
  /** The directory of the user's own agent, for Strands. */
  readonly directory?: string;
}

export const AGENT_LIMITS = {
  /** The characters of the instructions of an agent. */
  instructions: 8_000,
  /** The characters of the instructions that a loop adds. */
  loopInstructions: 4_000,
  /** The model calls of one turn. */
  turns: 1_000,
  /** The additional arguments of a program, and the characters of each. */
  arguments: 50,
  argument: 4_000,
} as const;

/** Begins the line in which the runner reports a turn. It is the last line of its output, and the only one with this beginning that counts. */
export const REPORT_PREFIX = 'workbench-agent-report: ';

export const REPORT_LIMITS = {
  /** The bytes of the whole line. */
  lineBytes: 6_000,
  /** The characters of the summary. */
  summary: 2_000,
  /** The characters of an error's message. */
  message: 1_000,
  /** The characters of the name and of the version. */
  name: 100,
} as const;

/** Ends of a turn that are no work: the loop ends, and no gate runs. */
export const AGENT_ERRORS = {
  /** The provider limits requests or tokens, or the account has no credit left. */
  RATE_LIMITED: 'Agent.RateLimited',
  /** The program has no credentials, or the provider refuses them. */
  NOT_LOGGED_IN: 'Agent.NotLoggedIn',
  /** The model does not exist, or the account or the role may not use it. */
  MODEL_NOT_ALLOWED: 'Agent.ModelNotAllowed',
  /** The conversation is longer than the model's context window. */
  CONTEXT_FULL: 'Agent.ContextFull',
  /** The program reached `maxTurns`, or a limit of its own. */
  MAX_TURNS: 'Agent.MaxTurns',
  /** The model refused the task. */
  REFUSED: 'Agent.Refused',
  /** The provider cannot be reached, or answers with errors of its own. */
  UNAVAILABLE: 'Agent.Unavailable',
  /** The program crashed, or ended with another error. */
  FAILED: 'Agent.Failed',
} as const;
export type AgentErrorName = typeof AGENT_ERRORS[keyof typeof AGENT_ERRORS];

/** The tokens of a turn. */
export interface AgentUsage {
  /** Tokens that were sent, without those that were read from or written to the provider's cache. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
}

/** The report of one turn. It comes from the agent's session: for people to read, and never a reason to accept a change. */
export interface AgentReport {
  /** The name of the agent. */
  readonly name: string;
  /** The version of its program. */
  readonly version?: string;
  /** The number of model calls. */
  readonly turns?: number;
  readonly usage?: AgentUsage;
  /** The cost in US dollars, as the program estimates it. */
  readonly costUsd?: number;
  /** The final message of the agent. */
  readonly summary?: string;
  /** The end that is no work. */
  readonly error?: { readonly name: AgentErrorName; readonly message: string };
}
