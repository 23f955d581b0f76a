#!/bin/sh
# Installs the tools that the package manager of the image brings. Written by cdk-agentcore-workbench.
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

# has COMMAND...: whether all of them are there, and more than what BusyBox has of them
has() {
  for wanted_command in "$@"; do
    found=$(command -v "$wanted_command") || return 1
    case "$(readlink -f "$found" 2>/dev/null)" in
      */busybox) return 1 ;;
    esac
  done
}

if [ "$(id -u)" != 0 ]; then
  fail "tools are installed by root, but the base image runs as user $(id -u): begin the last stage with USER root and end it with USER $(id -u), or give it to AgentImage as user"
fi
if has apt-get; then manager=apt
elif has dnf; then manager=dnf dnf=dnf
elif has microdnf; then manager=dnf dnf=microdnf
elif has apk; then manager=apk
else fail "the base image has none of the package managers apt, dnf, microdnf and apk, so that no tools can be installed; take a base that has one"
fi
rm -rf /opt/agent-image/installed
set --

if has 'bash'; then
  record 'bash' 'base image'
else
  case "$manager" in
    apt) set -- "$@" 'bash' ;;
    dnf) set -- "$@" 'bash' ;;
    apk) set -- "$@" 'bash' ;;
  esac
  record 'bash' "$manager"
fi

if has 'git'; then
  record 'git' 'base image'
else
  case "$manager" in
    apt) set -- "$@" 'git' ;;
    dnf) set -- "$@" 'git' ;;
    apk) set -- "$@" 'git' ;;
  esac
  record 'git' "$manager"
fi

if has 'jq'; then
  record 'jq' 'base image'
else
  case "$manager" in
    apt) set -- "$@" 'jq' ;;
    dnf) set -- "$@" 'jq' ;;
    apk) set -- "$@" 'jq' ;;
  esac
  record 'jq' "$manager"
fi

# what node needs
{
  case "$manager" in
    apt) set -- "$@" 'libstdc++6' 'libatomic1' ;;
    dnf) set -- "$@" 'libstdc++' 'libatomic' ;;
    apk) set -- "$@" 'libstdc++' 'libatomic' ;;
  esac
}

# Certificates are for git, npm and all others that speak TLS.
if ! [ -e /etc/ssl/certs/ca-certificates.crt ] && ! [ -e /etc/pki/tls/certs/ca-bundle.crt ]; then set -- "$@" ca-certificates; fi

if [ "$#" -gt 0 ]; then
  case "$manager" in
    apt)
      apt-get update
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -- "$@"
      apt-get clean
      rm -rf /var/lib/apt/lists/*
      ;;
    dnf)
      "$dnf" install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs "$@"
      "$dnf" clean all
      ;;
    apk) apk add --no-cache "$@" ;;
  esac
fi
echo "agent-image: scripts from /run/agent-image installed by $manager: ${*:-nothing}"
