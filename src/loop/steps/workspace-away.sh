#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh, which comes before it
#
# Finds work of the agent that is not in the clone's files, so that no record of them includes it: work that is stashed, or committed on a
# branch, or on none, from which the clone was switched away.
#
# The clone is searched only if workspace-remote.sh has seen that there may be such work. <mount>/.workbench/began says when the agent
# could begin: what was stashed or committed before that is not the run's.

lacking() { # Succeeds if the commit $1 has changed one of the paths that follow, and the clone has that path as the base does
  local at=$1 path base now
  shift
  for path in "${@:1:500}"; do
    base=$(agents rev-parse --verify --quiet "$WB_BASE:$path")
    [[ $(agents rev-parse --verify --quiet "$at:$path") != "$base" ]] || continue
    now=""
    if [[ -f $repo/$path && ! -L $repo/$path ]]; then
      now=$(agents hash-object --no-filters -- "$repo/$path")
    elif [[ -e $repo/$path || -L $repo/$path ]]; then
      now=other
    fi
    [[ $now != "$base" ]] || return 0
  done
  return 1
}

commits() { # Adds $1 to `away` if the agent made commits up to $2 that are neither in HEAD nor, as files, in the clone
  local list=() paths many=s
  mapfile -t list < <(agents rev-list --since="$since" "$2" --not ${head:+"$head"} "$WB_BASE" --remotes --)
  ((${#list[@]} > 0)) || return 0
  ((${#list[@]} > 1)) || many=
  mapfile -d "" -t paths < <(printf "%s\n" "${list[@]}" | agents diff-tree --stdin -r --root --name-only --no-commit-id --no-renames -z)
  ! lacking "$2" ${paths[@]+"${paths[@]}"} || away+=("$1, ${#list[@]} commit$many")
}

reflog() { # Prints the newest $1 entries of the reference $2, in the format $3
  agents log -g -n "$1" --no-show-signature --format="$3" "$2" -- 2>/dev/null
}

search() { # Searches for such work, and adds its names to `away`
  local since head id at name number=0 seen=" " paths
  plain "$records/began" && [[ $REPLY != *[!0-9]* ]] || return 0
  since=$REPLY
  ready || return 0
  head=$(agents rev-parse --verify --quiet HEAD)
  while read -r id name; do
    [[ $id == "$head" || $id == "$WB_BASE" ]] || commits "branch $name" "$id"
  done < <(agents for-each-ref --format="%(objectname) %(refname:lstrip=2)" refs/heads)
  # Commits may have been made on no branch, and left.
  while read -r _ name _ id _; do
    [[ $name == moving && $id =~ ^[0-9a-f]{40,}$ && $seen != *" $id "* ]] || continue
    seen+="$id "
    [[ $(agents for-each-ref --contains "$id" refs/heads 2>&1) ]] || commits "no branch, ${id:0:12}" "$id"
  done < <(reflog 500 HEAD "%gs")
  [[ $(agents rev-parse --verify --quiet refs/stash) ]] || return 0
  while read -r at id name; do
    number=$((number + 1))
    ((at >= since)) || continue
    mapfile -d "" -t paths < <(agents diff-tree -r --name-only --no-renames -z "$id^1" "$id")
    if ! lacking "$id" ${paths[@]+"${paths[@]}"}; then
      agents rev-parse --verify --quiet "$id^3" >/dev/null || continue
      mapfile -d "" -t paths < <(agents ls-tree -r --name-only -z "$id^3")
      lacking "$id^3" ${paths[@]+"${paths[@]}"} || continue
    fi
    away+=("stash@{$((number - 1))}: $name")
  done < <(reflog 100 refs/stash "%ct %H %gs")
}

away() {
  local away=()
  search
  tell away ${away[@]+"${away[@]}"}
}
