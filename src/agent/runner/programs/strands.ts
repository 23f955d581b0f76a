import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { endedBadly, failure } from './failures';
import { JsonObject, jsonLine, numberOf, objectOf, textOf } from './json';
import { Program, ProgramEnd, ProgramReader, ProgramResult, ProgramStart, ProgramTurn, Progress } from './program';
import { STRANDS_CONVERSATION } from './strands-conversation.generated';
import { STRANDS_ERRORS } from './strands-errors.generated';
import { STRANDS_TURN } from './strands-turn.generated';
import { AGENT_ERRORS, AgentDefinition, AgentErrorName, AgentUsage } from '../../constants';

const CONVERSATIONS = 'conversations';

/** The script that runs a turn, and the modules beside it. */
const TURN_SCRIPT = 'strands_turn.py';
const FILES = { [TURN_SCRIPT]: STRANDS_TURN, 'workbench_errors.py': STRANDS_ERRORS, 'workbench_conversation.py': STRANDS_CONVERSATION };

/** Strands: the user's own agent in Python. A small script imports it, runs one turn, and prints one JSON object per line. */
export const STRANDS: Program = {
  executable: 'python3',
  versionArguments: ['-c', 'import importlib.metadata; print(importlib.metadata.version("strands-agents"))'],
  kept: [CONVERSATIONS],
  faults: ({ directory }) => {
    if (directory === undefined) return ['"directory" is missing: give the directory of agent.py'];
    return existsSync(join(directory, 'agent.py')) ? [] : [`there is no agent.py in ${directory}: create it, with a strands.Agent in the variable "agent"`];
  },
  trial: (definition, directory) => ({
    ...script(definition, directory),
    input: JSON.stringify({ directory: resolve(definition.directory!), check: true }),
  }),
  start,
  reader: (progress) => new Reader(progress),
};

function start(turn: ProgramTurn): ProgramStart {
  const { definition, model, instructions, prompt, state, conversation = randomUUID() } = turn;
  const { environment, ...program } = script(definition, state);
  return {
    ...program,
    environment: {
      ...environment,
      ...(definition.provider === 'bedrock' && turn.region !== undefined ? { AWS_REGION: turn.region, AWS_DEFAULT_REGION: turn.region } : {}),
    },
    input: JSON.stringify({
      directory: resolve(definition.directory!),
      prompt,
      instructions,
      model,
      maxTurns: definition.maxTurns,
      conversation: join(state, CONVERSATIONS, `${conversation}.json`),
      id: conversation,
    }),
  };
}

/** Returns the process of the script that imports the agent. */
function script(definition: AgentDefinition, state: string): Omit<ProgramStart, 'input'> {
  const file = join(state, TURN_SCRIPT);
  mkdirSync(state, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(state, name), text);
  return {
    file: pythonOf(resolve(definition.directory!)),
    arguments: [file, ...(definition.arguments ?? [])],
    environment: {
      PYTHONUNBUFFERED: '1',
      // What a read-only directory of the image cannot hold, and a directory of the user should not.
      PYTHONDONTWRITEBYTECODE: '1',
      // The tools of strands-agents-tools ask for confirmation before they write or run anything, which an unattended run cannot give.
      BYPASS_TOOL_CONSENT: 'true',
      STRANDS_NON_INTERACTIVE: 'true',
    },
  };
}

/** Returns the Python of the agent: that of a virtual environment in its directory, as on the machine of a developer, or the one on `PATH`. */
function pythonOf(directory: string): string {
  const own = join(directory, '.venv', 'bin', 'python');
  return existsSync(own) ? own : 'python3';
}

class Reader implements ProgramReader {
  private version?: string;
  private conversation?: string;
  private lastText?: string;
  private result?: JsonObject;

  constructor(private readonly progress: Progress) {}

  public line(line: string) {
    const event = jsonLine(line);
    if (event === undefined) return;
    if (event.type === 'begin') this.version = textOf(event.version);
    if (event.type === 'conversation') this.conversation = textOf(event.id);
    if (event.type === 'tool') this.progress(`[${textOf(event.name) ?? 'tool'}] ${textOf(event.input) ?? ''}`);
    if (event.type === 'end') this.result = event;
    if (event.type === 'text') {
      this.lastText = textOf(event.text);
      this.progress(this.lastText ?? '');
    }
  }

  public end(ended: ProgramEnd): ProgramResult {
    const { version, conversation, result } = this;
    if (result === undefined) {
      return { version, conversation, summary: this.lastText, error: endedBadly(ended) ?? failure(AGENT_ERRORS.FAILED, 'the agent ended the process before the turn was over') };
    }
    const kind = textOf(result.kind);
    return {
      version,
      conversation,
      turns: numberOf(result.turns),
      usage: usageOf(objectOf(result.usage)),
      summary: textOf(result.summary) ?? this.lastText,
      error: kind === undefined ? undefined : failure(nameOf(kind), textOf(result.message) ?? ''),
    };
  }
}

/** Returns the name of an error by the kind that the script prints, which is the key in `AGENT_ERRORS`. */
function nameOf(kind: string): AgentErrorName {
  return (AGENT_ERRORS as { readonly [kind: string]: AgentErrorName })[kind] ?? AGENT_ERRORS.FAILED;
}

function usageOf(usage: JsonObject): AgentUsage | undefined {
  const [inputTokens, outputTokens] = [numberOf(usage.inputTokens), numberOf(usage.outputTokens)];
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return { inputTokens, outputTokens, cacheReadTokens: numberOf(usage.cacheReadTokens), cacheWriteTokens: numberOf(usage.cacheWriteTokens) };
}
