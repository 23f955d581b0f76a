#!/bin/bash
# shellcheck disable=SC2154  # variables and functions that are not here are in workspace.sh, which comes before it
#
# Does what a run has to do with the remote. Others' work there is neither overwritten nor made part of a commit of ours, and what
# others removed is not brought back.
#
#   WB_PUSH    whether the run pushes: yes or no
#   WB_PAUSE   the shortest pause, in seconds, before a remote that did not answer is contacted again
#
# In our repository, workbench.<branch>.tip is the commit of the branch at the remote when this workspace last pushed to it or continued
# from it: our commits are on top of that one. If the remote has another commit there, others have pushed.

: "${WB_PUSH:=no}" "${WB_PAUSE:=1}" "${WB_MERGES:=}"

patiently() { # Runs a command that contacts the remote, up to four times
  local pause
  for pause in 1 3 10 0; do
    "$@" && return
    ((pause == 0)) || sleep $((pause * WB_PAUSE))
  done
  return 1
}

branches() { # Returns in REPLY the remote's branches, as lines of a commit and a reference; fails if the remote does not answer
  REPLY=$(own ls-remote --quiet --heads -- "$WB_URL" "$@")
}

tip() { # Returns in REPLY the commit of the run's branch at the remote, or nothing if there is no such branch; fails if the remote does not answer
  local id name lines
  patiently branches "refs/heads/$WB_BRANCH" || return
  lines=$REPLY REPLY=""
  while read -r id name; do
    [[ $name != "refs/heads/$WB_BRANCH" ]] || REPLY=$id
  done <<<"$lines"
}

