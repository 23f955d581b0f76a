#!/bin/bash
# shellcheck disable=SC2154  # variables, and the functions that are not here, are those of workspace.sh, which comes before it
#
# What a run has to do with the remote, and with what others have there. Whatever is there is others': it is neither
# overwritten nor taken into a commit of ours, and what they took away is not brought back.
#
#   WB_PUSH    whether the run pushes: yes or no
#   WB_PAUSE   seconds of the shortest pause before a remote that did not answer is asked again
#
# In our repository, workbench.<branch>.tip is where the branch was at the remote when this workspace last pushed to it, or went on
# from it: our commits are on top of that. If the remote has another commit there, others were at work.

: "${WB_PUSH:=no}" "${WB_PAUSE:=1}" "${WB_MERGES:=}"

patiently() { # runs what asks the remote; a few times if need be
  local pause
  for pause in 1 3 10 0; do
    "$@" && return
    ((pause == 0)) || sleep $((pause * WB_PAUSE))
  done
  return 1
}

branches() { # of the remote, as lines of a commit and a reference, in REPLY; fails if it does not answer
  REPLY=$(own ls-remote --quiet --heads -- "$WB_URL" "$@")
}

tip() { # where the run's branch is at the remote, in REPLY: empty if it is not there; fails if the remote does not answer
  local id name lines
  patiently branches "refs/heads/$WB_BRANCH" || return
  lines=$REPLY REPLY=""
  while read -r id name; do
    [[ $name != "refs/heads/$WB_BRANCH" ]] || REPLY=$id
  done <<<"$lines"
}

