import { Conversation } from './conversation';
import { faultsOf, regionOf } from './definition';
import { withHome } from './home';
import { RUNNER_LIMITS } from './limits';
import { NotStarted, run } from './processes';
import { PROGRAMS } from './programs';
import { failure } from './programs/failures';
import { Environment, Program, ProgramResult, ProgramStart, ProgramTurn } from './programs/program';
import { harmless, shortened } from './report';
import { AGENT_ERRORS, AgentDefinition, AgentReport } from '../constants';

export interface TurnRequest {
  readonly prompt: string;
  readonly taskId?: string;
  /** Instructions of the loop for this turn. */
  readonly instructions?: string;
  /** The clone. */
  readonly directory: string;
  readonly environment: Environment;
  /** The directory for ephemeral state. @default - the one for temporary files */
  readonly temporary?: string;
}

/** Receives what people read while a turn is at work: whole lines, in which none is taken for a report. */
export interface TurnOutput {
  progress(text: string): void;
  errors(text: string): void;
}

/** Runs one turn of the agent. Whatever happens is in the report; the signal ends the program and all that it started. */
export async function turn(definition: AgentDefinition, request: TurnRequest, output: TurnOutput, signal?: AbortSignal): Promise<AgentReport> {
  const name = definition.name ?? definition.program;
  const faults = faultsOf(definition, request.environment);
  if (faults.length > 0) return { name, error: failure(AGENT_ERRORS.FAILED, faults.join('; ')) };
  try {
    const own = { ...request, environment: withHome(request.environment, request.temporary) };
    const { conversation: _conversation, lostConversation: _lost, ...result } = await new Turn(definition, own, output, signal).run();
    return { name, ...result };
  } catch (error) {
    return { name, error: failure(AGENT_ERRORS.FAILED, (error as Error).message) };
  }
}

class Turn {
  private readonly program: Program;

  constructor(
    private readonly definition: AgentDefinition,
    private readonly request: TurnRequest,
    private readonly output: TurnOutput,
    private readonly signal?: AbortSignal,
  ) {
    this.program = PROGRAMS[definition.program]!;
  }

  public async run(): Promise<ProgramResult> {
    const { definition, request, program } = this;
    const warn = (text: string) => this.output.errors(harmless(text));
    const conversation = new Conversation({
      name: definition.name ?? definition.program,
      program: definition.program,
      kept: program.kept,
      taskId: request.taskId,
      directory: request.directory,
      temporary: request.temporary,
      warn,
    });
    let result = await this.attempt(conversation.state, conversation.id);
    if (conversation.id !== undefined && this.cannotContinue(result)) {
      warn('the conversation of the earlier turn cannot be continued, and a new one begins');
      conversation.forget();
      result = await this.attempt(conversation.state);
    }
    conversation.save(result.error?.name === AGENT_ERRORS.CONTEXT_FULL ? undefined : result.conversation ?? conversation.id);
    return { ...result, version: result.version ?? await this.version() };
  }

  /** Determines whether a new conversation may do what the old one cannot: it is lost, damaged, or full. */
  private cannotContinue({ lostConversation, error, turns }: ProgramResult): boolean {
    if (this.signal?.aborted) return false;
    return lostConversation === true || error?.name === AGENT_ERRORS.CONTEXT_FULL || (error?.name === AGENT_ERRORS.FAILED && turns === 0);
  }

  private async attempt(state: string, conversation?: string): Promise<ProgramResult> {
    const { definition, request, program, output } = this;
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    // Cut first: a program may exit before all is read by a reader that takes its time with millions of characters.
    const progress = (text: string) => output.progress(shortened(harmless(text.slice(0, 2 * RUNNER_LIMITS.progress)), RUNNER_LIMITS.progress));
    const ours: ProgramTurn = {
      definition,
      state,
      conversation,
      model: definition.model,
      region: regionOf({ ...request.environment, ...definition.environment }),
      prompt: request.prompt,
      instructions: joined([definition.instructions, request.instructions]),
      directory: request.directory,
      environment: request.environment,
    };
    const reader = program.reader(progress, stop, ours);
    const start = program.start(ours);
    if (this.signal?.aborted) stop();
    this.signal?.addEventListener('abort', stop, { once: true });
    try {
      const ended = await run({
        ...start,
        directory: request.directory,
        temporary: request.temporary,
        environment: this.environment(start),
        signal: stopped.signal,
        line: (line) => reader.line(line),
        longLine: (beginning) => reader.longLine?.(beginning),
        errorLine: (line) => {
          reader.errorLine?.(line);
          output.errors(harmless(line));
        },
      });
      const result = reader.end(ended);
      return this.signal?.aborted ? { ...result, error: failure(AGENT_ERRORS.FAILED, 'the turn was ended from outside before the program was done') } : result;
    } catch (error) {
      if (!(error instanceof NotStarted)) throw error;
      return { error: failure(AGENT_ERRORS.FAILED, notStarted(error, start.file)) };
    } finally {
      this.signal?.removeEventListener('abort', stop);
    }
  }

  private environment(start: ProgramStart): Environment {
    return { ...this.request.environment, ...start.environment, ...this.definition.environment };
  }

  private async version(): Promise<string | undefined> {
    return versionOf(this.program, { ...this.request.environment, ...this.definition.environment }, this.request.directory);
  }
}

/** Asks a program for its version; undefined if it has none, or is not there. */
export async function versionOf(program: Program, environment: Environment, directory: string): Promise<string | undefined> {
  if (program.executable === undefined) return undefined;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), RUNNER_LIMITS.version);
  try {
    const { exitCode, output } = await run({
      file: program.executable,
      arguments: program.versionArguments ?? ['--version'],
      directory,
      environment,
      input: '',
      signal: timeout.signal,
      line: () => {},
      longLine: () => {},
      errorLine: () => {},
    });
    return exitCode === 0 ? /\d+\.\d+[^\s,)]*/.exec(output)?.[0] : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function notStarted({ code }: NotStarted, file: string): string {
  return code === 'ENOENT'
    ? `"${file}" or the directory of the turn is not there: build the image with AgentImage.forAgent, or add the program to its tools`
    : `"${file}" cannot be started (${code})`;
}

function joined(texts: ReadonlyArray<string | undefined>): string | undefined {
  const given = texts.filter((text) => text !== undefined && text.trim() !== '');
  return given.length === 0 ? undefined : given.join('\n\n');
}
