#!/bin/sh
# Installs the language runtimes and what they install. Written by cdk-agentcore-workbench.
set -eu
umask 022

fail() {
  echo "agent-image: $*" >&2
  exit 1
}

# record NAME HOW [VERSION]
record() {
  mkdir -p /opt/agent-image/installed
  printf '%s\n%s\n' "$2" "${3:-}" > /opt/agent-image/installed/"$1"
}

# Everything that an installer keeps for a next time goes with the step.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/home"
export HOME="$work/home" TMPDIR="$work" XDG_CACHE_HOME="$work/cache"
cd "$work"

export MISE_DATA_DIR=/opt/mise MISE_CACHE_DIR="$work/cache" MISE_STATE_DIR="$work/state" MISE_CONFIG_DIR="$work/config"
export MISE_CARGO_HOME=/opt/mise/cargo MISE_RUSTUP_HOME=/opt/mise/rustup MISE_YES=1
export MISE_NODE_NPM_SHIM=false # npm itself, not a script that calls mise after it

mise() {
  /run/mise "$@"
}

# link TOOL@VERSION NAME: one directory with the commands of the tool, for PATH
link() {
  mise bin-paths "$1" > "$work/directories"
  # rustup puts a chooser of toolchains before each command; the toolchain itself needs none.
  if [ "$2" = rust ]; then ls -d /opt/mise/rustup/toolchains/*/bin > "$work/directories"; fi
  [ -s "$work/directories" ] || fail "mise installed $1, but knows of no directory with its commands"
  mkdir -p /opt/mise/path
  target=/opt/mise/path/$2
  if [ "$(wc -l < "$work/directories")" -eq 1 ]; then
    ln -s "$(cat "$work/directories")" "$target"
  else
    mkdir "$target"
    while IFS= read -r directory; do
      for file in "$directory"/*; do
        [ -e "$target/${file##*/}" ] || ln -s "$file" "$target/${file##*/}"
      done
    done < "$work/directories"
  fi
  resolved=$(mise where "$1")
  if [ "$2" = java ]; then ln -s "$resolved" /opt/mise/java-home; fi
  record "$2" "mise $(mise --version | cut -d " " -f 1)" "${resolved##*/}"
}

mise install 'node@22.23.3' 'python@3.12.16'
link 'node@22.23.3' 'node'
link 'python@3.12.16' 'python'
rm -rf /opt/mise/shims /opt/mise/downloads /opt/mise/migrations
