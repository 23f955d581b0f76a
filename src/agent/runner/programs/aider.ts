import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classified, endedBadly, failure } from './failures';
import { jsonLine, numberOf, objectOf, textOf } from './json';
import { Environment, Program, ProgramEnd, ProgramReader, ProgramResult, ProgramStart, ProgramTurn, Progress } from './program';
import { AGENT_ERRORS, AgentUsage } from '../../constants';
import { movedHome } from '../home';

/** Variables by which the program chooses a model. */
const KNOWN = /^AIDER_MODEL$|_API_KEY$/;

const CONVERSATIONS = 'conversations';

/** Begins the first line, with the ID of the conversation. */
const CONVERSATION = '--- conversation ';

/** Begins what the shell prints after the program: the new part of its history, and its log of events. */
const AFTERWARDS = '--- aider ended ---';

/**
 * Runs the program with the prompt in a file, and prints what it wrote about the turn. The program exits with 0 whatever happened, and its output
 * has rounded numbers only: its history has the errors, and its log of events has the tokens.
 */
const SHELL = `
state=$1 history=$2
shift 2
printf "%s%s\\n" "${CONVERSATION}" "$0"
cat >"$state/prompt" || exit
before=$(stat -c %s "$history" 2>/dev/null || echo 0)
"$@" --message-file "$state/prompt" </dev/null
code=$?
printf "\\n%s\\n" "${AFTERWARDS}"
grep '"message_send"' "$state/events"
tail -c "+$((before + 1))" "$history" 2>/dev/null
exit "$code"
`;

/** aider: one message. It edits the files that it is told about, or finds with its map of the repository. */
export const AIDER: Program = {
  executable: 'aider',
  kept: [CONVERSATIONS],
  faults: ({ model, arguments: list = [], environment = {} }, inherited) => {
    const isKnown = model !== undefined || list.includes('--model') || [inherited, environment].some((names) => Object.keys(names).some((name) => KNOWN.test(name)));
    // It would wait for a login in a browser.
    return isKnown ? [] : ['"model" is missing: name a model, or give the agent the API key of a provider in its environment'];
  },
  start,
  reader: (progress) => new Reader(progress),
};

function start(turn: ProgramTurn): ProgramStart {
  const { definition, state, instructions, conversation = randomUUID(), environment } = turn;
  const model = turn.model === undefined ? undefined : modelOf(turn, turn.model);
  const history = join(state, CONVERSATIONS, `${conversation}.md`);
  mkdirSync(join(state, CONVERSATIONS), { recursive: true });
  prepare(state);
  const ownInstructions = join(state, 'instructions.md');
  if (instructions !== undefined) writeFileSync(ownInstructions, instructions);
  return {
    file: '/bin/bash',
    arguments: [
      '-c', SHELL, conversation, state, history,
      'aider',
      // The weak model shortens long conversations. Otherwise it is one that the role may not invoke.
      ...(model === undefined ? [] : ['--model', model, '--weak-model', definition.smallModel === undefined ? model : modelOf(turn, definition.smallModel)]),
      '--yes-always',
      // The loop commits what passed its gates.
      '--no-auto-commits', '--no-dirty-commits', '--no-gitignore',
      '--no-check-update', '--no-show-release-notes', '--no-show-model-warnings', '--analytics-disable', '--no-analytics', '--disable-playwright',
      '--no-pretty', '--no-fancy-input', '--no-detect-urls', '--no-suggest-shell-commands',
      // Only whole answers have the provider's numbers of tokens.
      '--no-stream',
      '--analytics-log', join(state, 'events'),
      '--chat-history-file', history, '--restore-chat-history',
      '--input-history-file', join(state, 'input-history'),
      ...['AGENTS.md', 'CLAUDE.md'].filter((file) => existsSync(join(turn.directory, file))).slice(0, 1).flatMap((file) => ['--read', file]),
      ...(instructions === undefined ? [] : ['--read', ownInstructions]),
      ...edited(history, turn.directory).flatMap((file) => ['--file', file]),
      ...(definition.arguments ?? []),
    ],
    environment: {
      // The program would keep its own files in the user's home.
      ...movedHome(state, environment),
      ...identity(environment),
      // The prices and context windows that come with LiteLLM, instead of those of a request to GitHub.
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      // It says yes to pages that explain an error, too.
      BROWSER: 'true',
      ...(definition.provider === 'bedrock' && turn.region !== undefined ? { AWS_REGION: turn.region, AWS_DEFAULT_REGION: turn.region } : {}),
    },
    // A message that begins with a slash or an exclamation mark is a command of the program.
    input: /^[/!]/.test(turn.prompt) ? `\n${turn.prompt}` : turn.prompt,
  };
}

/** Returns the name of a model as LiteLLM wants it. */
function modelOf({ definition }: ProgramTurn, model: string): string {
  return definition.provider === 'bedrock' && !model.startsWith('bedrock/') ? `bedrock/${model.startsWith('arn:') ? 'converse/' : ''}${model}` : model;
}

/** Removes what an earlier turn left, and writes the cache that makes the program ask LiteLLM for what it would otherwise request from GitHub. */
function prepare(state: string) {
  const caches = join(state, '.aider', 'caches');
  mkdirSync(caches, { recursive: true });
  writeFileSync(join(caches, 'model_prices_and_context_window.json'), '{"none": {}}');
  writeFileSync(join(state, 'events'), '');
}

