import { readFileSync } from 'node:fs';
import { PROGRAMS } from './programs';
import { AGENT_PROGRAMS, AgentDefinition, RUNNER, RUNNER_VARIABLES } from '../constants';
import { Environment } from './programs/program';

/** A definition that cannot be used. The message says what to change. */
export class DefinitionError extends Error {
  constructor(path: string, faults: readonly string[]) {
    super(`the definition of the agent (${path}) cannot be used: ${faults.join('; ')}`);
    this.name = 'DefinitionError';
  }
}

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' && value.trim() !== '' ? undefined : 'must be text that is not empty');

const oneOf = (names: readonly string[]): Check => (value) => (names.includes(value as string) ? undefined : `must be one of ${names.join(', ')}`);

const count: Check = (value) => (Number.isSafeInteger(value) && (value as number) >= 1 ? undefined : 'must be a whole number from 1');

const texts: Check = (value) => (Array.isArray(value) && value.every((item) => typeof item === 'string') ? undefined : 'must be a list of texts');

const variables: Check = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object of names and values';
  const broken = Object.entries(value).find(([name, item]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || typeof item !== 'string');
  return broken === undefined ? undefined : `has "${broken[0]}", but a name consists of letters, digits and underscores, and a value is text`;
};

const CHECKS: { readonly [name in keyof Required<AgentDefinition>]: Check } = {
  program: oneOf(AGENT_PROGRAMS),
  name: text,
  provider: oneOf(['bedrock']),
  model: text,
  smallModel: text,
  maxTurns: count,
  arguments: texts,
  environment: variables,
  instructions: text,
  command: text,
  directory: text,
};

/** Reads the definition of the agent, and takes the models from the environment if it has them. */
export function readDefinition(environment: Environment): AgentDefinition {
  const path = environment[RUNNER_VARIABLES.DEFINITION] ?? RUNNER.definition;
  const definition = parseDefinition(contentOf(path), path);
  const { [RUNNER_VARIABLES.MODEL]: model, [RUNNER_VARIABLES.SMALL_MODEL]: smallModel } = environment;
  return { ...definition, ...(model ? { model } : {}), ...(smallModel ? { smallModel } : {}) };
}

/** Returns a definition without unknown fields and with values of the right types. */
export function parseDefinition(content: string, path: string): AgentDefinition {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new DefinitionError(path, [`it must be JSON: ${(error as Error).message}`]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DefinitionError(path, ['it must be an object such as {"program": "claude-code"}']);
  }
  const fields = Object.entries(value);
  const faults = fields.flatMap(([name, field]) => faultOf(name, field));
  if (!fields.some(([name]) => name === 'program')) faults.push(`"program" is missing: name one of ${AGENT_PROGRAMS.join(', ')}`);
  if (faults.length > 0) throw new DefinitionError(path, faults);
  return value as AgentDefinition;
}

function faultOf(name: string, value: unknown): string[] {
  if (!Object.prototype.hasOwnProperty.call(CHECKS, name)) return [`"${name}" is unknown: remove it, or use one of ${Object.keys(CHECKS).join(', ')}`];
  const fault = CHECKS[name as keyof AgentDefinition](value);
  return fault === undefined ? [] : [`"${name}" ${fault}, not ${JSON.stringify(value).slice(0, 100)}`];
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DefinitionError(path, [`it cannot be read (${code}): build the image with AgentImage.forAgent, or name a file in ${RUNNER_VARIABLES.DEFINITION}`]);
  }
}

/** Returns what prevents the agent from beginning, apart from a missing program. */
export function faultsOf(definition: AgentDefinition, environment: Environment): string[] {
  const program = PROGRAMS[definition.program];
  if (program === undefined) return [`this version of the runner cannot start ${definition.program}: use one of ${Object.keys(PROGRAMS).join(', ')}`];
  return [
    ...(definition.provider === 'bedrock' && regionOf({ ...environment, ...definition.environment }) === undefined ? ['AWS_REGION is not set: set it to the region of the model'] : []),
    ...(definition.provider === 'bedrock' && definition.model === undefined
      ? [`"model" is missing: name a model or an inference profile, in the definition or in ${RUNNER_VARIABLES.MODEL}`] : []),
    ...(program.faults?.(definition, environment) ?? []),
  ];
}

export function regionOf(environment: Environment): string | undefined {
  return [environment.AWS_REGION, environment.AWS_DEFAULT_REGION].find((region) => region !== undefined && region !== '');
}
