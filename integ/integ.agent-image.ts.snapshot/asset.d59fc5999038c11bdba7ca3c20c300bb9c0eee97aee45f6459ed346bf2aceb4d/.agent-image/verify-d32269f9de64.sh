#!/bin/sh
# Checks that every tool is there, and lists them. Written by cdk-agentcore-workbench.
set -eu
umask 022

fail() {
  echo "agent-image: $*" >&2
  exit 1
}

missing=
separator=
# Tools write caches the first time they are run; those of root would be in the way of the session's user.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" TMPDIR="$work" XDG_CACHE_HOME="$work"
manifest="$work/manifest"
: > "$manifest"

# version TEXT: the first thing in it that looks like one, which the digit of a name such as python3 does not
version() {
  printf '%s\n' "$1" | { grep -Eo '[0-9]+\.[0-9][0-9A-Za-z.+_~-]*' || true; } | sed -n 1p
}

# states VERSION TEXT: whether the text has the version, and not just as a part of a longer one; zeros may follow it
states() {
  [ -n "$1" ] || return 0
  escaped=$(printf '%s' "$1" | sed 's/[.+]/[&]/g')
  printf '%s\n' "$2" | grep -Eq "(^|[^0-9.])$escaped([.]0)*([.]?$|[^0-9A-Za-z.]|[.][^0-9])"
}

# lacks NAME WHY
lacks() {
  echo "agent-image: the tool $1 is missing: $2" >&2
  missing="$missing $1"
}

# list NAME VERSION RECORD [VERIFY]: the last is JSON
list() {
  how=""; recorded=""
  if [ -r /opt/agent-image/installed/"$3" ]; then { read -r how; read -r recorded || true; } < /opt/agent-image/installed/"$3"; fi
  printf '%s\n    { "name": "%s", "version": "%s", "installedBy": "%s"%s }' "$separator" "$1" "${recorded:-$2}" "$how" "${4:+, \"verify\": $4}" >> "$manifest"
  separator=,
}

# check NAME RECORD VERSION EXPECTED COMMAND JSON: the version is found in the output unless it is given; the command once more, as JSON
check() {
  if ! output=$(cd / && sh -c "$5" 2>&1); then
    lacks "$1" "'$5' failed"
    printf '%s\n' "$output" | tail -n 20 >&2
    return
  fi
  if states "$4" "$output"; then
    list "$1" "${3:-$(version "$output")}" "$2" "$6"
  else
    lacks "$1" "'$5' says '$output', which is not version $4; another copy comes first on PATH"
  fi
}

# check_package NAME: a package without a command of its own
check_package() {
  if command -v dpkg-query >/dev/null; then output=$(dpkg-query --show --showformat '${db:Status-Abbrev} ${Version}' "$1" 2>&1) || output=
  elif command -v rpm >/dev/null; then output=$(rpm -q --whatprovides --qf 'ii %{VERSION}-%{RELEASE}' "$1" 2>&1) || output=
  else output=$(apk info -e -v "$1" 2>&1) && output="ii ${output#"$1-"}" || output=
  fi
  case "$output" in
    ii*) list "$1" "${output##* }" "$1" ;;
    *) lacks "$1" 'the package manager does not have it' ;;
  esac
}

[ "$(id -u)" = 0 ] || fail "the list of tools is written by root, but this step runs as user $(id -u)"
check 'bash' 'bash' '' '' 'bash --version' '"bash --version"'
check 'git' 'git' '' '' 'git --version' '"git --version"'
check 'jq' 'jq' '' '' 'jq --version' '"jq --version"'
check 'node' 'node' '22.23.3' '22.23.3' 'node --version && npm --version' '"node --version && npm --version"'
check 'python' 'python' '3.12.16' '3.12.16' 'python3 --version && python3 -m pip --version' '"python3 --version && python3 -m pip --version"'

[ -z "$missing" ] || fail "the image lacks:$missing"

# Without an entry in passwd a user has no home, and git, npm and pip want one.
if ! cut -d : -f 3 /etc/passwd | grep -qx 1000; then
  grep -q '^agent:' /etc/group || echo 'agent:x:1000:' >> /etc/group
  echo 'agent:x:1000:1000::/home/agent:/bin/bash' >> /etc/passwd
  mkdir -p /home/agent
  chown 1000:1000 /home/agent
fi

# Caches of a session: what the build left there would belong to root.
rm -rf /var/cache/agent
mkdir -p /var/cache/agent
chmod 1777 /var/cache/agent
{ printf '{\n  "tools": ['; cat "$manifest"; printf '\n  ]\n}\n'; } > /etc/agent-image.json
cat /etc/agent-image.json
