import type { AgentStep } from './agent-step';
import {
  APPLICATION_CONTEXT, APPLICATION_DIRECTORY, CACHES, CACHE_ROOT, JAVA_HOME, MISE_MOUNT, NPM_PREFIX, RUNTIME_PATHS, SCRIPTS_DIRECTORY, SCRIPTS_MOUNT,
} from './constants';
import { type BuildArgs, type ParsedDockerfile, type Stage, environmentOf, userAt } from './dockerfile';
import { type ContextScript, contextScript } from './image-context';
import { osScript } from './os-script';
import { needsRuntimeStep, runtimeScript } from './runtime-script';
import { type ToolEntry, slug } from './tool-entry';
import { type VerifyScriptOptions, verifyScript } from './verify-script';

export interface ToolStepsOptions extends VerifyScriptOptions {
  readonly entries: readonly ToolEntry[];
  /** The step that brings the runner of an agent, and the definition of the agent. */
  readonly agent?: AgentStep;
  readonly miseImage: string;
  readonly miseSettings: { readonly [name: string]: string };
  readonly githubTokenSecret?: string;
}

/** The instructions that bring the tools: at most three of them make a layer. */
export interface ToolSteps {
  /** PATH, the package manager's step, and the runtimes' step. */
  readonly install: readonly string[];
  /** The step that runs every tool and writes the list, after the one that brings the runner of an agent. */
  readonly verify: readonly string[];
  readonly scripts: readonly ContextScript[];
  /** The paths of files that the scripts read, and that stand beside them in the context. */
  readonly files: readonly string[];
}

const MOUNT_SCRIPTS = `--mount=type=bind,source=${SCRIPTS_DIRECTORY},target=${SCRIPTS_MOUNT}`;

/** An ENV for the end of the stage: set earlier, root's own steps would fill the directories. */
export function cacheInstructions(entries: readonly ToolEntry[], already: ReadonlySet<string>): string[] {
  const settings = CACHES
    .filter(([variable, , tool]) => !already.has(variable) && (tool === undefined || entries.some(({ name }) => name === tool)))
    .map(([variable, directory]) => `${variable}="${CACHE_ROOT}/${directory}"`);
  return settings.length === 0 ? [] : [`ENV ${settings.join(' ')}`];
}

function pathInstruction(entries: readonly ToolEntry[]): string[] {
  const runtimes = entries.flatMap(({ install }) => (install.kind === 'mise' ? [`${RUNTIME_PATHS}/${slug(install.tool)}`] : []));
  const npm = entries.some(({ install }) => install.kind === 'npm') ? [`${NPM_PREFIX}/bin`] : [];
  const path = [...npm, ...runtimes];
  return path.length === 0 ? [] : [`ENV PATH="${path.join(':')}:\${PATH}"`];
}

/** Returns the instructions that a runtime needs besides its commands. */
function runtimeInstructions(entries: readonly ToolEntry[]): string[] {
  const has = (tool: string) => entries.some(({ install }) => install.kind === 'mise' && install.tool === tool);
  return has('java') ? [`ENV JAVA_HOME="${JAVA_HOME}"`] : [];
}

function run(script: ContextScript, ...mounts: string[]): string {
  // In exec form: the SHELL of the Dockerfile, such as Bash, may not be installed yet.
  return ['RUN', MOUNT_SCRIPTS, ...mounts, `["/bin/sh", "${SCRIPTS_MOUNT}/${script.file}"]`].join(' ');
}

/** mise, and the token that it alone needs. */
function miseMounts({ entries, miseImage, githubTokenSecret }: ToolStepsOptions): string[] {
  if (!entries.some(({ install }) => install.kind === 'mise')) return [];
  const mise = `--mount=type=bind,from=${miseImage},source=/usr/local/bin/mise,target=${MISE_MOUNT}`;
  return [mise, ...(githubTokenSecret ? [`--mount=type=secret,id=${githubTokenSecret}`] : [])];
}

