#!/usr/bin/env bash
# Runs tasks of the project at the same time, as many as the machine has processors. Most of them occupy one processor, or wait for a registry.
# What a task writes appears when it has ended; all tasks run to their end, and then this fails if one of them has failed.
#
# Usage: at-once.sh TASK...
set -uo pipefail

if [[ $1 != --one ]]; then
  printf '%s\n' "$@" | xargs -n 1 -P "$(node -p 'os.availableParallelism()')" bash "$0" --one
  exit
fi
SECONDS=0
output=$("$(dirname "$0")/../node_modules/.bin/projen" "$2" 2>&1 </dev/null)
status=$?
if ((status == 0)); then verdict="done"; else verdict="FAILED, exit code $status,"; fi
printf '%s\n=== %s: %s after %s s\n' "$output" "$2" "$verdict" "$SECONDS"
exit "$status"
