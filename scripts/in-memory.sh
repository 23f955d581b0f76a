#!/usr/bin/env bash
# Runs a command with an empty /tmp in memory, if this process may mount and there is memory enough; otherwise as it is. The tests create and
# delete some hundred thousand small files, and on a disk without a journal that alone takes a fifth of their processor time.
set -euo pipefail

# A system without /proc/meminfo, such as macOS, has no value here, and the command runs as it is.
available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo 2>/dev/null || true)
if [[ $(id -u) != 0 || $(command -v node) == /tmp/* ]] || ((${available:-0} < 8000000)) ||
  ! unshare --mount mount -t tmpfs tmpfs /tmp 2>/dev/null; then
  exec "$@"
fi
# A clone in /tmp stays visible: it is reached through a descriptor once its path is covered.
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --mount bash -euc '
  exec 3<.
  mount -t tmpfs -o mode=1777,size=50% tmpfs /tmp
  if [[ $PWD == /tmp/* ]]; then
    mkdir -p "$PWD"
    mount --no-canonicalize --bind /proc/self/fd/3 "$PWD"
    cd "$PWD"
  fi
  exec 3<&-
  exec "$@"
' in-memory "$@"
