#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables that are not set here are set by other parts, and some that are set here are used there
#
# Determines which of the clone's files are the agent's work: all that git tracks, and all that it neither tracks nor ignores, except
#   bootstrapped   files that the bootstrap left: a NUL-separated list in the records
#   leftovers      files that tools keep for themselves, and files that the clone's own .git/info/exclude excludes
#   worktrees      other checkouts of the same repository, linked to it
# Leftovers and worktrees are hidden while the gates run, so that the gates see what a fresh clone has. New ignored files are moved away
# once the agent has been told, unless their names are those of build output. Empty directories are removed.

leftovers=(".aider*" "!.aider.conf.yml" ".claude/settings.local.json" ".claude/worktrees/" "CLAUDE.local.md" ".codex/sessions/" ".crush/" ".gemini/tmp/" ".opencode/node_modules/" ".plandex*/" ".qwen/tmp/")

# Ignored files below such a directory, or with such a name, are recreated by whoever needs them.
outputs="/(\.[^/]*|node_modules|bower_components|jspm_packages|__pycache__|venv|env|virtualenv|site-packages|[^/]*\.egg-info|dist|build|_build|out|output|target|obj|bin/Debug|bin/Release|coverage|htmlcov|tmp|temp|logs?|caches?|vendor|Pods|DerivedData|cdk\.out|cmake-build-[^/]*|storybook-static|test-results|playwright-report)/"
transient="/\.|~$|\.(log|py[co]|class|o|obj|a|so|dylib|dll|exe|tmp|temp|bak|sw[op]|orig|rej|pid|lock|map|tsbuildinfo|d\.[cm]?ts|min\.js|sqlite3?|db|cache|egg|whl|gz|zip|tar)$"

