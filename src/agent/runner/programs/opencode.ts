import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classified, endedSilently, failure } from './failures';
import { JsonObject, jsonLine, numberOf, objectOf, textOf } from './json';
import { Program, ProgramEnd, ProgramReader, ProgramResult, ProgramStart, ProgramTurn, Progress } from './program';
import { AGENT_ERRORS, AgentDefinition, AgentUsage } from '../../constants';

/** The numbers of failures in a row after which a turn is over. The program itself would try again without an end, and in silence. */
const MAX_FAILURES = { call: 8, context: 2 } as const;

/** OpenCode: `opencode run`, which reads the prompt from its standard input and prints one JSON object per line. */
export const OPENCODE: Program = {
  executable: 'opencode',
  // The database of the conversations, with what SQLite has not yet moved into it.
  kept: ['opencode.db', 'opencode.db-wal'],
  faults: ({ model, provider }) => (model === undefined || provider !== undefined || model.includes('/') ? []
    : [`"model" must name the provider too, such as "anthropic/${model}", or "provider" must be "bedrock"`]),
  start,
  reader: (progress, stop, { definition }) => new Reader(progress, stop, definition.maxTurns),
};

function start(turn: ProgramTurn): ProgramStart {
  const { definition, conversation, state } = turn;
  const model = fullName(turn.model, definition);
  const config = join(state, 'config.json');
  writeFileSync(config, JSON.stringify(configuration(turn)), { mode: 0o600 });
  return {
    file: 'opencode',
    arguments: [
      'run', '--format', 'json',
      // Turns run unattended, in a session that is the sandbox.
      '--auto',
      // Without a title, the model is asked for one.
      '--title', 'workbench',
      // Failed model calls are only in the log.
      '--print-logs', '--log-level', 'ERROR',
      ...(model === undefined ? [] : ['--model', model]),
      ...(conversation === undefined ? [] : ['--session', conversation]),
      ...(definition.arguments ?? []),
    ],
    environment: {
      OPENCODE_CONFIG: config,
      OPENCODE_DB: join(state, 'opencode.db'),
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_SHARE: '1',
      ...(definition.provider === 'bedrock' ? { AWS_REGION: turn.region } : {}),
    },
    input: turn.prompt,
  };
}

/** Returns the configuration below that of the repository, which therefore works as it is. */
function configuration(turn: ProgramTurn): JsonObject {
  const { definition, model, instructions, state } = turn;
  const { provider, smallModel } = definition;
  const file = join(state, 'instructions.md');
  if (instructions !== undefined) writeFileSync(file, instructions, { mode: 0o600 });
  // The program refuses a model that its own list lacks, such as an inference profile.
  const models = Object.fromEntries([model, smallModel].filter((name) => name !== undefined).map((name) => [name, {}]));
  return {
    permission: 'allow',
    autoupdate: false,
    share: 'disabled',
    // The loop has its own record of each round.
    snapshot: false,
    ...(instructions === undefined ? {} : { instructions: [file] }),
    ...(smallModel === undefined && provider === undefined ? {} : { small_model: fullName(smallModel ?? model, definition) }),
    ...(provider === undefined ? {} : { provider: { 'amazon-bedrock': { options: { region: turn.region, ...profile(turn) }, models } } }),
  };
}

/** The variables that tell the program where its credentials are. */
const CREDENTIALS = [
  'AWS_ACCESS_KEY_ID', 'AWS_BEARER_TOKEN_BEDROCK', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
];

/**
 * Returns the name of a profile if no variable tells where credentials are: only then does the program look at all places, down to the
 * metadata of the machine, where a session has those of its role.
 */
function profile({ environment }: ProgramTurn): JsonObject {
  return CREDENTIALS.some((name) => (environment[name] ?? '') !== '') ? {} : { profile: 'default' };
}

function fullName(model: string | undefined, { provider }: AgentDefinition): string | undefined {
  return model === undefined || provider === undefined ? model : `amazon-bedrock/${model}`;
}

