#!/usr/bin/env bash
# Installs the Debian packages that the tests use, as far as they are missing. Without root it only says what is missing.
set -euo pipefail

# command that is needed = package that brings it
tools=(
  git=git shellcheck=shellcheck busybox=busybox chromium=chromium
  buildah=buildah podman=podman runc=runc mmdebstrap=mmdebstrap newuidmap=uidmap fuse-overlayfs=fuse-overlayfs
  python3=python3 pip3=python3-pip go=golang-go # for repositories of other languages
)

missing=()
for tool in "${tools[@]}"; do
  command -v "${tool%%=*}" >/dev/null || missing+=("${tool#*=}")
done
if ((${#missing[@]} == 0)); then exit 0; fi

if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
  echo "the tests need these packages, please install them: ${missing[*]}" >&2
  exit 1
fi
echo "installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
