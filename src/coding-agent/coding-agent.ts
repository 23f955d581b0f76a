import { Aws, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { checkAgent } from './agent-rules';
import type {
  AiderOptions, ClaudeCodeOptions, CodexOptions, CodingAgentOptions, CustomAgentOptions, OpenCodeOptions, StrandsOptions,
} from './coding-agent-options';
import { type AgentDefinition, type AgentProgram, RUNNER, RUNNER_VARIABLES } from '../agent/constants';
import { AGENT_NODE, AGENT_PYTHON, AIDER_BOTO3, PROGRAM_VERSIONS } from '../agent/versions';
import { APPLICATION_DIRECTORY } from '../image/constants';
import { DevTool } from '../image/dev-tool';
import type { ICodingAgent, IRuntimeRole } from '../image/i-coding-agent';
import { npmProgramEntry, pipImportEntry, pipProgramEntry } from '../image/tool-entry';
import { AgentTurn, type CommandTurnOptions } from '../loop/agent-turn';
import { secretFaults } from '../private/secrets';
import { sorted } from '../private/sorted';
import { throwOnFaults } from '../private/validation';
import type { BedrockModel } from '../runtime/bedrock-model';

/**
 * A coding agent that is a program: what its image, its runtime and its loop need to know of it.
 *
 * - `AgentImage.forAgent(agent)` builds an image with the program, and with the server that the service calls.
 * - The runtime with that image may invoke the agent's model, and no other. An `AgentRuntime` also gets the agent's environment variables.
 * - `agent.turn()` makes a loop run the program in the clone, and keeps what it reports: tokens, the number of model calls, its final message.
 *
 * The agent works without asking for permission: the session is its sandbox, and the gates judge what it did.
 *
 * @see docs/agents.md
 */
export abstract class CodingAgent implements ICodingAgent {
  /**
   * Claude Code of Anthropic, from npm.
   *
   * @param options Options for the agent
   */
  public static claudeCode(options: ClaudeCodeOptions = {}): CodingAgent {
    const { version = PROGRAM_VERSIONS['claude-code'], smallModel, ...others } = options;
    checkAgent('CodingAgent.claudeCode(…)', { ...others, version, registry: 'npm' });
    const tool = DevTool._ofEntry(version, npmProgramEntry('@anthropic-ai/claude-code', version, 'claude', 'install.cjs'));
    return new Program({ ...others, program: 'claude-code', smallModel: smallModel ?? options.model, tools: [DevTool.nodejs(AGENT_NODE), tool] });
  }

  /**
   * Codex of OpenAI, from npm.
   *
   * @param options Options for the agent
   */
  public static codex(options: CodexOptions = {}): CodingAgent {
    const { version = PROGRAM_VERSIONS.codex, ...others } = options;
    checkAgent('CodingAgent.codex(…)', { ...others, version, registry: 'npm' });
    const tool = DevTool._ofEntry(version, npmProgramEntry('@openai/codex', version, 'codex'));
    return new Program({ ...others, program: 'codex', tools: [DevTool.nodejs(AGENT_NODE), tool] });
  }

  /**
   * OpenCode, from npm.
   *
   * @param options Options for the agent
   */
  public static openCode(options: OpenCodeOptions = {}): CodingAgent {
    const { version = PROGRAM_VERSIONS.opencode, smallModel, ...others } = options;
    checkAgent('CodingAgent.openCode(…)', { ...others, version, registry: 'npm' });
    const tool = DevTool._ofEntry(version, npmProgramEntry('opencode-ai', version, 'opencode', 'postinstall.mjs'));
    return new Program({ ...others, program: 'opencode', smallModel: smallModel ?? options.model, tools: [DevTool.nodejs(AGENT_NODE), tool] });
  }

  /**
   * aider, from PyPI. It is installed apart from the image's Python, so that what a repository installs cannot change it.
   *
   * @param options Options for the agent
   */
  public static aider(options: AiderOptions = {}): CodingAgent {
    const { version = PROGRAM_VERSIONS.aider, ...others } = options;
    checkAgent('CodingAgent.aider(…)', { ...others, version, registry: 'PyPI' });
    const tool = DevTool._ofEntry(version, pipProgramEntry('aider-chat', version, 'aider', [`boto3==${AIDER_BOTO3}`]));
    return new Program({ ...others, program: 'aider', tools: [DevTool.nodejs(AGENT_NODE), DevTool.python(AGENT_PYTHON), tool] });
  }

  /**
   * An agent of your own, written with Strands Agents in Python. The image contains the directory in `/app`, with what its `requirements.txt` names.
   *
   * @param directory The directory with the agent's files: `agent.py`, which has a `strands.Agent` in the variable `agent`, or a function
   * `create_agent()` that returns one
   * @param options Options for the agent
   */
  public static strands(directory: string, options: StrandsOptions = {}): CodingAgent {
    const { version = PROGRAM_VERSIONS.strands, ...others } = options;
    checkAgent(`CodingAgent.strands('${directory}', …)`, { ...others, version, directory, registry: 'PyPI' });
    const tool = DevTool._ofEntry(version, pipImportEntry('strands-agents', version, 'import strands'));
    const tools = [DevTool.nodejs(AGENT_NODE), DevTool.python(AGENT_PYTHON), tool];
    return new Program({ ...others, program: 'strands', tools, directory });
  }

  /**
   * Any other agent that is a command.
   *
   * @param options Options for the agent
   */
  public static custom(options: CustomAgentOptions): CodingAgent {
    checkAgent(`CodingAgent.custom(${JSON.stringify(options.name)})`, { ...options, environment: options.environment });
    const { tools = [], ...others } = options;
    return new Program({ ...others, program: 'custom', tools: [DevTool.nodejs(AGENT_NODE), ...tools] });
  }

  /** The name of the agent in records, such as `claude-code`. */
  public abstract readonly name: string;

  /** The tools that the agent needs: its program, and the runtimes of the program and of the runner. `AgentImage.forAgent` installs them. */
  public abstract readonly tools: DevTool[];

  /**
   * The environment variables that the agent's runtime must have, such as the ID of the model. Values may be tokens.
   *
   * An `AgentRuntime` with an image from `AgentImage.forAgent` has them. Pass them to the official `Runtime` in `environmentVariables`.
   */
  public abstract readonly environment: { readonly [name: string]: string };

  /**
   * The directory of the user's own agent on this machine.
   *
   * @internal
   */
  public abstract readonly _directory?: string;

  /**
   * Grants permission to invoke the models of the agent, and no other. The role of a runtime whose image is from `AgentImage.forAgent` has it.
   *
   * @param scope A construct in the stack whose Region and account the ARNs contain. It gets a warning if the policy of the grantee cannot be changed
   * @param grantee The principal to grant permission to
   */
  public abstract grantInvokeModel(scope: IConstruct, grantee: iam.IGrantable): iam.Grant;

  /**
   * Returns a turn for a loop: one run of the agent's program in the clone. It is told the task, the loop's gates and its protected paths.
   *
   * @param options Options for the turn
   */
  public turn(options: CommandTurnOptions = {}): AgentTurn {
    return AgentTurn._ofAgent(`${RUNNER.command} turn`, options);
  }

  /**
   * Gives a runtime with the agent's image what it needs: permission for the models.
   *
   * @internal
   */
  public abstract _bind(runtime: IRuntimeRole): void;

  /**
   * Returns the definition for the image. What is a token is not in it, but in `environment`.
   *
   * @internal
   */
  public abstract _definition(): AgentDefinition;
}

interface ProgramOptions extends CodingAgentOptions {
  readonly program: AgentProgram;
  readonly tools: DevTool[];
  readonly name?: string;
  readonly command?: string;
  readonly directory?: string;
  readonly maxTurns?: number;
  readonly smallModel?: BedrockModel;
}

const literal = <T>(value: T): T | undefined => (Token.isUnresolved(value) ? undefined : value);

class Program extends CodingAgent {
  public readonly name: string;
  public readonly tools: DevTool[];
  public readonly environment: { readonly [name: string]: string };
  public readonly _directory?: string;

  constructor(private readonly options: ProgramOptions) {
    super();
    this.name = options.name ?? options.program;
    this.tools = options.tools;
    this._directory = options.directory;
    const { model, smallModel, environment = {} } = options;
    this.environment = sorted({
      ...Object.fromEntries(Object.entries(environment).filter(([, value]) => Token.isUnresolved(value))),
      // The program needs a Region for its requests, and a session is not known to have it in its environment.
      ...(model === undefined ? {} : { [RUNNER_VARIABLES.MODEL]: model.modelId, AWS_REGION: environment.AWS_REGION ?? Aws.REGION }),
      ...(smallModel === undefined ? {} : { [RUNNER_VARIABLES.SMALL_MODEL]: smallModel.modelId }),
    });
  }

  public grantInvokeModel(scope: IConstruct, grantee: iam.IGrantable): iam.Grant {
    const models = [...new Set([this.options.model, this.options.smallModel])].filter((model) => model !== undefined);
    if (models.length === 0) return iam.Grant.drop(grantee, 'the agent has no model of Amazon Bedrock');
    return models.map((model) => model.grantInvoke(scope, grantee)).reduce((all, grant) => all.combine(grant));
  }

  public _bind(runtime: IRuntimeRole): void {
    throwOnFaults(runtime, secretFaults(runtime, { 'agent.environment': this.environment }));
    this.grantInvokeModel(runtime, runtime.role);
  }

  public _definition(): AgentDefinition {
    const { program, name, model, smallModel, maxTurns, instructions, command, directory, arguments: list, environment = {} } = this.options;
    const variables = Object.entries(environment).filter(([, value]) => !Token.isUnresolved(value));
    const definition = {
      program,
      name,
      provider: model === undefined ? undefined : 'bedrock',
      model: literal(model?.modelId),
      smallModel: literal(smallModel?.modelId),
      maxTurns,
      arguments: list,
      environment: variables.length === 0 ? undefined : sorted(Object.fromEntries(variables)),
      instructions,
      command,
      directory: directory === undefined ? undefined : APPLICATION_DIRECTORY,
    } as const;
    return Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== undefined)) as unknown as AgentDefinition;
  }
}
