import { existsSync, statSync } from 'fs';
import { join } from 'path';
import { Token } from 'aws-cdk-lib';
import type { CodingAgentOptions } from './coding-agent-options';
import { AGENT_LIMITS } from '../agent/constants';
import { isFullNpmVersion, isPipVersion } from '../image/versions';
import { LIMITS } from '../jobs/constants';
import { secretIn } from '../private/secrets';
import { environmentFaults, faultsOf, Rule, ValidationError } from '../private/validation';

/** All options of all agents, and what their rules need to know besides. */
export interface AgentRequest extends CodingAgentOptions {
  readonly version?: string;
  readonly maxTurns?: number;
  readonly name?: string;
  readonly command?: string;
  readonly directory?: string;
  /** Determines whether the version is one of npm or of PyPI. */
  readonly registry?: 'npm' | 'PyPI';
}

const isToken = (value: unknown) => Token.isUnresolved(value);

/** Everything that is written into the image: it is built before the deployment, so none of it may be a token. */
function unresolvedIn({ version, maxTurns, instructions, name, command, directory, arguments: list }: AgentRequest): string[] {
  const options = { version, maxTurns, instructions, name, command, directory, arguments: list };
  return Object.entries(options).filter(([, value]) => isToken(value) || (Array.isArray(value) && value.some(isToken))).map(([option]) => option);
}

const RULES: readonly Rule<AgentRequest>[] = [
  {
    broken: ({ version, registry }) => version !== undefined && registry === 'npm' && !isFullNpmVersion(version),
    message: ({ version }) => `"version" must be a full version, not ${JSON.stringify(version)}: use all three numbers, such as '1.2.3'`,
  },
  {
    broken: ({ version, registry }) => version !== undefined && registry === 'PyPI' && !isPipVersion(version),
    message: ({ version }) => `"version" must be a version of PyPI, not ${JSON.stringify(version)}: use one such as '1.2.3'`,
  },
  {
    broken: ({ maxTurns: turns }) => turns !== undefined && !(Number.isInteger(turns) && turns >= 1 && turns <= AGENT_LIMITS.turns),
    message: ({ maxTurns }) => `"maxTurns" must be a whole number from 1 to ${AGENT_LIMITS.turns}, not ${maxTurns}: change it`,
  },
  {
    broken: ({ instructions: text }) => text !== undefined && (text.trim() === '' || text.length > AGENT_LIMITS.instructions || text.includes('\0')),
    message: ({ instructions }) => `"instructions" must have 1 to ${AGENT_LIMITS.instructions} characters without NUL, not ${instructions!.length}: shorten them, or write them `
      + 'into a file of the repository that the agent reads, such as AGENTS.md',
  },
  {
    broken: ({ arguments: list = [] }) => list.length > AGENT_LIMITS.arguments,
    message: ({ arguments: list = [] }) => `"arguments" must have at most ${AGENT_LIMITS.arguments} arguments, not ${list.length}: use a configuration file of the program`,
  },
  {
    broken: ({ arguments: list = [] }) => list.some((argument) => argument.length > AGENT_LIMITS.argument || argument.includes('\0')),
    message: () => `"arguments" must have at most ${AGENT_LIMITS.argument} characters each, without NUL: use a configuration file of the program`,
  },
  {
    broken: ({ name }) => name !== undefined && !/^[a-z][a-z0-9-]{0,39}$/.test(name),
    message: ({ name }) => `"name" must be 1 to 40 lowercase letters, digits and hyphens, starting with a letter, not ${JSON.stringify(name)}: change it`,
  },
  {
    broken: ({ command }) => command !== undefined && (command.trim() === '' || Buffer.byteLength(command) > LIMITS.commandBytes || command.includes('\0')),
    message: ({ command }) => `"command" must have 1 to ${LIMITS.commandBytes} bytes without NUL, not ${Buffer.byteLength(command!)}: put it in a script of the image`,
  },
  {
    broken: ({ directory }) => directory !== undefined && !(existsSync(directory) && statSync(directory).isDirectory()),
    message: () => '"directory" must be an existing directory: use the path of the agent\'s files, relative to the working directory of the app',
  },
  {
    broken: ({ directory }) => directory !== undefined && existsSync(directory) && !existsSync(join(directory, 'agent.py')),
    message: () => '"directory" must have the file agent.py: create it, with a strands.Agent in the variable "agent", or with a function create_agent() that returns one',
  },
];

/** Returns a fault for each text that holds a secret: the image would show it to everyone who can pull it. */
function secretsOf({ command, instructions, arguments: list, environment = {} }: AgentRequest): string[] {
  const variables = Object.entries(environment).map(([name, value]) => [`environment.${name}`, value] as const);
  const texts = [['command', command], ['instructions', instructions], ['arguments', list?.join('\n')], ...variables] as const;
  return texts.flatMap(([option, text]) => {
    const found = text === undefined || isToken(text) ? undefined : secretIn(text);
    return found === undefined ? [] : [`"${option}" must not contain ${found}, which the image would show: `
      + 'fetch it in the session with the runtime\'s execution role (grant it read access to the secret)'];
  });
}

/** Returns a fault for each variable that the runner or the loop sets. */
function reservedFaults({ environment = {} }: AgentRequest): string[] {
  return Object.keys(environment).filter((name) => name.startsWith('WORKBENCH_'))
    .map((name) => `"environment" must not have "${name}", since names that start with WORKBENCH_ are reserved: rename it, or use the option for it`);
}

/** Rejects options of an agent that break rules, with all faults in one error. */
export function checkAgent(place: string, request: AgentRequest): void {
  const unresolved = unresolvedIn(request);
  const faults = unresolved.length > 0
    ? [`"${unresolved.join('", "')}" must be known at synth, not a token, since the image is built before the deployment: use a literal`]
    : [...faultsOf(request, RULES), ...secretsOf(request)];
  faults.push(...environmentFaults('environment', request.environment ?? {}), ...reservedFaults(request));
  if (faults.length > 0) throw new ValidationError(faults, place);
}
