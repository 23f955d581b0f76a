import type { DevTool } from '../image/dev-tool';
import type { BedrockModel } from '../runtime/bedrock-model';

/** Options that all coding agents have. */
export interface CodingAgentOptions {
  /**
   * The model of Amazon Bedrock that the agent uses. The runtime's role gets permission to invoke it, and no other model. The image of
   * aider requires it, or `--model` in `arguments`.
   *
   * @default - the program chooses, by its own configuration and the variables in `environment`; no permission is granted
   */
  readonly model?: BedrockModel;

  /**
   * Instructions for every turn, in addition to those of the repository (`AGENTS.md`, `CLAUDE.md`) and of the loop. At most 8,000 characters, which
   * are part of the image.
   *
   * @default - no additional instructions
   */
  readonly instructions?: string;

  /**
   * Additional arguments for the program, after those that make it work unattended. They are part of the image.
   *
   * @default - no additional arguments
   */
  readonly arguments?: string[];

  /**
   * Environment variables for the program. A value that is known at synth is part of the image, and only the program has it in its environment. A
   * token becomes an environment variable of the runtime, which all commands have. Neither may be a secret.
   *
   * @default - no additional variables
   */
  readonly environment?: { readonly [name: string]: string };
}

/** Options for `CodingAgent.claudeCode`. */
export interface ClaudeCodeOptions extends CodingAgentOptions {
  /**
   * The version of the npm package `@anthropic-ai/claude-code`: all three numbers.
   *
   * @default '2.1.197' - the version that this release was tested with
   */
  readonly version?: string;

  /**
   * The model for small work, such as titles and summaries of tool calls.
   *
   * @default - the same as `model`, so that the account needs to enable only one
   */
  readonly smallModel?: BedrockModel;

  /**
   * The maximum number of model calls in one turn: 1 to 1,000. A turn that reaches it ends the run with `Agent.MaxTurns`.
   *
   * @default - no limit other than the timeout of the turn
   */
  readonly maxTurns?: number;
}

/** Options for `CodingAgent.codex`. */
export interface CodexOptions extends CodingAgentOptions {
  /**
   * The version of the npm package `@openai/codex`: all three numbers.
   *
   * @default '0.171.0' - the version that this release was tested with
   */
  readonly version?: string;
}

/** Options for `CodingAgent.openCode`. */
export interface OpenCodeOptions extends CodingAgentOptions {
  /**
   * The version of the npm package `opencode-ai`: all three numbers.
   *
   * @default '1.18.33' - the version that this release was tested with
   */
  readonly version?: string;

  /**
   * The model for small work, such as titles.
   *
   * @default - the same as `model`, so that the account needs to enable only one
   */
  readonly smallModel?: BedrockModel;

  /**
   * The maximum number of model calls in one turn: 1 to 1,000. A turn that reaches it ends the run with `Agent.MaxTurns`.
   *
   * @default - no limit other than the timeout of the turn
   */
  readonly maxTurns?: number;
}

/** Options for `CodingAgent.aider`. */
export interface AiderOptions extends CodingAgentOptions {
  /**
   * The version of the package `aider-chat` of PyPI, which is installed apart from the image's Python.
   *
   * @default '0.86.2' - the version that this release was tested with
   */
  readonly version?: string;
}

/** Options for `CodingAgent.strands`. */
export interface StrandsOptions extends CodingAgentOptions {
  /**
   * The version of the package `strands-agents` of PyPI. If the `requirements.txt` of the directory names another version, that one is installed.
   *
   * @default '1.62.0' - the version that this release was tested with
   */
  readonly version?: string;

  /**
   * The maximum number of model calls in one turn: 1 to 1,000. A turn that reaches it ends the run with `Agent.MaxTurns`.
   *
   * @default - no limit other than the timeout of the turn
   */
  readonly maxTurns?: number;
}

/** Options for `CodingAgent.custom`. */
export interface CustomAgentOptions extends CodingAgentOptions {
  /** The name of the agent in records: 1 to 40 lowercase letters, digits and hyphens, starting with a letter. */
  readonly name: string;

  /**
   * The command line of the agent, for `/bin/bash -c`, at most 32 KiB. It runs in the clone and reads the prompt, with all instructions
   * before it, from its standard input. Its `arguments` are the positional parameters (`$1`, `"$@"`). The turn fails if its exit code is not 0.
   */
  readonly command: string;

  /**
   * The tools that the command needs.
   *
   * @default - none
   */
  readonly tools?: DevTool[];
}
