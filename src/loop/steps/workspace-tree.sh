#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh and workspace-files.sh, which come before it
#
# Records files as a tree, and compares them with it.
#
#   WB_USER    the number of the user whom the clone belongs to, if code under test that must not become root runs as that user; else empty.
#              Git is kept from repositories within the clone then: it would run the programs that their configurations name

modified_submodules() { # Lists submodules with changes that are not committed in them, which no tree of ours can hold
  own diff-files --name-only -z --ignore-submodules=untracked --diff-filter=M
}

filters() { # Lists the given paths, each followed by "filter" and the value of that attribute
  printf "%s\0" "$@" | own check-attr --cached --stdin -z filter
}

changed_in_lfs() { # Adds to `stored` the changed files whose content would not be where Git LFS looks for it; sets `pinned` if a submodule has changed
  local i list paths=() blobs=() filters known=" " entry mode
  listed own diff-index --cached --raw --no-abbrev --no-renames --diff-filter=AMT -z "$WB_BASE" || return
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    read -r _ mode _ entry _ <<<"${list[i]}"
    [[ $mode != 160000 ]] || pinned=yes
    blobs+=("$entry") paths+=("${list[i + 1]}")
  done
  ((${#paths[@]} > 0)) || return 0
  listed filters "${paths[@]}" || return
  ((${#list[@]} == 3 * ${#paths[@]})) || return
  filters=("${list[@]}")
  for i in "${!paths[@]}"; do
    [[ ${filters[3 * i + 2]} == lfs ]] || continue
    # A file that was only moved points at content that is there.
    if [[ $known == " " ]]; then
      listed own ls-tree -r -z "$WB_BASE" || return
      for entry in ${list[@]+"${list[@]}"}; do known+="${entry%%"$tab"*} "; done
    fi
    [[ $known == *" blob ${blobs[i]} "* ]] || stored+=("${paths[i]}")
  done
}

at_home() { # Succeeds if a path lies in a home directory: that of the current user, of root or of a person
  local id home
  [[ ${HOME:-/} == / || $1 != "$HOME"/* ]] || return 0
  while IFS=: read -r _ _ id _ _ home _; do
    [[ $id =~ ^(0|[1-9][0-9]{3,9})$ && $home == /?* && $1 == "$home"/* ]] && return
  done 2>/dev/null </etc/passwd
  return 1
}

links() { # Sets `escaping` to the change's symbolic links that lead out of the clone, and `private` to those that lead to where no other clone has anything
  local i list part target depth id path
  escaping=() private=()
  listed own diff-index --cached --raw --no-abbrev --no-renames --diff-filter=AMT -z "$WB_BASE" || return
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    read -r _ part _ id _ <<<"${list[i]}"
    [[ $part == 120000 ]] || continue
    path=${list[i + 1]}
    target=$(own cat-file blob "$id") || return
    if [[ $target == /* ]]; then
      case $target/ in "$WB_MOUNT"/* | /tmp/* | /var/tmp/*) private+=("$path") ;; *) ! at_home "$target/" || private+=("$path") ;; esac
      escaping+=("$path")
    else
      depth=${path//[!\/]/} depth=${#depth}
      while [[ $target ]]; do
        part=${target%%/*}
        [[ $target == */* ]] && target=${target#*/} || target=""
        case $part in "" | .) ;; ..) ((depth -= 1)) ;; *) ((depth += 1)) ;; esac
        ((depth >= 0)) || { escaping+=("$path") private+=("$path") && break; }
      done
    fi
  done
}

noted() { # Adds values to the record $1, which an earlier attempt of this function may have begun; sets `list` to all of them
  local name=$1 path
  local -A known=() now=()
  shift
  list=("$@")
  kept "$name"
  for path; do now["/$path"]=yes; done
  for path in ${known[@]+"${!known[@]}"}; do [[ ${now["$path"]-} ]] || list+=("${path#/}"); done
  keep "$name" ${list[@]+"${list[@]}"}
}

linked() { # Succeeds if a directory of the path $1 is a symbolic link, so that the path leads to a file elsewhere
  local dir=$1
  while [[ $dir == */* ]]; do
    dir=${dir%/*}
    [[ ! -L $repo/$dir ]] || return 0
  done
  return 1
}

special() { # Succeeds if there is something at the path $1 that git cannot hold, such as a FIFO
  [[ -e $1 && ! -f $1 && ! -d $1 && ! -L $1 ]]
}

without_fifos() { # Removes what code under test put in place of files that git opens, which would then wait for a writer
  [[ ! ${WB_USER-} ]] || find "$repo" -name ".git*" ! -type f ! -type d ! -type l -exec rm -f {} + 2>/dev/null
  return 0
}

update_only() { # Updates the index for the given paths. Git examines no other, and none at all beyond a symbolic link
  local path there=() gone=()
  for path; do if linked "$path" || special "$repo/$path"; then gone+=("$path"); else there+=("$path"); fi; done
  ((${#gone[@]} == 0)) || printf "%s\0" "${gone[@]}" | own update-index --force-remove -z --stdin || return
  ((${#there[@]} == 0)) || printf "%s\0" "${there[@]}" | own update-index --remove -z --stdin
}

compare() { # Compares the files with the tree $1, which the index has; sets `tree` to the tree of the files and `changed` to the paths that differ
  local list beneath=${WB_USER:+all}
  changed=() tree=$1
  listed own diff-files --name-only -z "--ignore-submodules=${beneath:-untracked}" || fail 1 "git cannot read the files"
  ((${#list[@]} > 0)) || return 0
  # The copy keeps the index's time, because git reads every file again that is not older than the index.
  cp -p "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.verify" || fail 1 "cannot copy the index"
  GIT_INDEX_FILE+=.verify
  if [[ $beneath ]]; then update_only "${list[@]}"; else own add --update .; fi || fail 1 "git cannot read the files"
  tree=$(own write-tree) || fail 1 "git cannot write the tree"
  listed own diff-tree -r --name-only --no-renames -z "$1" "$tree" || fail 1 "git cannot compare $tree with the recorded tree"
  changed=(${list[@]+"${list[@]}"})
  if [[ ! $beneath ]]; then
    listed modified_submodules || fail 1 "git cannot read the submodules"
    changed+=(${list[@]+"${list[@]}"})
  fi
  GIT_INDEX_FILE=${GIT_INDEX_FILE%.verify}
}

put_back() { # Restores paths from the index and moves what is in their place into the directory $1. A submodule stays as it is
  local into=$1 path paths=() there=() made=()
  shift
  for path; do
    [[ ! -e $repo/$path/.git ]] || continue
    paths+=("$path")
    [[ ! -e $repo/$path && ! -L $repo/$path ]] || linked "$path" || there+=("$path")
  done
  ((${#paths[@]} > 0)) || return 0
  ((${#there[@]} == 0)) || aside "$into" "${there[@]}" || return
  printf "%s\0" "${paths[@]}" | own checkout-index -f -q -u -z --stdin || return
  [[ ${WB_USER-} ]] || return 0
  for path in "${paths[@]}"; do
    while [[ $path == */* ]]; do made+=("$repo/$path") && path=${path%/*}; done
    made+=("$repo/$path")
  done
  chown -h "$WB_USER:$WB_USER" -- "${made[@]}"
}

bootstrapped() { # Records what the bootstrap left, such as an environment, and undoes what it changed: neither is the agent's work
  local base tree list changed
  unlock
  without_fifos
  base=$(own write-tree) || fail 1 "git cannot write the tree"
  compare "$base"
  noted bootstrap-changed ${changed[@]+"${changed[@]}"} || fail 1 "cannot write to $records"
  tell changed ${list[@]+"${list[@]}"}
  if ((${#changed[@]} > 0)); then
    # A file of the recorded tree may also be missing: then the bootstrap has deleted it.
    put_back "$records/left/bootstrap" "${changed[@]}" || fail 1 "cannot restore the files that the bootstrap changed: ${changed[*]}"
    compare "$base"
    ((${#changed[@]} == 0)) || fail 1 "the bootstrap changes tracked files, and they cannot be restored: ${changed[*]}"
  fi
  # Files are listed one by one, so that what the agent adds next to them is its work.
  listed untracked || fail 1 "git cannot list the files"
  { keep bootstrapped ${list[@]+"${list[@]}"} && baseline begin; } || fail 1 "cannot write to $records"
}

brought_back() { unhide || fail 1 "cannot restore the files hidden from the gates"; }

snapshot() {
  local list tree base changed pinned="" stored=() left_out=() ignored renewed hollows escaping private path
  own cat-file -e "$WB_BASE^{commit}" || fail 76 "the workspace has lost the commit $WB_BASE"
  unlock
  brought_back
  if strays; then : >"$records/strays"; else rm -f "$records/strays"; fi
  record || fail 1 "git cannot record the files"
  judges
  noted "protected-$WB_LEFT" ${list[@]+"${list[@]}"} || fail 1 "cannot write to $records"
  tell protected ${list[@]+"${list[@]}"}
  if [[ $WB_RESTORE == yes ]] && ((${#list[@]} > 0)); then restore "$records/left/$WB_LEFT" "${list[@]}" || fail 1 "cannot restore the protected files: ${list[*]}"; fi
  listed modified_submodules || fail 1 "git cannot read the submodules"
  ((${#list[@]} == 0)) || fail 1 "a submodule has uncommitted changes: ${list[*]}"
  changed_in_lfs || fail 1 "git cannot read the attributes"
  ((${#stored[@]} == 0)) || fail 1 "a Git LFS file was changed, and a run uploads none: ${stored[*]}"
  tree=$(own write-tree) || fail 1 "git cannot write the tree"
  base=$(own rev-parse --verify "$WB_BASE^{tree}") || fail 1 "git cannot find the tree of $WB_BASE"
  # Gates would see these, and a fresh clone would not have them.
  found_ignored || fail 1 "git cannot list the ignored files"
  news hollows ${hollows[@]+"${hollows[@]}"} || fail 1 "cannot read $records"
  hollows=(${list[@]+"${list[@]}"})
  news ignored ${ignored[@]+"${ignored[@]}"} || fail 1 "cannot read $records"
  ignored=(${list[@]+"${list[@]}"})
  links || fail 1 "git cannot read the symbolic links"
  noted "empty-$WB_LEFT" ${hollows[@]+"${hollows[@]}"} || fail 1 "cannot write to $records"
  tell empty ${list[@]+"${list[@]}"}
  for path in ${hollows[@]+"${hollows[@]}"}; do
    remove_hollow "$path" || fail 1 "cannot remove an empty directory: $path"
  done
  list=(${ignored[@]+"${ignored[@]}"})
  if [[ $WB_ASIDE == yes ]]; then
    noted "ignored-$WB_LEFT" ${ignored[@]+"${ignored[@]}"} || fail 1 "cannot write to $records"
    ((${#ignored[@]} == 0)) || aside "$records/left/$WB_LEFT" "${ignored[@]}" || fail 1 "cannot move the ignored files away: ${ignored[*]}"
  fi
  # Gates may need what the bootstrap made: it stays where it is.
  list+=(${renewed[@]+"${renewed[@]}"})
  tell ignored ${list[@]+"${list[@]}"}
  if [[ $WB_ASIDE == yes ]] || ((${#list[@]} + ${#escaping[@]} == 0)); then
    hide ${left_out[@]+"${left_out[@]}"} || fail 1 "cannot hide the files that are left out from the gates: ${left_out[*]}"
  fi
  tell links ${escaping[@]+"${escaping[@]}"}
  tell private ${private[@]+"${private[@]}"}
  tell left-out ${left_out[@]+"${left_out[@]}"}
  say tree "$tree"
  say base-tree "$base"
  [[ -z $pinned ]] || say pinned yes
}

recorded() { # Restores the index of the recorded tree if needed; an intact one knows the files' times, so that only changed files are read again
  [[ $(own write-tree 2>/dev/null) != "$WB_TREE" ]] || return 0
  own read-tree "$WB_TREE" || fail 76 "the workspace has lost the tree $WB_TREE"
  own update-index -q --refresh
  return 0
}

later() { # Succeeds if the process started after the run or, where that is not known, works in the clone
  if [[ $began ]]; then ((fields[19] > began)); else [[ $(cd -P "$entry/cwd" 2>/dev/null && pwd -P)/ == "$repo"/* ]]; fi
}

strays() { # Succeeds if the agent has left a process behind. Processes that started before the run did are the image's
  local boot="" began="" since="" entry pid fields pair job line mine=" "
  { read -r boot began <"$records/microvm" && read -r line </proc/sys/kernel/random/boot_id; } 2>/dev/null
  [[ $boot && $began && $began != *[!0-9]* ]] || return 1
  # In another microVM, only where they work tells the image's processes from the agent's.
  [[ $boot == "$line" ]] || began=
  for ((pid = BASHPID; pid > 1; pid = fields[1])); do
    status "$pid" || break
    mine+="$pid "
  done
  for entry in /proc/[0-9]*; do
    pid=${entry##*/} job=""
    if [[ $mine == *" $pid "* ]] || ! status "$pid" || [[ ${fields[1]} == 2 || $mine == *" ${fields[1]} "* ]] || ! later; then continue; fi
    while IFS= read -r -d "" pair; do [[ $pair != WORKBENCH_JOB=* ]] || job=${pair#*=}; done 2>/dev/null <"$entry/environ"
    if [[ ! $job ]]; then
      # It is a call that follows a job, or something that such a call has started.
      for ((since = pid; since > 1; since = fields[1])); do
        line=""
        { IFS= read -r -d "" line && IFS= read -r -d "" line && IFS= read -r -d "" line; } 2>/dev/null <"/proc/$since/cmdline"
        [[ $line != *"mode=start mount="* ]] || break
        status "$since" || break
      done
      [[ $line == *"mode=start mount="* ]] || return 0
    elif [[ $job == turn-* ]]; then
      return 0
    fi
  done
  return 1
}

verify() { # Reports whether the files are still the recorded tree, after a gate or, without one, before the commit
  local tree list changed files nests leftout appeared moved=() into=$records/left/$WB_LEFT
  unlock
  without_fifos
  recorded
  compare "$WB_TREE"
  candidates || fail 1 "git cannot list the files"
  appeared=(${files[@]+"${files[@]}"} ${nests[@]+"${nests[@]}"})
  if [[ $WB_GATE != yes ]] || strays || [[ -e $records/strays ]]; then
    # The agent is still at work, or was: these changes may be its own.
    changed+=(${appeared[@]+"${appeared[@]}"})
    noted "changed-$WB_LEFT" ${changed[@]+"${changed[@]}"} || fail 1 "cannot write to $records"
    changed=(${list[@]+"${list[@]}"})
  else
    noted "changed-$WB_LEFT" ${changed[@]+"${changed[@]}"} || fail 1 "cannot write to $records"
    moved=(${changed[@]+"${changed[@]}"})
    changed=(${list[@]+"${list[@]}"})
    noted "left-$WB_LEFT" ${appeared[@]+"${appeared[@]}"} || fail 1 "cannot write to $records"
    ((${#appeared[@]} == 0)) || aside "$into" "${appeared[@]}" || fail 1 "cannot move away the files that a gate left: ${appeared[*]}"
    ((${#moved[@]} == 0)) || put_back "$into" "${moved[@]}" || fail 1 "cannot restore the files that a gate changed: ${moved[*]}"
    moved=(${list[@]+"${list[@]}"})
    baseline again || fail 1 "git cannot list the ignored files"
  fi
  if [[ $WB_PASSED != yes ]] || ((${#changed[@]} > 0)); then brought_back; fi
  say tree "$tree"
  tell changed ${changed[@]+"${changed[@]}"}
  tell left ${moved[@]+"${moved[@]}"}
}