export function toolSteps(options: ToolStepsOptions): ToolSteps {
  const { entries, githubTokenSecret } = options;
  const os = contextScript('packages', osScript(entries));
  const verify = contextScript('verify', verifyScript(entries, options));
  const install = [run(os)];
  const scripts = [os, verify];
  if (needsRuntimeStep(entries)) {
    const runtimes = contextScript('runtimes', runtimeScript(entries, { settings: options.miseSettings, githubTokenSecret }));
    install.push(...pathInstruction(entries), ...runtimeInstructions(entries), run(runtimes, ...miseMounts(options)));
    scripts.push(runtimes);
  }
  const agent = options.agent === undefined ? [] : [options.agent.script];
  const texts = options.agent === undefined ? [] : [options.agent.definition];
  const files = options.agent?.files ?? [];
  return { install, verify: [...agent, verify].map((script) => run(script)), scripts: [...scripts, ...agent, ...texts], files };
}

export interface NewDockerfileOptions {
  readonly base: string;
  readonly command: readonly string[];
  readonly setup: readonly string[];
  /** Determines whether the context has files for the application. */
  readonly application: boolean;
  /** Determines whether the check comes after the application, which has a part in it. */
  readonly verifyLast: boolean;
  readonly user: string;
  readonly steps: ToolSteps;
  readonly entries: readonly ToolEntry[];
}

/** A Dockerfile for a directory that has none. The tools come first: a change of the agent's code leaves their layers as they are. */
export function newDockerfile(options: NewDockerfileOptions): string {
  const { steps } = options;
  return [
    '# Written by cdk-agentcore-workbench: change the options of AgentImage.fromDirectory, not this file.',
    `FROM ${options.base}`,
    ...steps.install,
    ...(options.verifyLast ? [] : steps.verify),
    `WORKDIR ${APPLICATION_DIRECTORY}`,
    ...(options.application ? [`COPY ${APPLICATION_CONTEXT}/ ${APPLICATION_DIRECTORY}/`] : []),
    ...options.setup.map((command) => `RUN ${JSON.stringify(['/bin/bash', '-euo', 'pipefail', '-c', command])}`),
    ...(options.verifyLast ? steps.verify : []),
    ...cacheInstructions(options.entries, new Set()),
    `USER ${options.user}`,
    'EXPOSE 8080', // the port that the service calls
    `CMD ${JSON.stringify(options.command)}`,
    '',
  ].join('\n');
}

export interface AmendedDockerfileOptions {
  readonly text: string;
  readonly parsed: ParsedDockerfile;
  readonly stage: Stage;
  readonly buildArgs: BuildArgs;
  /** The user at run time, as a number; `undefined`: the base image's, which nothing in the Dockerfile changes. */
  readonly user?: string;
  readonly steps: ToolSteps;
  readonly entries: readonly ToolEntry[];
}

const NEEDS_TOOLS = new Set(['RUN', 'COPY', 'ADD']);

function asRoot(user: string | undefined, instructions: readonly string[], back: string | undefined): string[] {
  return user === undefined || user === '0' ? [...instructions] : ['USER 0', ...instructions, ...(back ? [`USER ${back}`] : [])];
}

/**
 * Adds the tools to a stage of a Dockerfile as its author wrote it.
 *
 * They go in before the stage's first step that makes a layer, so that the author's own steps can use them and a change of the
 * code does not rebuild them. The check goes to the stage's end, so that nothing after it can undo what it found.
 */
export function amendDockerfile(options: AmendedDockerfileOptions): string {
  const { text, stage, parsed, buildArgs, steps } = options;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === '') lines.pop();

  const first = stage.instructions.find((instruction) => NEEDS_TOOLS.has(instruction.getKeyword()));
  const next = parsed.stages[parsed.stages.indexOf(stage) + 1];
  const end = next ? next.from.getRange().start.line : lines.length;
  const start = first ? first.getRange().start.line : end;

  const atStart = userAt(parsed, stage, buildArgs, first);
  const atEnd = userAt(parsed, stage, buildArgs);
  // If the base image's user is unknown, a given `user` means that it may not be root.
  const userAtStart = atStart ? atStart.number ?? atStart.text : options.user;
  const top = ['# Tools, by cdk-agentcore-workbench', ...asRoot(userAtStart, steps.install, atStart?.text)];
  const bottom = [
    '# Check of the tools, by cdk-agentcore-workbench',
    ...asRoot(atEnd?.number ?? atEnd?.text ?? options.user, steps.verify, undefined),
    ...cacheInstructions(options.entries, environmentOf(stage)),
    ...(options.user !== undefined ? [`USER ${options.user}`] : []),
  ];
  return [...lines.slice(0, start), ...top, ...lines.slice(start, end), ...bottom, ...lines.slice(end), ''].join(newline);
}
