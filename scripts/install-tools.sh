#!/usr/bin/env bash
# Installs the Debian packages that the tests need and that are missing, and lists them first. Without root, only lists the
# missing packages.
set -euo pipefail

# required command = package that provides it
tools=(
  git=git shellcheck=shellcheck busybox=busybox chromium=chromium
  buildah=buildah podman=podman runc=runc mmdebstrap=mmdebstrap newuidmap=uidmap fuse-overlayfs=fuse-overlayfs
  gcc=gcc # for a library that an agent preloads
  python3=python3 pip3=python3-pip go=golang-go # for repositories of other languages
)

missing=()
for tool in "${tools[@]}"; do
  command -v "${tool%%=*}" >/dev/null || missing+=("${tool#*=}")
done
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv) # no command; a part of Python elsewhere
if ((${#missing[@]} == 0)); then exit 0; fi

if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
  cat >&2 <<MESSAGE
The whole check needs these Debian packages, which only root can install:

  sudo apt-get install --no-install-recommends ${missing[*]}

"npm run check:fast" needs none of them: it leaves out the tests with containers, browsers and other languages.
MESSAGE
  exit 1
fi
echo "Installing the Debian packages that the tests need: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Another installation may hold apt's locks, such as one that a new machine runs on its own. apt waits only for dpkg's lock.
apt=(apt-get --option DPkg::Lock::Timeout=600 --option Acquire::Retries=3 --quiet=2)
for ((tries = 1; ; tries++)); do
  "${apt[@]}" update && break
  ((tries < 60)) || exit 1
  sleep 10
done
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null
