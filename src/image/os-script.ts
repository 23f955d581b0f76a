import { RECORDS, SCRIPTS_MOUNT } from './constants';
import type { OsLibraries, OsPackageNames } from './os-packages';
import { type ToolEntry, slug } from './tool-entry';
import { singleQuoted } from '../private/quote';

/** The beginning of each of our scripts. POSIX shell: Bash may be one of the things that are about to be installed. */
export function preamble(purpose: string): string[] {
  return [
    '#!/bin/sh',
    `# ${purpose} Written by cdk-agentcore-workbench.`,
    'set -eu',
    'umask 022', // every user must be able to read what root installs
    '',
    'fail() {',
    '  echo "agent-image: $*" >&2',
    '  exit 1',
    '}',
  ];
}

/** A quoted text with variables or quotes of its own is what ShellCheck takes for a mistake. */
export function expandedLater(text: string): string[] {
  return /[$`']/.test(text) ? ['# shellcheck disable=SC2016,SC1003 # not for this shell'] : [];
}

/** Keeps for the manifest how a tool came into the image. */
export const RECORD_FUNCTION = [
  '# record NAME HOW [VERSION]',
  'record() {',
  `  mkdir -p ${RECORDS}`,
  `  printf '%s\\n%s\\n' "$2" "\${3:-}" > ${RECORDS}/"$1"`,
  '}',
];

const MANAGERS: readonly (keyof OsPackageNames)[] = ['apt', 'dnf', 'apk'];

/** One branch per package manager, with the packages of a tool. */
function wanted(packages: OsPackageNames): string[] {
  return [
    '  case "$manager" in',
    ...MANAGERS.map((manager) => `    ${manager}) set -- "$@" ${packages[manager].map(singleQuoted).join(' ')} ;;`),
    '  esac',
  ];
}

function librariesOf(libraries: OsLibraries): string[] {
  if (libraries.unless === undefined) return ['{', ...wanted(libraries), '}'];
  return [`if ! has ${singleQuoted(libraries.unless)}; then`, ...wanted(libraries), 'fi'];
}

function block(entry: ToolEntry): string[] {
  if (entry.install.kind !== 'os') return entry.libraries ? ['', `# what ${entry.name} needs`, ...librariesOf(entry.libraries)] : [];
  const { commands, packages } = entry.install;
  const install = [...wanted(packages), `  record ${singleQuoted(slug(entry.name))} "$manager"`];
  if (commands.length === 0) return ['', '{', ...install, '}'];
  return [
    '',
    `if has ${commands.map(singleQuoted).join(' ')}; then`,
    `  record ${singleQuoted(slug(entry.name))} 'base image'`,
    'else',
    ...install,
    'fi',
  ];
}

/** Lines for a session that clones a private repository: it receives the token encrypted, to a key that openssl makes. */
const KEY_FOR_TOKENS = ['', '# what a session needs to receive the token for a private repository', 'has openssl || set -- "$@" openssl'];

/**
 * Installs what the base image's package manager brings, in one layer.
 *
 * A tool that the base has already is left alone: `curl` on Amazon Linux, for one, conflicts with the `curl-minimal` that is there. What is
 * BusyBox by another name is not the tool: its `ps`, `wget` or `unzip` know few of the options, and not the one that asks for a version.
 */
export function osScript(entries: readonly ToolEntry[]): string {
  return [
    ...preamble('Installs the tools that the package manager of the image brings.'),
    '',
    ...RECORD_FUNCTION,
    '',
    '# has COMMAND...: whether all of them are there, and more than what BusyBox has of them',
    'has() {',
    '  for wanted_command in "$@"; do',
    '    found=$(command -v "$wanted_command") || return 1',
    '    case "$(readlink -f "$found" 2>/dev/null)" in',
    '      */busybox) return 1 ;;',
    '    esac',
    '  done',
    '}',
    '',
    'if [ "$(id -u)" != 0 ]; then',
    '  fail "tools are installed by root, but the base image runs as user $(id -u): begin the last stage with USER root and end it with USER $(id -u), or give it to AgentImage as user"',
    'fi',
    'if has apt-get; then manager=apt',
    'elif has dnf; then manager=dnf dnf=dnf',
    'elif has microdnf; then manager=dnf dnf=microdnf',
    'elif has apk; then manager=apk',
    'else fail "the base image has none of the package managers apt, dnf, microdnf and apk, so that no tools can be installed; take a base that has one"',
    'fi',
    `rm -rf ${RECORDS}`, // a base image built by this library has its own records
    'set --',
    ...entries.flatMap(block),
    ...(entries.some(({ name }) => name === 'git') ? KEY_FOR_TOKENS : []),
    '',
    '# Certificates are for git, npm and all others that speak TLS.',
    'if ! [ -e /etc/ssl/certs/ca-certificates.crt ] && ! [ -e /etc/pki/tls/certs/ca-bundle.crt ]; then set -- "$@" ca-certificates; fi',
    '',
    'if [ "$#" -gt 0 ]; then',
    '  case "$manager" in',
    '    apt)',
    '      apt-get update',
    '      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -- "$@"',
    '      apt-get clean',
    '      rm -rf /var/lib/apt/lists/*',
    '      ;;',
    '    dnf)',
    '      "$dnf" install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs "$@"',
    '      "$dnf" clean all',
    '      ;;',
    '    apk) apk add --no-cache "$@" ;;',
    '  esac',
    'fi',
    `echo "agent-image: scripts from ${SCRIPTS_MOUNT} installed by $manager: \${*:-nothing}"`,
    '',
  ].join('\n');
}
