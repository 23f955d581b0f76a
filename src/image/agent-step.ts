import { createHash } from 'crypto';
import { existsSync, readFileSync } from 'fs';
import { basename, join } from 'path';
import { DEFINITION_FILE, SCRIPTS_MOUNT } from './constants';
import { type ContextScript, contextScript } from './image-context';
import { RECORD_FUNCTION, preamble } from './os-script';
import { type ToolEntry, slug } from './tool-entry';
import { RUNNER, RUNNER_VARIABLES, type AgentDefinition } from '../agent/constants';

/** The step of a build that brings the runner of an agent. */
export interface AgentStep {
  readonly script: ContextScript;
  /** The definition, which the script copies. A rehearsal reads it in the build context, too. */
  readonly definition: ContextScript;
  /** The paths of the other files that the script copies. */
  readonly files: readonly string[];
  /** The entry of the runner in the list of tools: the build checks that the agent could begin. */
  readonly entry: ToolEntry;
}

/** The bundle of the runner, which is part of this package. */
const BUNDLE = join(__dirname, '..', '..', RUNNER.asset);

const sumOf = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

/** Returns the step that installs the runner and the definition of an agent: apart from the tools, which a new definition must not install again. */
export function agentStep(definition: AgentDefinition, bundle: string = BUNDLE): AgentStep {
  if (!existsSync(bundle)) throw new Error(`${bundle} does not exist: it is part of the package, so install the package again, or build it with "npx projen bundle"`);
  const file = basename(bundle);
  const text = `${JSON.stringify(definition, undefined, 2)}\n`;
  const script = contextScript('agent', [
    ...preamble('Installs the program that runs the agent.'),
    '',
    ...RECORD_FUNCTION,
    '',
    // The step is repeated when one of the files has changed, even by a builder that looks at nothing but the name of this script.
    `# The sum of ${file}: ${sumOf(readFileSync(bundle))}`,
    `# The sum of ${DEFINITION_FILE}: ${sumOf(text)}`,
    'node=$(command -v node) || fail "the program that runs the agent needs Node.js: add DevTool.nodejs(…), or take a base that has it"',
    'major=$(node -p \'process.versions.node.split(".")[0]\')',
    '[ "$major" -ge 18 ] || fail "the program that runs the agent needs Node.js 18 or later, not $major: add DevTool.nodejs(…)"',
    `mkdir -p ${RUNNER.directory} /usr/local/bin`,
    `cp ${SCRIPTS_MOUNT}/${file} ${RUNNER.directory}/${file}`,
    `chmod 644 ${RUNNER.directory}/${file}`,
    '# By its path: a session may put another Node.js first on PATH.',
    `printf '#!/bin/sh\\nexec "%s" ${RUNNER.directory}/${file} "$@"\\n' "$node" > /usr/local/bin/${RUNNER.command}`,
    `chmod 755 /usr/local/bin/${RUNNER.command}`,
    `cp ${SCRIPTS_MOUNT}/${DEFINITION_FILE} ${RUNNER.definition}`,
    `chmod 644 ${RUNNER.definition}`,
    `record ${slug(RUNNER.command)} cdk-agentcore-workbench`,
    '',
  ].join('\n'));
  return { script, definition: { file: DEFINITION_FILE, text }, files: [bundle], entry: { name: RUNNER.command, install: { kind: 'runner' }, verify: checkOf(definition) } };
}

/** The Region, and a model that is known at deployment only, are in the environment of the runtime, which a build does not have. */
function checkOf({ provider, model }: AgentDefinition): string {
  const otherwise = (name: string, value: string) => `${name}="\${${name}:-${value}}"`;
  return [
    ...(provider === undefined ? [] : [otherwise('AWS_REGION', 'us-east-1')]),
    ...(provider === undefined || model !== undefined ? [] : [otherwise(RUNNER_VARIABLES.MODEL, 'known-at-deployment')]),
    `${RUNNER.command} check`,
  ].join(' ');
}
