#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh and the parts that come before it
#
# Finds the files of a change that judge it, such as tests and the configuration of checks.
#
#   WB_JUDGING     pathspecs of files that usually judge a change, one per line
#   WB_PROTECTED   pathspecs of files that the loop protects, one per line
#   WB_RESTORE     whether a snapshot restores protected files: yes or no

: "${WB_JUDGING:=}" "${WB_PROTECTED:=}" "${WB_MERGES:=}" "${WB_RESTORE:=no}"

matching() { # Sets `list` to the changed paths that match the pathspecs $1, except those that were taken from others by a merge
  local parent path specs found=()
  local -A own=()
  list=()
  [[ $1 ]] || return 0
  mapfile -t specs <<<"$1"
  listed own diff-index --cached --name-only --no-renames --ignore-submodules=none -z "$WB_BASE" -- "${specs[@]}" || return
  found=(${list[@]+"${list[@]}"})
  for parent in ${WB_MERGES/none/}; do
    ((${#found[@]} > 0)) || break
    listed own diff-index --cached --name-only --no-renames --ignore-submodules=none -z "$parent" -- "${specs[@]}" || return
    own=()
    for path in ${list[@]+"${list[@]}"}; do own["/$path"]=yes; done
    list=()
    for path in "${found[@]}"; do [[ ! ${own["/$path"]-} ]] || list+=("$path"); done
    found=(${list[@]+"${list[@]}"})
  done
  list=(${found[@]+"${found[@]}"})
}

judges() { # Reports the changed files that usually judge a change; sets `list` to those that the loop protects
  matching "$WB_JUDGING" || fail 1 "git cannot compare the files with $WB_BASE"
  tell judging ${list[@]+"${list[@]}"}
  matching "$WB_PROTECTED" || fail 1 "git cannot match the protected paths: ${WB_PROTECTED//$newline/, }"
}

restore() { # Gives the changed paths the files of WB_BASE again, in the index and in the clone, and moves the agent's versions into the directory $1
  local into=$1 path tracked=() added=()
  shift
  own restore --staged --source "$WB_BASE" -- "${@/#/:(literal)}" || return
  for path; do
    if [[ $(own ls-files -- ":(literal)$path") ]]; then tracked+=("$path"); elif [[ -e $repo/$path || -L $repo/$path ]]; then added+=("$path"); fi
  done
  ((${#added[@]} == 0)) || aside "$into" "${added[@]}" || return
  put_back "$into" ${tracked[@]+"${tracked[@]}"}
}
