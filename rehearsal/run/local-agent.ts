import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_PROGRAMS, AgentDefinition, RUNNER, RUNNER_VARIABLES } from '../../src/agent/constants';
import { quoteWord } from '../../src/private/quote';
import type { CommandAgent } from '../agentcore';
import { packageDirectory } from '../common/package-directory';

/** The agents that need no more than their program: the others come with an app. */
export const NAMED_AGENTS = AGENT_PROGRAMS.filter((name) => name !== 'strands' && name !== 'custom');
export type NamedAgent = typeof NAMED_AGENTS[number];

/** Returns the agent that a text names, if it is no command. */
export function namedAgent(text: string | undefined): NamedAgent | undefined {
  return NAMED_AGENTS.find((name) => name === text);
}

/** An agent by its definition, whose program is one of this machine. */
export interface DefinedAgent {
  readonly definition: AgentDefinition;
}

export interface LocalAgentProps {
  readonly definition: AgentDefinition;
  /** The variables that replace those of the app's runtime, which name the models of another agent. @default - the runtime's variables stay */
  readonly models?: { readonly [name: string]: string | undefined };
}

/** The runner of an agent, in a directory of its own: sessions have the programs of this machine, and this one in addition. */
export class LocalAgent {
  /** Writes the runner and the definition below the state directory of a rehearsal. */
  static install(stateDirectory: string, { definition, models }: LocalAgentProps): LocalAgent {
    const text = JSON.stringify(definition);
    const key = createHash('sha256').update(JSON.stringify([text, models])).digest('hex').slice(0, 12);
    const directory = join(stateDirectory, 'agents', `${definition.program}-${key}`);
    mkdirSync(directory, { recursive: true });
    const program = join(directory, 'runner.js');
    copyFileSync(runnerOfPackage(), program);
    writeFileSync(join(directory, 'definition.json'), text);
    writeFileSync(join(directory, RUNNER.command), [
      '#!/bin/sh',
      ...models === undefined ? [] : MODEL_VARIABLES.map((name) => models[name] === undefined ? `unset ${name}` : `export ${name}=${quoteWord(models[name])}`),
      `exec ${quoteWord(process.execPath)} ${quoteWord(program)} "$@"`,
      '',
    ].join('\n'), { mode: 0o755 });
    return new LocalAgent(directory);
  }

  private constructor(readonly directory: string) {}

  /** The variables with which the sessions find the runner and its definition. */
  get environment(): { readonly [name: string]: string } {
    return {
      PATH: [this.directory, process.env.PATH ?? ''].join(':'),
      [RUNNER_VARIABLES.DEFINITION]: join(this.directory, 'definition.json'),
    };
  }

  /** The path of the runner's command. */
  get command(): string {
    return join(this.directory, RUNNER.command);
  }

  /** The server of the agent. */
  get server(): CommandAgent {
    return { command: [this.command, 'serve'] };
  }
}

const MODEL_VARIABLES = [RUNNER_VARIABLES.MODEL, RUNNER_VARIABLES.SMALL_MODEL];

/** Returns the path of the runner in this package. */
function runnerOfPackage(): string {
  const file = join(packageDirectory(), RUNNER.asset);
  if (!existsSync(file)) throw new Error(`${file} is missing: build the library first, with "npx projen bundle"`);
  return file;
}
