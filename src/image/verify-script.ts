import { CACHE_ROOT, MANIFEST_PATH, RECORDS } from './constants';
import { expandedLater, preamble } from './os-script';
import { type ToolEntry, versionOf, slug } from './tool-entry';
import { singleQuoted } from '../private/quote';

/** A user and a group that a Dockerfile refers to by name. */
export interface NamedUser {
  readonly name?: string;
  readonly group?: string;
  /** The numbers that replace the names: the user's, and the group's unless it is the one in passwd. */
  readonly number: string;
}

export interface VerifyScriptOptions {
  /** A user or group whose name was replaced by a number: the build fails if the two do not belong together. */
  readonly user?: NamedUser;
  /** A user that is made, unless the base has one of its number. */
  readonly createUser?: string;
}

function createUser(id: string): string[] {
  return [
    '',
    '# Without an entry in passwd a user has no home, and git, npm and pip want one.',
    `if ! cut -d : -f 3 /etc/passwd | grep -qx ${id}; then`,
    `  grep -q '^agent:' /etc/group || echo 'agent:x:${id}:' >> /etc/group`,
    `  echo 'agent:x:${id}:${id}::/home/agent:/bin/bash' >> /etc/passwd`,
    '  mkdir -p /home/agent',
    `  chown ${id}:${id} /home/agent`,
    'fi',
  ];
}

function checkUser({ name, group, number }: NamedUser): string[] {
  const [uid, gid] = number.split(':');
  return [
    '',
    '# Names are replaced by numbers, since the service cannot start many-layered images by name.',
    ...(name === undefined ? [] : [
      `actual=$(id -u ${singleQuoted(name)}) || fail "the image has no user '"${singleQuoted(name)}"'"`,
      `if [ "$actual" != ${uid} ]; then`,
      `  fail "the user '"${singleQuoted(name)}"' has the number $actual, not ${uid}: give it to AgentImage as user: '$actual${gid === undefined ? '' : `:${gid}`}'"`,
      'fi',
    ]),
    ...(group === undefined ? [] : [
      `actual=$(sed -n 's/^${group.replace(/\./g, '[.]')}:[^:]*:\\([0-9]*\\):.*/\\1/p' /etc/group)`,
      `expected=${gid ?? `$(sed -n 's/^[^:]*:[^:]*:${uid}:\\([0-9]*\\):.*/\\1/p' /etc/passwd | sed 1q)`}`,
      'if [ -n "$actual" ] && [ "$actual" != "${expected:-0}" ]; then',
      `  fail "the group '"${singleQuoted(group)}"' has the number $actual, not \${expected:-0}: give it to AgentImage as user: '${uid}:$actual'"`,
      'fi',
    ]),
  ];
}

