import { JAVA_HOME, MISE_MOUNT, MISE_ROOT, NPM_PREFIX, PYTHON_PROGRAMS, RUNTIME_PATHS } from './constants';
import { RECORD_FUNCTION, expandedLater, preamble } from './os-script';
import { type ToolEntry, slug } from './tool-entry';
import { singleQuoted } from '../private/quote';

export interface RuntimeScriptOptions {
  /** Settings of mise, by the names of its environment variables. */
  readonly settings: { readonly [name: string]: string };
  /** Name of the build secret with a token for GitHub's API, mounted at `/run/secrets/<name>`. */
  readonly githubTokenSecret?: string;
}

/** Returns whether the entries need a step of their own besides the package manager's. */
export function needsRuntimeStep(entries: readonly ToolEntry[]): boolean {
  return entries.some((entry) => entry.install.kind !== 'os');
}

/** mise is there for its step alone: the session has its runtimes' own directories on `PATH`, and nothing that switches versions. */
function miseSteps(entries: readonly ToolEntry[], options: RuntimeScriptOptions): string[] {
  const tools = entries.flatMap(({ install }) => (install.kind === 'mise' ? [install] : []));
  if (tools.length === 0) return [];
  const settings = Object.entries(options.settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '',
    `export MISE_DATA_DIR=${MISE_ROOT} MISE_CACHE_DIR="$work/cache" MISE_STATE_DIR="$work/state" MISE_CONFIG_DIR="$work/config"`,
    `export MISE_CARGO_HOME=${MISE_ROOT}/cargo MISE_RUSTUP_HOME=${MISE_ROOT}/rustup MISE_YES=1`,
    'export MISE_NODE_NPM_SHIM=false # npm itself, not a script that calls mise after it',
    ...settings.flatMap(([name, value]) => [...expandedLater(value), `export ${name}=${singleQuoted(value)}`]),
    ...miseFunction(options.githubTokenSecret),
    '',
    '# link TOOL@VERSION NAME: one directory with the commands of the tool, for PATH',
    'link() {',
    '  mise bin-paths "$1" > "$work/directories"',
    '  # rustup puts a chooser of toolchains before each command; the toolchain itself needs none.',
    `  if [ "$2" = rust ]; then ls -d ${MISE_ROOT}/rustup/toolchains/*/bin > "$work/directories"; fi`,
    '  [ -s "$work/directories" ] || fail "mise installed $1, but knows of no directory with its commands"',
    `  mkdir -p ${RUNTIME_PATHS}`,
    `  target=${RUNTIME_PATHS}/$2`,
    '  if [ "$(wc -l < "$work/directories")" -eq 1 ]; then',
    '    ln -s "$(cat "$work/directories")" "$target"',
    '  else',
    '    mkdir "$target"',
    '    while IFS= read -r directory; do',
    '      for file in "$directory"/*; do',
    '        [ -e "$target/${file##*/}" ] || ln -s "$file" "$target/${file##*/}"',
    '      done',
    '    done < "$work/directories"',
    '  fi',
    '  resolved=$(mise where "$1")',
    `  if [ "$2" = java ]; then ln -s "$resolved" ${JAVA_HOME}; fi`,
    '  record "$2" "mise $(mise --version | cut -d " " -f 1)" "${resolved##*/}"',
    '}',
    '',
    `mise install ${tools.map(({ tool, version }) => singleQuoted(`${tool}@${version}`)).join(' ')}`,
    ...tools.map(({ tool, version }) => `link ${singleQuoted(`${tool}@${version}`)} ${singleQuoted(slug(tool))}`),
    `rm -rf ${MISE_ROOT}/shims ${MISE_ROOT}/downloads ${MISE_ROOT}/migrations`,
  ];
}

