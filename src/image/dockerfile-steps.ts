import { CACHE_ROOT, JAVA_HOME, MISE_MOUNT, NPM_PREFIX, RUNTIME_PATHS, SCRIPTS_DIRECTORY, SCRIPTS_MOUNT } from './constants';
import { type ContextScript, contextScript } from './image-context';
import { osScript } from './os-script';
import { needsRuntimeStep, runtimeScript } from './runtime-script';
import { slug } from './shell';
import type { ToolEntry } from './tool-entry';
import { type VerifyScriptOptions, verifyScript } from './verify-script';

export interface ToolStepsOptions extends VerifyScriptOptions {
  readonly entries: readonly ToolEntry[];
  readonly miseImage: string;
  readonly miseSettings: { readonly [name: string]: string };
  readonly githubTokenSecret?: string;
}

/** The instructions that bring the tools: at most three of them make a layer. */
export interface ToolSteps {
  /** PATH, the package manager's step, and the runtimes' step. */
  readonly install: readonly string[];
  /** The step that runs every tool and writes the list. */
  readonly verify: readonly string[];
  readonly scripts: readonly ContextScript[];
}

const MOUNT_SCRIPTS = `--mount=type=bind,source=${SCRIPTS_DIRECTORY},target=${SCRIPTS_MOUNT}`;

/**
 * Places outside the home directory and, more to the point, outside the session's mount, which holds a gigabyte, loses file locks at a
 * stop, and may be the home directory of an agent. By the tool that they are for, where another copy of it in the base has its own idea.
 */
const CACHES: readonly (readonly [variable: string, directory: string, tool?: string])[] = [
  ['XDG_CACHE_HOME', 'xdg'], // pip, uv, Go's build cache, Deno, pnpm, Playwright, …
  ['XDG_STATE_HOME', 'state'],
  ['npm_config_cache', 'npm'],
  ['PIP_CACHE_DIR', 'pip'],
  ['UV_CACHE_DIR', 'uv'],
  ['BUN_INSTALL_CACHE_DIR', 'bun'],
  ['GRADLE_USER_HOME', 'gradle'],
  ['GOMODCACHE', 'go', 'go'],
  ['CARGO_HOME', 'cargo', 'rust'],
];

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

/** What a runtime needs besides its commands. */
function runtimeInstructions(entries: readonly ToolEntry[]): string[] {
  const has = (tool: string) => entries.some(({ install }) => install.kind === 'mise' && install.tool === tool);
  return has('java') ? [`ENV JAVA_HOME="${JAVA_HOME}"`] : [];
}

function run(script: ContextScript, ...mounts: string[]): string {
  // The array form: a SHELL of the Dockerfile's own, such as Bash, may not be there yet.
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
  return { install, verify: [run(verify)], scripts };
}
