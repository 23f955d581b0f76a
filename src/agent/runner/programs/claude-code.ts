import { classified, endedBadly, endedSilently, failure } from './failures';
import { JsonObject, jsonLine, numberOf, objectOf, textOf } from './json';
import { Environment, Program, ProgramEnd, ProgramReader, ProgramResult, ProgramStart, ProgramTurn, Progress } from './program';
import { AGENT_ERRORS, AgentErrorName, AgentUsage } from '../../constants';

/** Claude Code: `claude -p`, which reads the prompt from its standard input and prints one JSON object per line. */
export const CLAUDE_CODE: Program = {
  executable: 'claude',
  kept: ['projects'],
  start,
  reader: (progress) => new Reader(progress),
};

function start(turn: ProgramTurn): ProgramStart {
  const { definition, model, instructions, conversation } = turn;
  return {
    file: 'claude',
    arguments: [
      '-p', '--output-format', 'stream-json', '--verbose',
      // Turns run unattended, in a session that is the sandbox.
      '--dangerously-skip-permissions',
      ...(model === undefined ? [] : ['--model', model]),
      ...(definition.maxTurns === undefined ? [] : ['--max-turns', `${definition.maxTurns}`]),
      ...(instructions === undefined ? [] : ['--append-system-prompt', instructions]),
      ...(conversation === undefined ? [] : ['--resume', conversation]),
      ...(definition.arguments ?? []),
    ],
    environment: {
      // Root is refused without permission checks unless the program knows that it is in a sandbox.
      IS_SANDBOX: '1',
      CLAUDE_CONFIG_DIR: turn.state,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
      // A turn is over when the answer is there: nothing is scheduled for later, and notes for other tasks would never be read.
      CLAUDE_CODE_DISABLE_CRON: '1',
      CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
      ...models(turn),
      ...(definition.provider === 'bedrock' ? { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: turn.region } : {}),
    },
    input: turn.prompt,
  };
}

/** Returns the models behind the aliases that the program and its subagents use: by default they name models that the role may not invoke. */
function models({ definition, model }: ProgramTurn): Environment {
  const small = definition.smallModel ?? (definition.provider === 'bedrock' ? model : undefined);
  return {
    ...(small === undefined ? {} : { ANTHROPIC_DEFAULT_HAIKU_MODEL: small }),
    ...(definition.provider !== 'bedrock' || model === undefined ? {} : {
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_FABLE_MODEL: model,
    }),
  };
}

class Reader implements ProgramReader {
  private readonly calls = new Set<string>();
  private version?: string;
  private conversation?: string;
  private lastText?: string;
  /** The kind of the program's own words in place of an answer. */
  private kind?: string;
  private result?: JsonObject;
  /** True if the result may be in a line that was too long. */
  private isCut = false;

  constructor(private readonly progress: Progress) {}

  public line(line: string) {
    const event = jsonLine(line);
    if (event === undefined) return;
    this.conversation = textOf(event.session_id) ?? this.conversation;
    if (event.type === 'system') this.system(event);
    if (event.type === 'assistant') this.message(event);
    if (event.type === 'result') this.result = event;
  }

  public longLine() {
    this.isCut = true;
  }

  public end(ended: ProgramEnd): ProgramResult {
    const result = this.result;
    const known = { version: this.version, conversation: this.conversation, turns: this.calls.size };
    if (result === undefined) return { ...known, summary: this.lastText, error: this.isCut ? endedBadly(ended) : endedSilently(ended) };
    const errors = Array.isArray(result.errors) ? result.errors.join('\n') : '';
    const failed = result.is_error === true;
    return {
      ...known,
      usage: usageOf(result),
      costUsd: numberOf(result.total_cost_usd),
      summary: failed ? this.lastText : textOf(result.result) ?? this.lastText,
      lostConversation: errors.includes('No conversation found'),
      error: failed ? errorOf(result, errors, this.kind) : undefined,
    };
  }

  private system(event: JsonObject) {
    this.version = textOf(event.claude_code_version) ?? this.version;
    if (event.subtype === 'api_retry') this.progress(`(the provider answers ${textOf(event.error) ?? 'with an error'}; attempt ${numberOf(event.attempt)} follows)`);
  }

  private message(event: JsonObject) {
    const message = objectOf(event.message);
    // The program's own words in place of an answer, such as those about an error.
    const synthetic = message.model === '<synthetic>';
    this.kind = textOf(event.error);
    if (!synthetic && textOf(message.id) !== undefined) this.calls.add(textOf(message.id)!);
    for (const part of Array.isArray(message.content) ? message.content.map(objectOf) : []) {
      if (part.type === 'text' && textOf(part.text) !== undefined) {
        this.progress(textOf(part.text)!);
        // What a subagent says is not the answer.
        if (!synthetic && !event.parent_tool_use_id) this.lastText = textOf(part.text);
      }
      if (part.type === 'tool_use') this.progress(`[${textOf(part.name) ?? 'tool'}] ${toolInput(objectOf(part.input))}`);
    }
  }
}

/** Returns what a tool is used for, in one line. */
function toolInput(input: JsonObject): string {
  const { command, file_path: file, pattern, description, url } = input;
  return textOf(command) ?? textOf(file) ?? textOf(pattern) ?? textOf(description) ?? textOf(url) ?? '';
}

/** Returns the tokens of all models, which include those of subagents and of small work. */
function usageOf(result: JsonObject): AgentUsage | undefined {
  const perModel = Object.values(objectOf(result.modelUsage)).map(objectOf);
  const sum = (name: string) => perModel.reduce((total, usage) => total + (numberOf(usage[name]) ?? 0), 0);
  if (perModel.length > 0) {
    return {
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      cacheReadTokens: sum('cacheReadInputTokens'),
      cacheWriteTokens: sum('cacheCreationInputTokens'),
    };
  }
  const usage = objectOf(result.usage);
  const [inputTokens, outputTokens] = [numberOf(usage.input_tokens), numberOf(usage.output_tokens)];
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: numberOf(usage.cache_read_input_tokens),
    cacheWriteTokens: numberOf(usage.cache_creation_input_tokens),
  };
}

const KINDS: { readonly [kind: string]: AgentErrorName } = {
  rate_limit: AGENT_ERRORS.RATE_LIMITED,
  billing_error: AGENT_ERRORS.RATE_LIMITED,
  model_not_found: AGENT_ERRORS.MODEL_NOT_ALLOWED,
  server_error: AGENT_ERRORS.UNAVAILABLE,
};

function errorOf(result: JsonObject, errors: string, kind = ''): ProgramResult['error'] {
  const words = textOf(result.result) ?? errors;
  if (result.subtype === 'error_max_turns') return failure(AGENT_ERRORS.MAX_TURNS, 'the agent reached its maximum number of turns');
  if (result.stop_reason === 'refusal') return failure(AGENT_ERRORS.REFUSED, words);
  if (result.terminal_reason === 'prompt_too_long') return failure(AGENT_ERRORS.CONTEXT_FULL, words);
  return KINDS[kind] === undefined ? classified(words, numberOf(result.api_error_status)) : failure(KINDS[kind], words);
}