/** The last step of the build: every tool is run once, and what was found becomes the manifest. */
export function verifyScript(entries: readonly ToolEntry[], options: VerifyScriptOptions = {}): string {
  return [
    ...preamble('Checks that every tool is there, and lists them.'),
    '',
    'missing=',
    'separator=',
    '# Tools write caches the first time they are run; those of root would be in the way of the session\'s user.',
    'work=$(mktemp -d)',
    'trap \'rm -rf "$work"\' EXIT',
    'export HOME="$work" TMPDIR="$work" XDG_CACHE_HOME="$work"',
    'manifest="$work/manifest"',
    ': > "$manifest"',
    '',
    '# version TEXT: the first thing in it that looks like one, which the digit of a name such as python3 does not',
    'version() {',
    '  printf \'%s\\n\' "$1" | { grep -Eo \'[0-9]+\\.[0-9][0-9A-Za-z.+_~-]*\' || true; } | sed -n 1p',
    '}',
    '',
    '# states VERSION TEXT: whether the text has the version, and not just as a part of a longer one; zeros may follow it',
    'states() {',
    '  [ -n "$1" ] || return 0',
    '  escaped=$(printf \'%s\' "$1" | sed \'s/[.+]/[&]/g\')',
    '  printf \'%s\\n\' "$2" | grep -Eq "(^|[^0-9.])$escaped([.]0)*([.]?$|[^0-9A-Za-z.]|[.][^0-9])"',
    '}',
    '',
    '# lacks NAME WHY',
    'lacks() {',
    '  echo "agent-image: the tool $1 is missing: $2" >&2',
    '  missing="$missing $1"',
    '}',
    '',
    '# list NAME VERSION RECORD [VERIFY]: the last is JSON',
    'list() {',
    '  how=""; recorded=""',
    `  if [ -r ${RECORDS}/"$3" ]; then { read -r how; read -r recorded || true; } < ${RECORDS}/"$3"; fi`,
    '  printf \'%s\\n    { "name": "%s", "version": "%s", "installedBy": "%s"%s }\' "$separator" "$1" "${recorded:-$2}" "$how" "${4:+, \\"verify\\": $4}" >> "$manifest"',
    '  separator=,',
    '}',
    '',
    '# check NAME RECORD VERSION EXPECTED COMMAND JSON: the version is found in the output unless it is given; the command once more, as JSON',
    'check() {',
    '  if ! output=$(cd / && sh -c "$5" 2>&1); then',
    '    lacks "$1" "\'$5\' failed"',
    '    printf \'%s\\n\' "$output" | tail -n 20 >&2',
    '    return',
    '  fi',
    '  if states "$4" "$output"; then',
    '    list "$1" "${3:-$(version "$output")}" "$2" "$6"',
    '  else',
    '    lacks "$1" "\'$5\' says \'$output\', which is not version $4; another copy comes first on PATH"',
    '  fi',
    '}',
    '',
    '# check_package NAME: a package without a command of its own',
    'check_package() {',
    '  if command -v dpkg-query >/dev/null; then output=$(dpkg-query --show --showformat \'${db:Status-Abbrev} ${Version}\' "$1" 2>&1) || output=',
    '  elif command -v rpm >/dev/null; then output=$(rpm -q --whatprovides --qf \'ii %{VERSION}-%{RELEASE}\' "$1" 2>&1) || output=',
    '  else output=$(apk info -e -v "$1" 2>&1) && output="ii ${output#"$1-"}" || output=',
    '  fi',
    '  case "$output" in',
    '    ii*) list "$1" "${output##* }" "$1" ;;',
    '    *) lacks "$1" \'the package manager does not have it\' ;;',
    '  esac',
    '}',
    '',
    '[ "$(id -u)" = 0 ] || fail "the list of tools is written by root, but this step runs as user $(id -u)"',
    ...entries.flatMap((entry) => (entry.verify === undefined
      ? [`check_package ${singleQuoted(entry.name)}`]
      : [
        ...expandedLater(entry.verify),
        `check ${singleQuoted(entry.name)} ${singleQuoted(slug(entry.name))} ${singleQuoted(entry.floating ? '' : versionOf(entry) ?? '')} ${singleQuoted(entry.expect ?? '')} ${singleQuoted(entry.verify)} ${singleQuoted(JSON.stringify(entry.verify))}`,
      ])),
    '',
    '[ -z "$missing" ] || fail "the image lacks:$missing"',
    ...(options.user ? checkUser(options.user) : []),
    ...(options.createUser ? createUser(options.createUser) : []),
    '',
    '# Caches of a session: what the build left there would belong to root.',
    `rm -rf ${CACHE_ROOT}`,
    `mkdir -p ${CACHE_ROOT}`,
    `chmod 1777 ${CACHE_ROOT}`,
    `{ printf '{\\n  "tools": ['; cat "$manifest"; printf '\\n  ]\\n}\\n'; } > ${MANIFEST_PATH}`,
    `cat ${MANIFEST_PATH}`,
    '',
  ].join('\n');
}
