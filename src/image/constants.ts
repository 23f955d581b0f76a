/** Paths in images and the caches of tools. Shared with the handlers and the rehearsal. */

/** The list of tools, written by the last step of the build: name, version, how installed. */
export const MANIFEST_PATH = '/etc/agent-image.json';

/** The directory where mise installs runtimes. mise itself does not stay in the image. */
export const MISE_ROOT = '/opt/mise';

/** One entry per runtime, a link to its directory of commands: these are on `PATH`. */
export const RUNTIME_PATHS = `${MISE_ROOT}/path`;

/** The value of `JAVA_HOME`, the same for every version. */
export const JAVA_HOME = `${MISE_ROOT}/java-home`;

/** `npm install --global --prefix`: apart from Node's own directory, so that another Node keeps the packages. */
export const NPM_PREFIX = '/opt/npm';

/** The directory of the agent's files in an image whose Dockerfile is generated. */
export const APPLICATION_DIRECTORY = '/app';

/** The directory of these files in the build context, apart from the scripts, so that the image does not contain the scripts. */
export const APPLICATION_CONTEXT = 'application';

/** The directory of Python programs that have an environment of their own, each in a folder of its name. */
export const PYTHON_PROGRAMS = '/opt/python-programs';

/** The folder where each install step records what it did, for the manifest. */
export const RECORDS = '/opt/agent-image/installed';

/** The folder with our scripts in the build context. */
export const SCRIPTS_DIRECTORY = '.agent-image';

/** The directory where the scripts are mounted during their step. No layer contains it. */
export const SCRIPTS_MOUNT = '/run/agent-image';

/** The directory where the mise binary is mounted during its step. */
export const MISE_MOUNT = '/run/mise';

/** The directory of tool caches at run time: on ephemeral disk, and writable for every user. */
export const CACHE_ROOT = '/var/cache/agent';

/** The directories of package caches below the directory of tool caches, by the environment variable that moves them. Also set for every job. */
export const CACHE_DIRECTORIES = [
  ['UV_CACHE_DIR', 'uv'],
  ['PIP_CACHE_DIR', 'pip'],
  ['npm_config_cache', 'npm'],
] as const;

/**
 * The caches of an image. They are neither in the home directory nor on the session's mount, which holds a gigabyte, is slow with many files,
 * loses file locks when the session stops, and may be the home directory of an agent. A cache with a tool is only set if that tool is
 * installed: another copy of it in the base image may have its own configuration.
 */
export const CACHES: readonly (readonly [variable: string, directory: string, tool?: string])[] = [
  ['XDG_CACHE_HOME', 'xdg'], // Go's build cache, Deno, pnpm, Playwright, …
  ['XDG_STATE_HOME', 'state'],
  ...CACHE_DIRECTORIES,
  ['BUN_INSTALL_CACHE_DIR', 'bun'],
  ['GRADLE_USER_HOME', 'gradle'],
  ['GOMODCACHE', 'go', 'go'],
  ['CARGO_HOME', 'cargo', 'rust'],
];

/** The file with the definition of an agent, beside the scripts of an image. */
export const DEFINITION_FILE = 'workbench-agent.json';