class Reader implements ProgramReader {
  private usage?: AgentUsage;
  private costUsd?: number;
  private turns = 0;
  private failures = 0;
  private conversation?: string;
  private lastText?: string;
  private error?: ProgramResult['error'];
  private lost = false;

  constructor(private readonly progress: Progress, private readonly stop: () => void, private readonly maxTurns?: number) {}

  public line(line: string) {
    const event = jsonLine(line);
    if (event === undefined) return;
    this.conversation = textOf(event.sessionID) ?? this.conversation;
    const part = objectOf(event.part);
    if (event.type === 'text' && part.synthetic !== true && textOf(part.text) !== undefined) {
      this.lastText = textOf(part.text)!;
      this.progress(this.lastText);
    }
    if (event.type === 'tool_use') this.tool(part);
    if (event.type === 'step_finish') this.step(part);
    if (event.type === 'error') this.failed(objectOf(event.error));
  }

  public errorLine(line: string) {
    if (/session not found/i.test(line)) this.lost = true;
    const words = / message="stream error".* error\.error="(.*)"$/.exec(line)?.[1];
    if (words !== undefined) this.again(classified(words), MAX_FAILURES.call);
  }

  public end(ended: ProgramEnd): ProgramResult {
    return {
      conversation: this.conversation,
      turns: this.turns,
      usage: this.usage,
      costUsd: this.costUsd,
      summary: this.lastText,
      lostConversation: this.lost && this.turns === 0,
      // An error that the program overcame is none.
      error: ended.exitCode === 0 && this.conversation !== undefined ? undefined : this.error ?? endedSilently(ended),
    };
  }

  private tool(part: JsonObject) {
    this.failures = 0;
    const state = objectOf(part.state);
    this.progress(`[${textOf(part.tool) ?? 'tool'}] ${textOf(state.title) ?? ''}`);
  }

  private step(part: JsonObject) {
    this.turns++;
    const tokens = objectOf(part.tokens);
    const cache = objectOf(tokens.cache);
    const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = this.usage ?? {};
    this.usage = {
      inputTokens: inputTokens + (numberOf(tokens.input) ?? 0),
      outputTokens: outputTokens + (numberOf(tokens.output) ?? 0) + (numberOf(tokens.reasoning) ?? 0),
      cacheReadTokens: cacheReadTokens + (numberOf(cache.read) ?? 0),
      cacheWriteTokens: cacheWriteTokens + (numberOf(cache.write) ?? 0),
    };
    this.costUsd = (this.costUsd ?? 0) + (numberOf(part.cost) ?? 0);
    if (part.reason !== 'tool-calls' || this.maxTurns === undefined || this.turns < this.maxTurns) return;
    this.error = failure(AGENT_ERRORS.MAX_TURNS, 'the agent reached its maximum number of turns');
    this.stop();
  }

  private failed(error: JsonObject) {
    const data = objectOf(error.data);
    const words = textOf(data.message) ?? textOf(error.name) ?? 'the program reports an error without words';
    switch (error.name) {
      // The program shortens the conversation and tries again, also if that cannot help. It takes the daily quota of tokens for the same failure.
      case 'ContextOverflowError': {
        const limited = classified(words);
        return this.again(limited.name === AGENT_ERRORS.RATE_LIMITED ? limited : failure(AGENT_ERRORS.CONTEXT_FULL, words), MAX_FAILURES.context);
      }
      case 'ContentFilterError': this.error = failure(AGENT_ERRORS.REFUSED, words); return;
      case 'ProviderAuthError': this.error = failure(AGENT_ERRORS.NOT_LOGGED_IN, words); return;
      default: this.error = classified(words, numberOf(data.statusCode));
    }
  }

  private again(error: ProgramResult['error'], most: number) {
    this.error = error;
    if (++this.failures >= most) this.stop();
  }
}
