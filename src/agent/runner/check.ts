import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { faultsOf, readDefinition } from './definition';
import { PROGRAMS } from './programs';
import { Environment } from './programs/program';
import { versionOf } from './turn';

/** The answer to the question whether the agent could begin. */
export interface CheckResult {
  readonly name: string;
  readonly version?: string;
  /** Reasons why it could not, each with what to change. */
  readonly faults: readonly string[];
}

/** Determines whether the agent could begin: its definition is valid, its program is there, and its model is named. No model is called. */
export async function check(environment: Environment): Promise<CheckResult> {
  const definition = readDefinition(environment);
  const name = definition.name ?? definition.program;
  const faults = faultsOf(definition, environment);
  const program = PROGRAMS[definition.program];
  if (program?.executable === undefined) return { name, faults };
  const own = { ...environment, ...definition.environment };
  if (!isOnPath(program.executable, own)) {
    return { name, faults: [...faults, `"${program.executable}" is not on PATH: build the image with AgentImage.forAgent, or add the program to its tools`] };
  }
  const version = await versionOf(program, own, '/');
  return version === undefined ? { name, faults: [...faults, `"${program.executable}" does not print its version: look at what it prints in the image`] } : { name, version, faults };
}

function isOnPath(executable: string, { PATH = '' }: Environment): boolean {
  return PATH.split(':').some((directory) => {
    try {
      accessSync(join(directory, executable), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