/** Installers of others' packages come after mise in the same step: the token is not in their environment. */
function miseFunction(secretName: string | undefined): string[] {
  if (secretName === undefined) return ['', 'mise() {', `  ${MISE_MOUNT} "$@"`, '}'];
  const secret = `/run/secrets/${secretName}`;
  return [
    '',
    '# mise ARGUMENT...: with the token for GitHub, where the builder has it; nothing else gets that',
    'mise() {',
    `  if [ -r ${secret} ]; then`,
    `    MISE_GITHUB_TOKEN=$(cat ${secret}) ${MISE_MOUNT} "$@"`,
    '  else',
    `    ${MISE_MOUNT} "$@"`,
    '  fi',
    '}',
  ];
}

function npmSteps(entries: readonly ToolEntry[]): string[] {
  return entries.flatMap(({ name, install, verify }) => (install.kind === 'npm'
    ? [
      '',
      `command -v npm >/dev/null || fail ${singleQuoted(`"${name}" needs npm: add DevTool.nodejs(…), or take a base that has it`)}`,
      `npm install --global --prefix ${NPM_PREFIX} --no-audit --no-fund --loglevel=error ${singleQuoted(`${install.package}@${install.version}`)}`,
      ...(install.postinstall === undefined ? [] : [
        '# npm may be told to run no scripts of packages.',
        `${verify} >/dev/null 2>&1 || (cd ${singleQuoted(`${NPM_PREFIX}/lib/node_modules/${install.package}`)} && node ${install.postinstall})`,
      ]),
      `record ${singleQuoted(slug(name))} npm`,
    ]
    : []));
}

function pipSteps(entries: readonly ToolEntry[]): string[] {
  return entries.flatMap(({ name, install }) => (install.kind === 'pip'
    ? [
      '',
      'python3 -m pip --version >/dev/null 2>&1 \\',
      `  || fail ${singleQuoted(`"${name}" needs pip: add DevTool.python(…) or DevTool.PYTHON3, or take a base that has it`)}`,
      ...(install.program === undefined ? [] : ownEnvironment(install.program)),
      // The image is the environment: a distribution's protection against foreign packages is for longer-lived machines.
      'PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \\',
      `  python3 -m pip ${install.program === undefined ? '' : `--python ${PYTHON_PROGRAMS}/${install.program}/bin/python3 `}install --no-cache-dir --disable-pip-version-check --no-input \\`,
      `  ${[install.version === 'latest' ? install.package : `${install.package}==${install.version}`, ...install.beside ?? []].map(singleQuoted).join(' ')}`,
      `record ${singleQuoted(slug(name))} pip`,
    ]
    : []));
}

/** Makes an environment of its own for a program: what a session installs into the image's Python must not change what the program imports. */
function ownEnvironment(program: string): string[] {
  return [
    `python3 -m venv --without-pip ${PYTHON_PROGRAMS}/${program}`,
    'mkdir -p /usr/local/bin',
    `ln -s ${PYTHON_PROGRAMS}/${program}/bin/${program} /usr/local/bin/${program}`,
  ];
}

function customSteps(entries: readonly ToolEntry[]): string[] {
  return entries.flatMap(({ name, install }) => (install.kind === 'custom'
    ? [
      '',
      ...expandedLater(install.command),
      `sh -euc ${singleQuoted(install.command)} || fail ${singleQuoted(`the installation of "${name}" failed`)}`,
      `record ${singleQuoted(slug(name))} custom`,
    ]
    : []));
}

/** Installs everything that does not come from the package manager, in one layer: runtimes first, then what needs them. */
export function runtimeScript(entries: readonly ToolEntry[], options: RuntimeScriptOptions): string {
  return [
    ...preamble('Installs the language runtimes and what they install.'),
    '',
    ...RECORD_FUNCTION,
    '',
    '# Everything that an installer keeps for a next time goes with the step.',
    'work=$(mktemp -d)',
    'trap \'rm -rf "$work"\' EXIT',
    'mkdir "$work/home"',
    'export HOME="$work/home" TMPDIR="$work" XDG_CACHE_HOME="$work/cache"',
    'cd "$work"', // mise would read a configuration file in its working directory
    ...miseSteps(entries, options),
    ...npmSteps(entries),
    ...pipSteps(entries),
    ...customSteps(entries),
    '',
  ].join('\n');
}
