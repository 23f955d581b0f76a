#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh and workspace-remote.sh, which come before it
#
# Provides what tools read besides the files: the history, tags, origin/<branch> and submodules.
#
#   WB_HISTORY      whether the whole history is fetched, without the contents of earlier versions: yes or no
#   WB_SUBMODULES   whether submodules are initialized: yes or no
#
#   <mount>/.workbench/history   a partial clone, from which the agent's clone borrows commits, trees and tags
#   <mount>/.workbench/asked     what git and the remote sent each other when the base was fetched
#   <mount>/.workbench/remotes   the clone's refs/remotes, recorded only if the agent could not take others' commits from them
#
# Our own repository is complete to its depth: it never lacks anything that a commit of ours needs.

: "${WB_HISTORY:=no}" "${WB_SUBMODULES:=no}"
history_seconds=240 # of the 600 that a job of the run may take

told() { # Sets `default` to the remote's default branch, `base` to the branch that the run starts from, and `filters` if the remote can leave out contents
  local id name
  default="" base="" filters=""
  while IFS= read -r name; do
    [[ ! $name =~ (" HEAD symref-target:"|[[:space:]]"symref=HEAD:")refs/heads/([^[:space:]]+) ]] || default=${BASH_REMATCH[2]}
    [[ ! $name =~ [[:space:]=]filter([[:space:]]|$) ]] || filters=yes
  done 2>/dev/null <"$records/asked"
  if [[ -z $WB_REF ]]; then
    base=$default
    return
  fi
  while read -r id name; do
    [[ $id != "ref:" ]] || default=${name%%[[:space:]]*} default=${default#refs/heads/}
    [[ $name != "refs/heads/$WB_REF" ]] || base=$WB_REF
  done < <(own ls-remote --quiet --symref -- "$WB_URL" HEAD "refs/heads/$WB_REF")
}

past() { # Fetches the history of branches, completely or not at all; fails if that takes too long
  local name pid idle waited specs=() at=$records/history
  for name; do specs+=("+refs/heads/$name:refs/remotes/origin/$name"); done
  if [[ ! -e $at/HEAD ]]; then
    at+=.new
    { rm -rf "$at" && git_ init --quiet --bare --template= "$at" && git_ --git-dir="$at" config remote.origin.url "$WB_URL"; } || return
  fi
  rm -f "$at"/*.lock
  git "${options[@]}" --git-dir="$at" fetch --quiet --filter=blob:none origin "${specs[@]}" &
  pid=$!
  exec {idle}<> <(:)
  for ((waited = 0; waited < 20 * history_seconds; waited++)); do
    kill -0 "$pid" 2>/dev/null || break
    read -r -t 0.05 -u "$idle"
  done
  exec {idle}<&-
  kill "$pid" 2>/dev/null
  wait "$pid" || { rm -rf "$records/history.new" && return 1; }
  git_ --git-dir="$at" pack-refs --all
  [[ $at != *.new ]] || mv "$at" "$records/history"
}

hand_on() { # Copies the tags and remote branches of the repository $1 to the clone; a tag that the clone has stays
  local id name
  local -A has=()
  while read -r id name; do has[$name]=$id; done < <(agents for-each-ref --format="%(objectname) %(refname)" refs/tags refs/remotes/origin)
  while read -r id name; do
    [[ ${has[$name]-} && ($name == refs/tags/* || ${has[$name]} == "$id") ]] || printf "update %s %s\n" "$name" "$id"
  done < <(git_ --git-dir="$1" for-each-ref --format="%(objectname) %(refname)" refs/tags refs/remotes/origin) | agents update-ref --stdin
  agents pack-refs
}

upstream() { # Gives the clone the base branch and the default branch, with their tags and history; sets `shallow` if the history cannot be had
  local from=$ours names=()
  shallow=""
  told
  [[ -z $base ]] || names=("$base")
  [[ -z $default || $default == "$base" ]] || names+=("$default")
  ((${#names[@]} > 0)) || return 0
  if [[ $WB_HISTORY == yes && $filters ]]; then
    # Nothing has to be fetched if the history has the only branch as it is.
    [[ $default == "$base" && -e $records/history/HEAD && $(git_ --git-dir="$records/history" rev-parse --verify --quiet "refs/remotes/origin/$base") == "$(own rev-parse refs/workbench/upstream)" ]] \
      || past "${names[@]}" || echo "cannot fetch the history at the moment; continuing without new commits" >&2
  fi
  if [[ -e $records/history/HEAD ]]; then
    from=$records/history
  else
    [[ $WB_HISTORY != yes ]] || shallow=yes
    [[ -z $base ]] || own update-ref "refs/remotes/origin/$base" refs/workbench/upstream
    [[ -z $default || $default == "$base" ]] || fetch_ "refs/heads/$default" "refs/remotes/origin/$default"
  fi
  borrow
  hand_on "$from"
  [[ -z $default ]] || ! agents rev-parse --verify --quiet "refs/remotes/origin/$default" >/dev/null || agents symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$default"
  # Commits there that the workspace's commit does not contain would be others' if the agent merged them.
  rm -f "$records/remotes"
  [[ $(agents rev-list -n 1 --remotes --not "$(own rev-parse refs/workbench/head)" 2>&1) ]] || agents for-each-ref refs/remotes >"$records/remotes"
}

submodules() { # Initializes the submodules if WB_SUBMODULES is yes; reports those that are not initialized
  local list=() path file=() missing=()
  if own cat-file -e refs/workbench/head:.gitmodules 2>/dev/null; then
    listed own config --blob refs/workbench/head:.gitmodules --null --get-regexp "^submodule\..*\.path$"
  fi
  # A submodule that the agent of an earlier run has moved stays where it is; one whose initialization was cut off is initialized again.
  for path in ${list[@]+"${list[@]#*"$newline"}"}; do
    [[ -d $repo/$path && (! -e $repo/$path/.git || -e $records/initializing) ]] && missing+=("$path")
  done
  if [[ $WB_SUBMODULES == yes ]] && ((${#missing[@]} > 0)); then
    : >"$records/initializing"
    [[ $WB_URL != file://* ]] || file=(-c protocol.file.allow=always)
    (
      unset GIT_INDEX_FILE
      cd "$repo" || exit
      for path in "--depth 1" ""; do
        # shellcheck disable=SC2086  # two words, or none
        git "${options[@]}" "${file[@]+"${file[@]}"}" submodule --quiet update --init --recursive --force $path -- "${missing[@]}" && exit
      done
      exit 1
    ) || fail 76 "cannot fetch the submodules: ${missing[*]}"
    rm -f "$records/initializing"
    missing=()
  fi
  tell submodules ${missing[@]+"${missing[@]}"}
}

behind() { # Reports the base's commit at the remote if the branch does not contain it, and how many commits are new if that can be known
  local newest stands count=""
  { read -r newest && read -r stands; } < <(own rev-parse "refs/workbench/upstream^{commit}" refs/workbench/base)
  [[ -z ${WB_REF:-$default} ]] || say ref "${WB_REF:-$default}"
  [[ $newest != "$stands" ]] && ! own merge-base --is-ancestor "$newest" refs/workbench/head 2>/dev/null || return 0
  say newest "$newest"
  if [[ -e $records/history/HEAD ]]; then
    count=$(git_ --git-dir="$records/history" rev-list --count "$stands..$newest" 2>/dev/null)
  elif own merge-base "$stands" "$newest" >/dev/null 2>&1; then
    count=$(own rev-list --count "$newest" --not "$stands" refs/workbench/head)
  fi
  [[ -z $count ]] || say behind "$count"
}

settled_times() { # Renews the indexes of a checkout that nobody has touched yet, since git reads every file again that was written in the second of its index
  local index now
  [[ -e $records/unchanged ]] || return 0
  rm -f "$records/unchanged"
  printf -v now "%(%s)T" -1
  for index in "$GIT_INDEX_FILE" "$repo/.git/index"; do
    ((now > $(stat -c %Y "$index"))) && cp "$index" "$index.new" && mv -f "$index.new" "$index"
  done
  return 0
}

surroundings() { # Provides all of this before the first turn
  local shallow default="" base="" filters=""
  unlock
  if [[ $WB_PUSH == yes ]]; then
    if free_branch; then say tip "${REPLY:-none}"; else echo "the remote does not answer at the moment; continuing" >&2; fi
  fi
  upstream
  [[ -z $shallow ]] || say shallow yes
  behind
  printf "%(%s)T\n" -1 >"$records/began"
  submodules
  settled_times
}