free_branch() { # Returns in REPLY the commit of our branch at the remote; fails if the remote has a branch next to which ours cannot exist, or not on every machine
  local id name tip="" way="" change="rename or delete it, or use another \"taskId\" or \"branchPrefix\"" lines
  patiently branches || return
  lines=$REPLY
  while read -r id name; do
    name=${name#refs/heads/}
    if [[ $name == "$WB_BRANCH" ]]; then
      tip=$id
    elif [[ $WB_BRANCH == "$name"/* || $name == "$WB_BRANCH"/* ]]; then
      way="the remote has a branch \"$name\", and git cannot have both it and \"$WB_BRANCH\""
    elif [[ ${name,,} == "${WB_BRANCH,,}" || ${WB_BRANCH,,} == "${name,,}"/* || ${name,,} == "${WB_BRANCH,,}"/* ]]; then
      way="the remote has a branch \"$name\", and a case-insensitive file system cannot have both it and \"$WB_BRANCH\""
    fi
  done <<<"$lines"
  # Whoever made a branch that exists has taken that into account.
  [[ $tip || -z $way ]] || fail 80 "$way: $change"
  REPLY=$tip
}

known_tip() { # Returns in REPLY the tip that is recorded; with an argument, records that one, or none if it is empty
  if (($# == 0)); then
    REPLY=$(own config --get "workbench.$WB_BRANCH.tip") || REPLY=""
  elif [[ $1 ]]; then
    own config --replace-all "workbench.$WB_BRANCH.tip" "$1"
  else
    own config --unset-all "workbench.$WB_BRANCH.tip"
  fi
}

near() { # Fetches the remote's reference $1 as $2, with as much history as it takes to see what is new there
  local depth=()
  [[ ! -e $ours/shallow ]] || depth=(--depth "$((WB_DEPTH > 50 ? WB_DEPTH : 50))")
  own fetch --quiet --no-tags "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

taken_in() { # Returns in REPLY the newest of others' commits in the remote's reference $1 that the agent has put into its own history
  local id mine=() merging=()
  local -A has=()
  REPLY=""
  patiently near "$1" refs/workbench/theirs || fail 1 "cannot distinguish the commits of the agent from those of others, because the remote does not answer"
  while read -r id; do [[ $id =~ ^[0-9a-f]+$ ]] && merging+=("$id"); done 2>/dev/null <"$repo/.git/MERGE_HEAD"
  mapfile -t mine < <(agents rev-list -n 10000 HEAD "${merging[@]+"${merging[@]}"}" "^$WB_BASE" -- 2>/dev/null)
  for id in "${mine[@]+"${mine[@]}"}"; do has[$id]=yes; done
  while read -r id; do
    [[ ! ${has[$id]-} ]] || { REPLY=$id && return; }
  done < <(own rev-list --topo-order -n 10000 refs/workbench/theirs "^$WB_BASE" --)
}

elsewhere() { # Succeeds if the agent may have work that is not in the clone's files; see workspace-away.sh
  [[ $(agents for-each-ref --count 1 --no-merged HEAD refs/heads refs/stash 2>&1) || $(tail -n 500 "$repo/.git/logs/HEAD" 2>/dev/null) =~ "moving from "[0-9a-f]{40} ]]
}

adopt() { # Treats what the agent pulled, merged or pushed as others' work, not as a change of its own: our commit goes on top of it
  local tip="" ref refs=("$WB_REF") merges=""
  unlock
  # A commit taken in earlier in this run counts as long as our commit goes on top of it.
  if ! plain "$records/taken" || ! own merge-base --is-ancestor "$REPLY" "$WB_BASE" 2>/dev/null; then rm -f "$records/taken"; fi
  if [[ $WB_PUSH == yes ]]; then
    if tip; then tip=$REPLY && say tip "${tip:-none}"; else echo "the remote does not answer at the moment" >&2; fi
    [[ -z $tip ]] || refs=("refs/heads/$WB_BRANCH" "$WB_REF")
  fi
  # An agent that has never contacted the remote has nothing from it.
  if [[ ! -e $repo/.git/FETCH_HEAD && $(agents for-each-ref refs/remotes 2>/dev/null) == "$(cat "$records/remotes" 2>/dev/null)" ]]; then
    [[ $tip && $tip != "$WB_BASE" ]] && agents cat-file -e "$tip^{commit}" 2>/dev/null || refs=()
  fi
  [[ $(agents rev-parse --verify --quiet HEAD) != "$WB_BASE" || -e $repo/.git/MERGE_HEAD ]] || refs=()
  for ref in "${refs[@]+"${refs[@]}"}"; do
    taken_in "$ref"
    [[ -z $REPLY || $ref != "$WB_REF" ]] || printf "%s\n" "$REPLY" >"$records/taken" # the branch stands on that, once it is committed
    if [[ -z $REPLY ]]; then
      continue
    elif own merge-base --is-ancestor "$WB_BASE" "$REPLY"; then
      WB_BASE=$REPLY
    else
      merges+=${merges:+ }$REPLY
    fi
  done
  say base "$WB_BASE"
  say merges "${merges:-none}"
  if elsewhere; then say elsewhere yes; fi
}

resolved() { # Returns in REPLY the URL of a submodule, which may be relative to that of the repository
  local base=${WB_URL%/} url=$1
  if [[ $url == ./* || $url == ../* ]]; then
    while :; do
      case $url in
        ./*) url=${url#./} ;;
        ../*) url=${url#../} base=${base%/*} ;;
        *) break ;;
      esac
    done
    url=$base/$url
  fi
  REPLY=$url
}

anybodys() { # Succeeds if a URL means the same to others
  case $1 in
    https://* | http://* | ssh://* | git://* | codecommit:* | *@*:*) ;;
    file://*) [[ $WB_URL == file://* && $1 != "file://$WB_MOUNT"/* ]] ;;
    *) return 1 ;;
  esac
}

can_be_had() { # Succeeds if the commit $2 can be fetched from the repository at $1
  local scratch got=1 how
  scratch=$(mktemp -d) || return
  if [[ $newline$(own ls-remote --quiet -- "$1") == *$newline"$2"[[:space:]]* ]]; then
    got=0
  elif git_ init --quiet --bare --template= "$scratch/git"; then
    # Fetches commits only, if git and the remote can. Some remotes serve any commit by name, others only what their branches and tags contain.
    for how in --filter=tree:0 --no-auto-gc; do
      git "${options[@]}" --git-dir="$scratch/git" fetch --quiet --no-tags --depth 1 "$how" -- "$1" "$2" \
        || git "${options[@]}" --git-dir="$scratch/git" fetch --quiet "$how" -- "$1" "+refs/heads/*:refs/heads/*" "+refs/tags/*:refs/tags/*" \
        || continue
      break
    done
    git_ --git-dir="$scratch/git" cat-file -e "$2^{commit}" && got=0
  fi 2>/dev/null >&2
  rm -rf "$scratch"
  return "$got"
}

pins() { # Fails if the recorded files put a submodule at a commit that nobody else has
  local change path id paths key value missing=()
  paths=$(own rev-parse --verify --quiet :.gitmodules)
  while IFS= read -r -d "" change && IFS= read -r -d "" path; do
    read -r _ key _ id _ <<<"$change"
    # Commits that were pinned before are not this run's concern.
    [[ $key == 160000 && $newline$(for base in $WB_BASE $WB_MERGES; do own ls-tree -r "$base"; done) != *$newline"160000 commit $id"[[:space:]]* ]] || continue
    value=""
    [[ -z $paths ]] || while IFS= read -r -d "" key; do
      [[ ${key#*"$newline"} != "$path" ]] || { key=${key%%"$newline"*} && value=$(own config --blob :.gitmodules "${key%.path}.url"); }
    done < <(own config --blob :.gitmodules -z --get-regexp "^submodule\..*\.path$")
    resolved "$value"
    if [[ -z $value ]]; then
      missing+=("$path (no URL in .gitmodules)")
    elif ! anybodys "$REPLY" || ! GIT_ALLOW_PROTOCOL=https:http:ssh:git:file:codecommit can_be_had "$REPLY" "$id"; then
      missing+=("$path (commit $id is not at $value)")
    fi
  done < <(own diff-index --cached --raw --no-renames --no-abbrev --ignore-submodules=none -z "$WB_BASE")
  ((${#missing[@]} == 0)) || fail 1 "a submodule is at a commit that others cannot fetch: $(printf "%s; " "${missing[@]}")push it to the remote of the submodule first, or leave the submodule unchanged"
}
