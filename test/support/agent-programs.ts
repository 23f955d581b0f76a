import { AgentRunner } from './agent-runner';
import { call, ModelServer, Reply, say } from './models';
import { NpmProgram, programDirectory } from './programs';
import { AgentDefinition, AgentReport } from '../../src/agent/constants';

/** The part of a program that tests must know: the names of its tools, and how it is pointed at another server. */
interface Dialect {
  readonly definition: AgentDefinition;
  readonly environment: (server: ModelServer) => { readonly [name: string]: string };
  /** Returns the answers that change a file, one after the other. */
  readonly edit: (path: string, from: string, to: string) => Reply[];
  readonly shell: (command: string) => Reply;
  /** The numbers that it reports about three calls. */
  readonly reports: Partial<AgentReport>;
  /** Arguments and variables that shorten the waits between attempts. */
  readonly impatient: { readonly [name: string]: string };
}

/** The tokens of three calls. */
const USAGE = { inputTokens: 3_000, outputTokens: 150, cacheReadTokens: 600, cacheWriteTokens: 300 };

export const DIALECTS: { readonly [program in NpmProgram]?: Dialect } = {
  'claude-code': {
    definition: { program: 'claude-code', model: 'claude-sonnet-4-5' },
    environment: ({ url }) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-scripted' }),
    edit: (path, from, to) => [
      [say('I look at it.'), call('Read', { file_path: path })],
      call('Edit', { file_path: path, old_string: from, new_string: to }),
    ],
    shell: (command) => call('Bash', { command, description: 'A command' }),
    impatient: { CLAUDE_CODE_MAX_RETRIES: '1' },
    reports: { turns: 3, usage: USAGE, costUsd: expect.any(Number) },
  },
  'opencode': {
    definition: { program: 'opencode', model: 'anthropic/claude-sonnet-4-5' },
    environment: ({ url }) => ({
      ANTHROPIC_API_KEY: 'sk-scripted',
      OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider: { anthropic: { options: { baseURL: `${url}/v1` } } } }),
    }),
    edit: (path, from, to) => [
      [say('I look at it.'), call('read', { filePath: path })],
      call('edit', { filePath: path, oldString: from, newString: to }),
    ],
    shell: (command) => call('bash', { command, description: 'A command' }),
    impatient: {},
    reports: { turns: 3, usage: USAGE, costUsd: expect.any(Number) },
  },
  'codex': {
    definition: { program: 'codex', model: 'gpt-5.4' },
    environment: () => ({ OPENAI_API_KEY: 'sk-scripted' }),
    edit: (path, from, to) => [
      [say('I look at it.'), call('exec_command', { cmd: `cat ${path}` })],
      call('exec_command', { cmd: ["apply_patch <<'EOF'", '*** Begin Patch', `*** Update File: ${path}`, '@@', `-${from}`, `+${to}`, '*** End Patch', 'EOF'].join('\n') }),
    ],
    shell: (command) => call('exec_command', { cmd: command }),
    impatient: {},
    // Neither the number of calls nor a cost, and nothing about writing to the cache.
    reports: { usage: { inputTokens: 3_000, outputTokens: 150, cacheReadTokens: 600 } },
  },
};

/** Returns the arguments with which Codex speaks to a server of the test. It reads no address from its environment. */
export function codexProvider({ url }: ModelServer): string[] {
  const entry = `name="scripted",base_url="${url}/v1",env_key="OPENAI_API_KEY",wire_api="responses",request_max_retries=0,stream_max_retries=0`;
  return ['-c', 'model_provider="scripted"', '-c', `model_providers.scripted={${entry}}`];
}

interface AgentOptions {
  readonly user?: number;
  readonly definition?: Partial<AgentDefinition>;
}

/** A program, a clone, and the model that it speaks to. */
export class AgentWithModel {
  static async start(program: NpmProgram, options: AgentOptions = {}): Promise<AgentWithModel> {
    const dialect = DIALECTS[program]!;
    const server = await ModelServer.start({ script: () => say('Nothing to do.') });
    const runner = new AgentRunner({
      definition: { ...dialect.definition, ...(program === 'codex' ? { arguments: codexProvider(server) } : {}), ...options.definition },
      programs: [await programDirectory(program)],
      environment: { ...dialect.environment(server), ...dialect.impatient },
      user: options.user,
    });
    return new AgentWithModel(dialect, server, runner);
  }

  private constructor(readonly dialect: Dialect, readonly model: ModelServer, readonly runner: AgentRunner) {}

  /** Answers the calls from now on with these replies. The last one answers all later calls. */
  answers(...replies: Reply[]) {
    let next = 0;
    this.model.script = () => replies[Math.min(next++, replies.length - 1)];
  }

  /** Returns the answers that repair the clone. */
  repair(): Reply[] {
    const line = (sign: string) => `module.exports = (a, b) => a ${sign} b;`;
    return [...this.dialect.edit(`${this.runner.clone}/sum.js`, line('-'), line('+')), say('I replaced the minus.')];
  }

  async stop() {
    this.runner.remove();
    await this.model.stop();
  }
}