keep() { # Writes a list to the record $1, atomically
  local file=$records/$1
  shift
  { (($# == 0)) || printf "%s\0" "$@"; } >"$file.new" && mv -f "$file.new" "$file"
}

kept() { # Sets `known` to the record $1: each value, preceded by a slash, is a key
  local path
  known=()
  [[ -e $records/$1 ]] || return 0
  while IFS= read -r -d "" path; do known["/$path"]=yes; done <"$records/$1"
}

worktree() { # Returns in REPLY the linked worktree that the directory $1 of the clone is in; fails if it is in none
  local dir=$1 line=""
  REPLY=""
  [[ $dir ]] || return
  if [[ ! ${where["/$dir"]-} ]]; then
    [[ ! -f $repo/$dir/.git ]] || { IFS= read -r line <"$repo/$dir/.git"; } 2>/dev/null
    if [[ $line == "gitdir: "*/worktrees/* ]]; then
      where["/$dir"]=$dir
    elif [[ $dir == */* ]] && worktree "${dir%/*}"; then
      where["/$dir"]=$REPLY
    else
      where["/$dir"]=/
    fi
  fi
  REPLY=${where["/$dir"]}
  [[ $REPLY != / ]]
}

excludes() { # Writes the patterns that exclude files besides .gitignore; skips those that match a tracked file, since such a file is no leftover
  local line
  printf "%s\n" "${leftovers[@]}" >"$records/excludes" || return
  [[ -f $repo/.git/info/exclude ]] || return 0
  while IFS= read -r line || [[ $line ]]; do
    [[ -z $line || $line == \#* || $(own ls-files --cached --ignored --exclude="$line" | head -n 1) ]] || printf "%s\n" "$line" >>"$records/excludes" || return
  done < <(head -n 200 "$repo/.git/info/exclude")
}

untracked() { # Lists files that git neither tracks nor ignores; takes further arguments of ls-files
  own ls-files --others --exclude-standard -z "$@"
}

alone() { # Succeeds if the clone has no file, ignored or not, that is not in our index: with many files, each closer look takes long
  local list
  if [[ ! ${cluttered-} ]] && listed own ls-files --others --directory -z && ((${#list[@]} == 0)); then return; fi
  cluttered=yes
  return 1
}

candidates() { # Sets `files` to the untracked files to record, `nests` to the repositories to record, `leftout` to what is not recorded
  local path dir all list
  local -A known where=() wanted=() told=()
  files=() nests=() leftout=()
  excludes || return
  ! alone || return 0
  listed untracked || return
  ((${#list[@]} > 0)) || return 0
  all=("${list[@]}")
  listed own ls-files --others --exclude-per-directory=.gitignore --exclude-from="$records/excludes" -z || return
  for path in ${list[@]+"${list[@]}"}; do wanted["/$path"]=yes; done
  kept bootstrapped
  for path in "${all[@]}"; do
    [[ ! ${known["/$path"]-} ]] || continue
    if [[ ! ${wanted["/$path"]-} ]]; then
      leftout+=("$path")
    elif [[ $path == */* ]] && worktree "${path%/*}"; then
      [[ ${told["/$REPLY"]-} ]] || leftout+=("$REPLY/")
      told["/$REPLY"]=yes
    elif [[ $path == */ ]]; then
      nests+=("${path%/}")
    else
      files+=("$path")
    fi
  done
}

within() {
  GIT_INDEX_FILE=$records/none git_ --git-dir="$ours" --work-tree="$repo/$1" ls-files --others --exclude-per-directory=.gitignore --exclude-from="$records/excludes" -z
}

nested() { # Adds to `files` the files of the repository $1 within the repository, and of the repositories within that one
  local path list
  listed within "$1" || return
  for path in ${list[@]+"${list[@]}"}; do
    if [[ $path != */ ]]; then files+=("$1/$path"); else worktree "$1/${path%/}" || nested "$1/${path%/}" || return; fi
  done
}

submodule_paths() {
  own config --file "$repo/.gitmodules" --null --get-regexp "^submodule\..*\.path$"
  (($? <= 1)) # none is no failure
}

unsparse() { # Restores files that the agent's git leaves out of the clone (sparse checkout), since they were not deleted
  local entry list paths=()
  # The names are read as one text first, because a list of many takes long.
  [[ -e $repo/.git/index && $newline$(agents_index ls-files -t 2>/dev/null) == *"${newline}S "* ]] && listed agents_index ls-files -t -z 2>/dev/null || return 0
  for entry in ${list[@]+"${list[@]}"}; do
    [[ $entry != "S "* || -e $repo/${entry#S } || -L $repo/${entry#S } ]] || paths+=("${entry#S }")
  done
  ((${#paths[@]} > 0)) || return 0
  agents config core.sparseCheckout false
  printf "%s\0" "${paths[@]}" | agents_index update-index --no-skip-worktree -z --stdin && printf "%s\0" "${paths[@]}" | agents_index checkout-index -q -z --stdin
}

forced() { # Lists ignored files that the agent has added to its own index
  agents_index ls-files --cached --ignored --exclude-standard -z 2>/dev/null
}

record() { # Records the agent's work in our index
  local i path list files nests leftout said submodules=$newline
  local -A where=()
  unsparse || return
  own add --update . || return
  candidates || return
  if [[ -e $repo/.gitmodules ]] && listed submodule_paths; then
    for path in ${list[@]+"${list[@]}"}; do submodules+=${path#*"$newline"}$newline; done
  fi
  # A repository may have taken the place of something else.
  listed own diff-index --cached --raw --no-renames -z refs/workbench/head || return
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    path=${list[i + 1]}
    [[ ${list[i]} != *" 160000 "* || ${list[i]} == ":160000 "* || $submodules == *$newline"$path"$newline* ]] || { nests+=("$path") && own update-index --force-remove -- "$path"; } || return
  done
  # For a repository that the agent made within the repository, git would record nothing, or the name of a commit that nobody
  # else has. The gates see its files, so its files are recorded.
  for path in ${nests[@]+"${nests[@]}"}; do
    [[ $submodules == *$newline"$path"$newline* ]] && own update-index --add -- "$path" || nested "$path" || return
  done
  if [[ -e $repo/.git/index ]] && listed forced; then
    for path in ${list[@]+"${list[@]}"}; do [[ ! -f $repo/$path && ! -L $repo/$path ]] || files+=("$path"); done
  fi
  if ((${#files[@]} > 0)); then
    said=$(printf "%s\0" "${files[@]}" | own update-index --add --remove -z --stdin 2>&1) || { printf "%s\n" "$said" >&2 && return 1; }
    # Git accepts some names nowhere, such as .GIT/x.
    [[ $said != *"Ignoring path "* ]] || fail 1 "git cannot store a file with this name: ${said#*"Ignoring path "}"
  fi
  left_out=(${leftout[@]+"${leftout[@]}"})
}

hollow() { # Succeeds if there is no file anywhere below the directory $1
  local entry entries
  shopt -s nullglob dotglob
  entries=("$1"/*)
  for entry in ${entries[@]+"${entries[@]}"}; do
    [[ -d $entry && ! -L $entry ]] && hollow "$entry" || return
  done
}

inside() { # Runs git in the directory $1 of the clone, which has a repository of its own
  (unset GIT_INDEX_FILE && git_ -C "$repo/$1" "${@:2}")
}

beside_submodules() { # Adds to `all` the files in submodules that no commit of theirs has, and to `dirs` their ignored directories
  local list name names path kind
  [[ ! ${WB_USER-} && -e $repo/.gitmodules ]] && listed submodule_paths || return 0
  names=(${list[@]+"${list[@]#*"$newline"}"})
  for name in ${names[@]+"${names[@]}"}; do
    [[ -e $repo/$name/.git ]] || continue
    for kind in -z "--ignored --directory -z"; do
      # shellcheck disable=SC2086  # our own words, to be split
      listed inside "$name" ls-files --others --exclude-standard $kind || return
      for path in ${list[@]+"${list[@]}"}; do
        path=$name/$path
        [[ ! /$path =~ $outputs ]] || continue
        if [[ $path == */ ]]; then dirs+=("$repo/${path%/}"); else all+=("$path"); fi
      done
    done
  done
}

found_ignored() { # Sets `ignored` to ignored files that somebody may have written, and `hollows` to directories without a file, ignored or not
  local path list all dirs=()
  local -A where=()
  ignored=() hollows=() list=() all=()
  if ! alone; then
    listed untracked --directory || return
    all=(${list[@]+"${list[@]}"})
    listed own ls-files --others --ignored --exclude-standard --directory -z || return
  fi
  for path in ${list[@]+"${list[@]}"}; do
    [[ ! /$path =~ $outputs ]] || continue
    if [[ $path == */ ]]; then all+=("$path") && dirs+=("$repo/${path%/}"); else all+=("$path"); fi
  done
  for path in ${all[@]+"${all[@]}"}; do
    [[ $path != */ || -L $repo/${path%/} ]] || ! hollow "$repo/${path%/}" || hollows+=("${path%/}")
  done
  all=(${list[@]+"${list[@]}"})
  beside_submodules || return
  if ((${#dirs[@]} > 0)); then
    listed find "${dirs[@]}" "(" -name node_modules -o -name .git ")" -prune -o "(" -type f -o -type l ")" -print0 || return
    all+=(${list[@]+"${list[@]#"$repo/"}"})
  fi
  for path in ${all[@]+"${all[@]}"}; do
    [[ $path != */ && ! /$path =~ $outputs && ! /$path =~ $transient ]] || continue
    # It is compiled from a file next to it.
    [[ $path != *.js || ! -e $repo/${path%.js}.ts && ! -e $repo/${path%.js}.tsx && ! -e $repo/${path%.js}.d.ts && ! -e $repo/$path.map ]] || continue
    [[ $path == */* ]] && worktree "${path%/*}" || ignored+=("$path")
  done
}

status() { # Sets `fields` to the fields in proc(5) from the state on; fails if the process is gone or a zombie
  local line=""
  { IFS= read -r -d "" line <"/proc/$1/stat"; } 2>/dev/null
  read -ra fields <<<"${line##*) }"
  [[ ${fields[0]:-Z} != [ZX] ]]
}

baseline() { # Records which ignored files and empty directories are not the agent's and, with `begin`, the microVM and when the run began in it
  local ignored hollows fields boot=""
  { read -r boot </proc/sys/kernel/random/boot_id && status "$$"; } 2>/dev/null
  [[ $1 != begin ]] || printf "%s %s\n" "$boot" "${fields[19]-}" >"$records/microvm" || return
  found_ignored && keep ignored ${ignored[@]+"${ignored[@]}"} && keep hollows ${hollows[@]+"${hollows[@]}"}
}

news() { # Sets `list` to the values that are not in the record $1, and `renewed` to files in that record that have been written since
  local name=$1 path
  local -A known
  shift
  kept "$name"
  list=() renewed=()
  for path; do
    if [[ ! ${known["/$path"]-} ]]; then list+=("$path"); elif [[ -f $repo/$path && $repo/$path -nt $records/$name ]]; then renewed+=("$path"); fi
  done
}

vacate() { # Removes directories of the clone, from $1 upwards, that are empty now and were not before
  local dir=$1
  while [[ $dir && ! ${known["$dir"]-} && -d $repo$dir ]] && hollow "$repo$dir"; do
    rmdir "$repo$dir" 2>/dev/null || { chmod u+rwx "$repo${dir%/*}" && rmdir "$repo$dir"; } 2>/dev/null || return 0
    dir=${dir%/*}
  done
}

remove_hollow() { # Removes the directory $1 of the clone, which contains no file, whatever its mode
  find "$repo/$1" -depth -type d -exec rmdir {} + 2>/dev/null && return
  [[ $1 != */* ]] || chmod u+rwx "$repo/${1%/*}" || return
  find "$repo/$1" -type d -exec chmod u+rwx {} ";" && find "$repo/$1" -depth -type d -exec rmdir {} +
}

aside() { # Moves paths of the clone into the directory $1, whatever their modes
  local into=$1 path dir current="" batch=()
  local -A known
  shift
  kept hollows
  for path in "$@" ""; do
    dir=""
    [[ $path != */* ]] || dir=/${path%/*}
    if [[ ! $path || $dir != "$current" ]] || ((${#batch[@]} == 500)); then
      if ((${#batch[@]} > 0)); then
        mkdir -p "$into$current" || return
        mv -f -- "${batch[@]}" "$into$current/" 2>/dev/null || { chmod u+rwx "$repo$current" "${batch[@]}" && mv -f -- "${batch[@]}" "$into$current/"; } || return
        vacate "$current"
      fi
      batch=()
    fi
    current=$dir
    batch+=("$repo/$path")
  done
}

hide() { # Hides paths until the gates have run; environments that a gate may need stay
  local path paths=()
  for path; do [[ /$path =~ /(node_modules|\.?venv|target|__pycache__)/ ]] || paths+=("${path%/}"); done
  ((${#paths[@]} > 0)) || return 0
  keep hidden "${paths[@]}" && aside "$records/hidden.d" "${paths[@]}"
}

unhide() { # Brings back hidden paths. Where a path has been created again in the meantime, that one stays and the older one is kept in left/
  local path
  local -A known
  kept hidden
  for path in ${known[@]+"${!known[@]}"}; do
    path=${path#/}
    [[ (-e $records/hidden.d/$path || -L $records/hidden.d/$path) && ! -e $repo/$path && ! -L $repo/$path ]] || continue
    [[ $path != */* ]] || mkdir -p "$repo/${path%/*}" || return
    mv -f -- "$records/hidden.d/$path" "$repo/$path" || return
  done
  rm -f "$records/hidden"
  [[ -d $records/hidden.d ]] || return 0
  if hollow "$records/hidden.d"; then rm -rf "$records/hidden.d"; else mkdir -p "$records/left" && mv "$records/hidden.d" "$records/left/again-$RANDOM"; fi
}