/** Returns the variables with which git knows an author. Without one, the program writes another into the configuration of the clone. */
function identity({ GIT_CONFIG_COUNT = '0', ...environment }: Environment): Environment {
  const count = /^\d+$/.test(GIT_CONFIG_COUNT) ? Number(GIT_CONFIG_COUNT) : 0;
  const name = environment.GIT_AUTHOR_NAME ?? 'aider';
  const email = environment.GIT_AUTHOR_EMAIL ?? 'aider@localhost';
  return {
    GIT_CONFIG_COUNT: `${count + 2}`,
    [`GIT_CONFIG_KEY_${count}`]: 'user.name',
    [`GIT_CONFIG_VALUE_${count}`]: name,
    [`GIT_CONFIG_KEY_${count + 1}`]: 'user.email',
    [`GIT_CONFIG_VALUE_${count + 1}`]: email,
  };
}

/** Returns the files that earlier turns of the conversation edited: a restored conversation does not have them. */
function edited(history: string, directory: string): string[] {
  if (!existsSync(history)) return [];
  const files = [...readFileSync(history, 'utf8').matchAll(/^> Applied edit to (.+?) *$/gm)].map(([, file]) => file);
  return [...new Set(files)].filter((file) => existsSync(join(directory, file))).slice(-20);
}

class Reader implements ProgramReader {
  private isAfterwards = false;
  private turns = 0;
  private input = 0;
  private output = 0;
  private cost = 0;
  private conversation?: string;
  private readonly history: string[] = [];

  constructor(private readonly progress: Progress) {}

  public line(line: string) {
    if (line === AFTERWARDS) this.isAfterwards = true;
    else if (this.conversation === undefined && line.startsWith(CONVERSATION)) this.conversation = line.slice(CONVERSATION.length);
    else if (!this.isAfterwards) this.progress(line);
    else if (line.startsWith('{"event": "message_send"')) this.sent(line);
    // With a cache, the second line of what is said about tokens does not begin as the program's words do.
    else if (!/^Cost: \$[\d.]+ message, \$[\d.]+ session\.\s*$/.test(line)) this.history.push(line);
  }

  public end(ended: ProgramEnd): ProgramResult {
    const { turns } = this;
    const version = /^> Aider v(\S+)/m.exec(this.history.join('\n'))?.[1];
    const usage: AgentUsage | undefined = turns === 0 ? undefined : { inputTokens: this.input, outputTokens: this.output };
    const known = { version, conversation: this.conversation, turns, usage, costUsd: this.cost > 0 ? this.cost : undefined };
    const { summary, notices } = lastOf(this.history);
    return { ...known, summary, error: endedBadly(ended) ?? errorOf(notices) };
  }

  private sent(line: string) {
    const properties = objectOf(jsonLine(line)?.properties);
    this.turns += 1;
    this.input += numberOf(properties.prompt_tokens) ?? 0;
    this.output += numberOf(properties.completion_tokens) ?? 0;
    this.cost += numberOf(properties.cost) ?? 0;
  }
}

/** Returns the last answer of the model in a history, and what the program said after it. */
function lastOf(history: readonly string[]): { summary?: string; notices: string } {
  const isNotice = (line: string) => line.startsWith('> ');
  const isWords = (line: string) => line.trim() !== '' && !isNotice(line) && !line.startsWith('#### ') && !line.startsWith('# aider chat started');
  const last = history.reduce((found, line, index) => (isWords(line) ? index : found), -1);
  const first = history.slice(0, last + 1).reduce((found, line, index) => (isNotice(line) || line.startsWith('#### ') ? index : found), -1) + 1;
  const notices = history.slice(last + 1).filter(isNotice).map((line) => line.slice(2).trimEnd());
  return { summary: textOf(history.slice(first, last + 1).join('\n').trim()), notices: notices.join('\n') };
}

/** The HTTP status behind the exceptions of LiteLLM. It reports errors that it does not know as those of a connection. */
const STATUS: { readonly [name: string]: number } = {
  AuthenticationError: 401,
  RateLimitError: 429,
  InternalServerError: 500,
  APIConnectionError: 503,
  BadGatewayError: 503,
  ServiceUnavailableError: 503,
  Timeout: 504,
};

/** Returns the failure in what the program said after the last answer. What it said before was followed by an answer. */
function errorOf(notices: string): ProgramResult['error'] {
  if (notices.includes('has hit a token limit!')) {
    return /Output tokens:.*possibly exceeded output limit/.test(notices)
      ? failure(AGENT_ERRORS.MAX_TURNS, 'an answer of the model reached the limit of its output')
      : failure(AGENT_ERRORS.CONTEXT_FULL, 'the conversation is longer than the context window of the model');
  }
  if (notices.includes('Empty response received from LLM')) return failure(AGENT_ERRORS.REFUSED, 'the model gave no answer');
  const words = /^litellm\.\w+:.*$/gm;
  const said = [...notices.matchAll(words)].at(-1)?.[0];
  if (said === undefined) return undefined;
  return /content_filter|guardrail/.test(notices) ? failure(AGENT_ERRORS.REFUSED, said) : classified(said, STATUS[/^litellm\.(\w+)/.exec(said)![1]]);
}