free_branch() { # fails if the remote has a branch beside which ours cannot be, or not on every machine; where ours is, in REPLY
  local id name tip="" way="" change="rename or delete that one, use another \"taskId\", or another \"branchPrefix\"" lines
  patiently branches || return
  lines=$REPLY
  while read -r id name; do
    name=${name#refs/heads/}
    if [[ $name == "$WB_BRANCH" ]]; then
      tip=$id
    elif [[ $WB_BRANCH == "$name"/* || $name == "$WB_BRANCH"/* ]]; then
      way="the remote has a branch \"$name\", and git can have no \"$WB_BRANCH\" beside it"
    elif [[ ${name,,} == "${WB_BRANCH,,}" || ${WB_BRANCH,,} == "${name,,}"/* || ${name,,} == "${WB_BRANCH,,}"/* ]]; then
      way="the remote has a branch \"$name\", and machines that see no difference between capitals and small letters cannot have \"$WB_BRANCH\" beside it"
    fi
  done <<<"$lines"
  # One that is there was made by somebody who took that into account.
  [[ $tip || -z $way ]] || fail 80 "$way: $change"
  REPLY=$tip
}

known_tip() { # in REPLY; another one with an argument, none with an empty one
  if (($# == 0)); then
    REPLY=$(own config --get "workbench.$WB_BRANCH.tip") || REPLY=""
  elif [[ $1 ]]; then
    own config --replace-all "workbench.$WB_BRANCH.tip" "$1"
  else
    own config --unset-all "workbench.$WB_BRANCH.tip"
  fi
}

near() { # a reference of the remote, with as much of its history as it takes to see what is new there, and where to keep it
  local depth=()
  [[ ! -e $ours/shallow ]] || depth=(--depth "$((WB_DEPTH > 50 ? WB_DEPTH : 50))")
  own fetch --quiet --no-tags "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

taken_in() { # others' commits that the agent has put into its own history, of the remote's reference $1: the newest one in REPLY
  local id mine=() merging=()
  local -A has=()
  REPLY=""
  patiently near "$1" refs/workbench/theirs || fail 1 "the remote does not answer, so that the commits of others in the clone cannot be told from those of the agent"
  while read -r id; do [[ $id =~ ^[0-9a-f]+$ ]] && merging+=("$id"); done 2>/dev/null <"$repo/.git/MERGE_HEAD"
  mapfile -t mine < <(agents rev-list -n 10000 HEAD "${merging[@]+"${merging[@]}"}" "^$WB_BASE" -- 2>/dev/null)
  for id in "${mine[@]+"${mine[@]}"}"; do has[$id]=yes; done
  while read -r id; do
    [[ ! ${has[$id]-} ]] || { REPLY=$id && return; }
  done < <(own rev-list --topo-order -n 10000 refs/workbench/theirs "^$WB_BASE" --)
}

elsewhere() { # whether the agent may have work that is not in the clone's files, see workspace-away.sh
  [[ $(agents for-each-ref --count 1 --no-merged HEAD refs/heads refs/stash 2>&1) || $(tail -n 500 "$repo/.git/logs/HEAD" 2>/dev/null) =~ "moving from "[0-9a-f]{40} ]]
}

adopt() { # what an agent pulled, merged or pushed is others', and no change of its own: ours comes on top of it
  local tip="" ref refs=("$WB_REF") merges=""
  unlock
  # Of an earlier record in this run it counts as long as ours comes on top of it.
  if ! plain "$records/taken" || ! own merge-base --is-ancestor "$REPLY" "$WB_BASE" 2>/dev/null; then rm -f "$records/taken"; fi
  if [[ $WB_PUSH == yes ]]; then
    if tip; then tip=$REPLY && say tip "${tip:-none}"; else echo "the remote does not answer just now" >&2; fi
    [[ -z $tip ]] || refs=("refs/heads/$WB_BRANCH" "$WB_REF")
  fi
  # An agent that never asked the remote has nothing from there.
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

resolved() { # the URL of a submodule, which may be relative to that of the repository, in REPLY
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

anybodys() { # whether a URL means the same to others
  case $1 in
    https://* | http://* | ssh://* | git://* | codecommit:* | *@*:*) ;;
    file://*) [[ $WB_URL == file://* && $1 != "file://$WB_MOUNT"/* ]] ;;
    *) return 1 ;;
  esac
}

can_be_had() { # the commit $2 from the repository at $1
  local scratch got=1 how
  scratch=$(mktemp -d) || return
  if [[ $newline$(own ls-remote --quiet -- "$1") == *$newline"$2"[[:space:]]* ]]; then
    got=0
  elif git_ init --quiet --bare --template= "$scratch/git"; then
    # Commits only, where git and the remote can. Some remotes give any by its name, others what their branches and tags have.
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

pins() { # fails if a submodule of the recorded files is to be at a commit that nobody else has
  local change path id paths key value missing=()
  paths=$(own rev-parse --verify --quiet :.gitmodules)
  while IFS= read -r -d "" change && IFS= read -r -d "" path; do
    read -r _ key _ id _ <<<"$change"
    # What is pinned already is others' matter.
    [[ $key == 160000 && $newline$(for base in $WB_BASE $WB_MERGES; do own ls-tree -r "$base"; done) != *$newline"160000 commit $id"[[:space:]]* ]] || continue
    value=""
    [[ -z $paths ]] || while IFS= read -r -d "" key; do
      [[ ${key#*"$newline"} != "$path" ]] || { key=${key%%"$newline"*} && value=$(own config --blob :.gitmodules "${key%.path}.url"); }
    done < <(own config --blob :.gitmodules -z --get-regexp "^submodule\..*\.path$")
    resolved "$value"
    if [[ -z $value ]]; then
      missing+=("$path, for which .gitmodules has no URL")
    elif ! anybodys "$REPLY" || ! GIT_ALLOW_PROTOCOL=https:http:ssh:git:file:codecommit can_be_had "$REPLY" "$id"; then
      missing+=("$path (commit $id is not at $value)")
    fi
  done < <(own diff-index --cached --raw --no-renames --no-abbrev --ignore-submodules=none -z "$WB_BASE")
  ((${#missing[@]} == 0)) || fail 1 "a submodule is at a commit that nobody else can get: $(printf "%s; " "${missing[@]}")push it to the remote of the submodule first, or leave the submodule as it was"
}
