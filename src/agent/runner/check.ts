import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf, readDefinition } from './definition';
import { withHome } from './home';
import { RUNNER_LIMITS } from './limits';
import { run } from './processes';
import { PROGRAMS } from './programs';
import { Environment, Program } from './programs/program';
import { versionOf } from './turn';
import { AgentDefinition } from '../constants';

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
  const own = { ...withHome(environment), ...definition.environment };
  if (!isOnPath(program.executable, own)) {
    return { name, faults: [...faults, `"${program.executable}" is not on PATH: build the image with AgentImage.forAgent, or add the program to its tools`] };
  }
  const tried = faults.length > 0 ? undefined : await trialOf(program, definition, own);
  if (tried !== undefined) return { name, faults: [tried] };
  const version = await versionOf(program, own, '/');
  return version === undefined ? { name, faults: [...faults, `"${program.executable}" does not print its version: look at what it prints in the image`] } : { name, version, faults };
}

/** Returns what a program's own trial says; undefined if the agent could begin. */
async function trialOf(program: Program, definition: AgentDefinition, environment: Environment): Promise<string | undefined> {
  if (program.trial === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'workbench-trial-'));
  try {
    const start = program.trial(definition, directory);
    const signal = AbortSignal.timeout(RUNNER_LIMITS.trial);
    const options = { directory: '/', environment: { ...environment, ...start.environment, ...definition.environment }, signal };
    const { exitCode, errors } = await run({ ...start, ...options, line: () => {}, longLine: () => {}, errorLine: () => {} });
    if (exitCode === 0) return undefined;
    return signal.aborted ? `the agent is not there after ${RUNNER_LIMITS.trial / 1_000} seconds` : errors.trim().split('\n').at(-1)!;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
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
