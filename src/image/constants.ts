/** What an image of ours has where. Read by tests, by the rehearsal and by whoever looks into an image. */

/** The list of tools, written by the last step of the build: name, version, how installed. */
export const MANIFEST_PATH = '/etc/agent-image.json';

/** Where mise keeps what it installs. mise itself does not stay in the image. */
export const MISE_ROOT = '/opt/mise';

/** One entry per runtime, a link to its directory of commands: these are on `PATH`. */
export const RUNTIME_PATHS = `${MISE_ROOT}/path`;

/** What `JAVA_HOME` says, whatever the version. */
export const JAVA_HOME = `${MISE_ROOT}/java-home`;

/** `npm install --global --prefix`: apart from Node's own directory, so that another Node keeps the packages. */
export const NPM_PREFIX = '/opt/npm';

/** What each install step did, for the manifest. */
export const RECORDS = '/opt/agent-image/installed';

/** Caches of tools at run time: ephemeral disk, writable for every user, and never the session's mount, which is small and slow with many files. */
export const CACHE_ROOT = '/var/cache/agent';

/** The folder with our scripts in the build context. */
export const SCRIPTS_DIRECTORY = '.agent-image';

/** Where the scripts are mounted during their step; nothing of it stays in a layer. */
export const SCRIPTS_MOUNT = '/run/agent-image';

/** Where the mise binary is mounted during its step. */
export const MISE_MOUNT = '/run/mise';
