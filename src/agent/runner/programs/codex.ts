import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classified, endedSilently, failure } from './failures';
import { JsonObject, jsonLine, numberOf, objectOf, textOf } from './json';
import { Program, ProgramEnd, ProgramReader, ProgramResult, ProgramStart, ProgramTurn, Progress } from './program';
import { AGENT_ERRORS, AgentUsage } from '../../constants';

/** The file with the tokens of the whole conversation: the program prints their total, not those of one turn. */
const TOTAL = 'total.json';

/** The number of failed calls in a row after which a turn is over. The program itself waits for the network without an end. */
const MAX_FAILURES = 12;

/** Codex: `codex exec`, which reads the prompt from its standard input and prints one JSON object per line. */
export const CODEX: Program = {
  executable: 'codex',
  kept: ['sessions', TOTAL],
  start,
  reader: (progress, stop, turn) => new Reader(progress, stop, turn),
};

function start(turn: ProgramTurn): ProgramStart {
  const { definition, model, conversation, state, environment } = turn;
  takeOver(turn);
  return {
    file: 'codex',
    arguments: [
      'exec', ...(conversation === undefined ? [] : ['resume']),
      '--json', '--skip-git-repo-check',
      // Turns run unattended, in a session that is the sandbox.
      '--dangerously-bypass-approvals-and-sandbox',
      ...(model === undefined ? [] : ['--model', model]),
      ...settings(turn).flatMap(([name, value]) => ['-c', `${name}=${JSON.stringify(value)}`]),
      ...(definition.arguments ?? []),
      ...(conversation === undefined ? [] : [conversation]),
      '-',
    ],
    environment: {
      CODEX_HOME: state,
      // The program reads only its own variable when it works unattended.
      ...(environment.CODEX_API_KEY === undefined && environment.OPENAI_API_KEY !== undefined ? { CODEX_API_KEY: environment.OPENAI_API_KEY } : {}),
      ...(definition.provider === 'bedrock' ? { AWS_REGION: turn.region } : {}),
    },
    input: turn.prompt,
  };
}

function settings({ definition, instructions, region }: ProgramTurn): ReadonlyArray<readonly [string, unknown]> {
  return [
    ['check_for_update_on_startup', false],
    ['analytics.enabled', false],
    ['feedback.enabled', false],
    ['history.persistence', 'none'],
    ...(instructions === undefined ? [] : [['developer_instructions', instructions] as const]),
    ...(definition.provider !== 'bedrock' ? [] : [
      // The other provider, "amazon-bedrock", has an endpoint and IAM actions of its own (bedrock-mantle), which BedrockModel does not grant.
      ['model_provider', 'amazon-bedrock-runtime'] as const,
      ['model_providers.amazon-bedrock-runtime.aws.region', region] as const,
    ]),
  ];
}

/** Copies the configuration and the login of the image's user: the program has one directory for them and for its conversations. */
function takeOver({ environment, state }: ProgramTurn) {
  const home = environment.CODEX_HOME ?? (environment.HOME === undefined ? undefined : join(environment.HOME, '.codex'));
  for (const file of ['config.toml', 'auth.json']) {
    if (home !== undefined && home !== state && existsSync(join(home, file))) copyFileSync(join(home, file), join(state, file));
  }
}

class Reader implements ProgramReader {
  private failures = 0;
  private usage?: AgentUsage;
  private conversation?: string;
  private lastText?: string;
  private lastError?: string;
  private failed?: string;

  constructor(private readonly progress: Progress, private readonly stop: () => void, private readonly turn: ProgramTurn) {}

  public line(line: string) {
    const event = jsonLine(line);
    if (event === undefined) return;
    switch (event.type) {
      case 'thread.started': this.conversation = textOf(event.thread_id); return;
      case 'item.started': return this.started(objectOf(event.item));
      case 'item.completed': return this.completed(objectOf(event.item));
      case 'turn.completed': this.usage = this.ofThisTurn(objectOf(event.usage)); return;
      case 'turn.failed': this.failed = textOf(objectOf(event.error).message) ?? 'the turn failed'; return;
      case 'error':
        this.lastError = textOf(event.message);
        this.progress(`(${this.lastError ?? 'an error'})`);
        if (++this.failures >= MAX_FAILURES) this.stop();
    }
  }

  public end(ended: ProgramEnd): ProgramResult {
    return {
      conversation: this.conversation,
      usage: this.usage,
      summary: this.lastText,
      lostConversation: ended.exitCode !== 0 && this.conversation === undefined && /no rollout found|no saved session|thread.{0,80}not found/i.test(ended.errors),
      error: ended.exitCode === 0 && this.failed === undefined && this.conversation !== undefined ? undefined : this.errorOf(ended),
    };
  }

  /** Returns the tokens since the turn before, and keeps the total for the next one. */
  private ofThisTurn(total: JsonObject): AgentUsage | undefined {
    const file = join(this.turn.state, TOTAL);
    const before = this.turn.conversation !== undefined && existsSync(file) ? jsonLine(readFileSync(file, 'utf8')) : undefined;
    writeFileSync(file, JSON.stringify(total), { mode: 0o600 });
    return usageOf(total, before ?? {});
  }

  private started(item: JsonObject) {
    this.failures = 0;
    if (item.type === 'command_execution') this.progress(`[command] ${textOf(item.command) ?? ''}`);
  }

  private completed(item: JsonObject) {
    this.failures = 0;
    if (item.type === 'agent_message' && textOf(item.text) !== undefined) {
      this.lastText = textOf(item.text)!;
      this.progress(this.lastText);
    }
    if (item.type === 'file_change') {
      const changes = Array.isArray(item.changes) ? item.changes.map(objectOf) : [];
      for (const { kind, path } of changes) this.progress(`[${textOf(kind) ?? 'change'}] ${textOf(path) ?? ''}`);
    }
    if (item.type === 'mcp_tool_call' || item.type === 'web_search') this.progress(`[${item.type}] ${textOf(item.tool) ?? textOf(item.query) ?? ''}`);
  }

  private errorOf(ended: ProgramEnd): ProgramResult['error'] {
    const words = this.failed ?? this.lastError;
    if (words === undefined) return endedSilently(ended);
    if (/content.?filter|content.?policy|usage policy|flagged|refusal|refused to|(?<!connection )refused by/i.test(words)) return failure(AGENT_ERRORS.REFUSED, words);
    const status = /\b(?:status|http)\D{0,8}([45]\d\d)\b/i.exec(words)?.[1];
    return classified(words, status === undefined ? undefined : Number(status));
  }
}

/** Returns the tokens of a turn. What was read from or written to the provider's cache is part of the program's number of input tokens. */
function usageOf(total: JsonObject, before: JsonObject): AgentUsage | undefined {
  if (numberOf(total.input_tokens) === undefined || numberOf(total.output_tokens) === undefined) return undefined;
  const since = (name: string) => Math.max(0, (numberOf(total[name]) ?? 0) - (numberOf(before[name]) ?? 0));
  const [read, written] = [since('cached_input_tokens'), since('cache_write_input_tokens')];
  const tokens = { inputTokens: Math.max(0, since('input_tokens') - read - written), outputTokens: since('output_tokens'), cacheReadTokens: read };
  return written === 0 ? tokens : { ...tokens, cacheWriteTokens: written };
}
