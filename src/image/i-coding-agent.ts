import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { DevTool } from './dev-tool';
import type { AgentDefinition } from '../agent/constants';

/** A coding agent that an image can have: a `CodingAgent`. */
export interface ICodingAgent {
  /** The name of the agent in records, such as `claude-code`. */
  readonly name: string;

  /** The tools that the agent needs: its program, and the runtimes of the program and of the runner. `AgentImage.forAgent` installs them. */
  readonly tools: DevTool[];

  /**
   * The environment variables that the agent's runtime must have, such as the ID of the model. Values may be tokens.
   *
   * An `AgentRuntime` with an image from `AgentImage.forAgent` has them. Pass them to the official `Runtime` in `environmentVariables`.
   */
  readonly environment: { readonly [name: string]: string };

  /**
   * The directory of the user's own agent on this machine.
   *
   * @internal
   */
  readonly _directory?: string;

  /**
   * Gives a runtime with the agent's image what it needs: permission for the models.
   *
   * @internal
   */
  _bind(runtime: IRuntimeRole): void;

  /**
   * Returns the definition for the image. What is a token is not in it, but in `environment`.
   *
   * @internal
   */
  _definition(): AgentDefinition;
}

/**
 * A runtime, as far as an agent needs to know it.
 *
 * @internal
 */
export interface IRuntimeRole extends IConstruct {
  readonly role: iam.IRole;
}
