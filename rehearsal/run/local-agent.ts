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

/** The runner of an agent, in a directory of its own: sessions have the programs of this machine, and this one in addition. */
export class LocalAgent {
  /** Writes the runner and the definition below the state directory of a rehearsal. */
  static install(stateDirectory: string, definition: AgentDefinition): LocalAgent {
    const text = JSON.stringify(definition);
    const directory = join(stateDirectory, 'agents', `${definition.program}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`);
    mkdirSync(directory, { recursive: true });
    const program = join(directory, 'runner.js');
    copyFileSync(runnerOfPackage(), program);
    writeFileSync(join(directory, 'definition.json'), text);
    writeFileSync(join(directory, RUNNER.command), `#!/bin/sh\nexec ${quoteWord(process.execPath)} ${quoteWord(program)} "$@"\n`, { mode: 0o755 });
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

/** Returns the path of the runner in this package. */
function runnerOfPackage(): string {
  const file = join(packageDirectory(), RUNNER.asset);
  if (!existsSync(file)) throw new Error(`${file} is missing: build the library first, with "npx projen bundle"`);
  return file;
}
