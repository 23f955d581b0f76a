#!/bin/bash
# shellcheck disable=SC2154  # variables and functions that are not here are in workspace.sh, which comes before it
#
# Hands a verified tree to the publisher, which makes the commit and pushes it.
#
#   WB_PARENTS   the parents of the commit
#   WB_BASE      the first of them
#   WB_OFFSET    where the piece of the pack begins that is printed, in bytes; the pack is made for the first one
#   WB_PIECE     the size of a piece
#   WB_LIMIT     the maximum size of the pack

offer() { # Prints a piece of the pack of what the remote lacks, and reports the size of the pack and the files of the change
  local id bytes file=$records/offer without=() list=()
  unlock
  if ((WB_OFFSET == 0)); then
    # All of these came from the remote.
    while read -r id; do without+=("^$id"); done < <(
      own for-each-ref --format="%(objectname)" refs/workbench/{there,upstream,theirs,base}
      id=$(own config --get "workbench.$WB_BRANCH.tip") && own rev-parse --verify --quiet "$id^{commit}"
    )
    # shellcheck disable=SC2086  # a list
    printf "%s\n" "$WB_TREE" $WB_PARENTS "${without[@]+"${without[@]}"}" | own pack-objects --revs --thin --stdout -q >"$file" || fail 77 "git cannot pack the change"
  fi
  bytes=$(stat -c %s "$file") || fail 77 "$file cannot be read"
  ((bytes <= WB_LIMIT)) || fail 77 "the change has $bytes bytes as a pack, and a run publishes at most $WB_LIMIT: keep large files out of the change"
  {
    dd if="$file" bs=65536 skip="$((WB_OFFSET / 65536))" count="$((WB_PIECE / 65536))" 2>/dev/null || exit 1
  } >&"$answer"
  say bytes "$bytes"
  ((WB_OFFSET > 0)) || listed own diff-tree -r --no-renames --name-only -z "$WB_BASE" "$WB_TREE" || fail 77 "git cannot compare the change with its base"
  tell changed ${list[@]+"${list[@]}"}
}
