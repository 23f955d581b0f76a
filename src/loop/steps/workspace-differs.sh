#!/bin/bash
# shellcheck disable=SC2154  # variables that are not set here are set in workspace.sh, which comes before it
#
# Lists what a session has besides the recorded files, so that the driver can tell what a clean checkout lacks. Only names are listed, of these kinds:
#
#   d   what git ignores in the clone, as git lists it: a directory is one name, which ends in a slash
#   f   the files in these directories, except those of packages
#   c   packages in these directories
#   g   packages of the system, and of users, for the programs in PATH
#   x   programs
#
# Each name is printed as its kind, the name and NUL. When a kind is complete, `.`, the kind and NUL follow: a name that is missing from a
# list that is not complete may be there.

shopt -s nullglob
exec 2>/dev/null # it would be among the names

few() { # Prints the names in the input, once each, as names of the kind $1. Fails if there are too many
  local name count=0
  local -A seen
  while IFS= read -r -d "" name; do
    ((++count <= 20000)) || return
    name=${name#./}
    name=${name:0:200}
    [[ ! ${seen["/$name"]-} ]] || continue
    seen["/$name"]=yes
    printf "%s%s\0" "$1" "$name"
  done
}

survey() { # Prints the names of the kind $1, which the function $2 finds
  "$2" | few "$1" && printf ".%s\0" "$1"
}

ignored() { own ls-files --others --ignored --exclude-standard --directory -z; }

below() { # Runs find in the ignored directories
  local name count=0 dirs=()
  while IFS= read -r -d "" name && ((++count <= 20000)); do [[ $name != */ ]] || dirs+=("./${name%/}"); done < <(ignored)
  ((${#dirs[@]} == 0)) || (cd "$repo" && find "${dirs[@]}" "$@")
}

files() { below "(" -name node_modules -o -name site-packages -o -name .git ")" -prune -o ! -type d -print0; }

packages_in() { # Prints the names of the packages in the directory $1, without their versions
  local entry
  case ${1##*/} in
    node_modules) for entry in "$1"/[!@]* "$1"/@*/*; do [[ ! -d $entry ]] || printf "%s\0" "${entry#"$1/"}"; done ;;
    gems) for entry in "$1"/*; do entry=${entry##*/} && printf "%s\0" "${entry%-[0-9]*}"; done ;;
    *)
      for entry in "$1"/*.{dist,egg}-info; do
        entry=${entry##*/} && entry=${entry%.*-info}
        printf "%s\0" "${entry%%-*}"
      done
      for entry in "$1"/*.egg-link; do entry=${entry##*/} && printf "%s\0" "${entry%.egg-link}"; done
      ;;
  esac
}

packages() {
  local dir
  below -name .git -prune -o "(" -name node_modules -o -name site-packages ")" -prune -print0 | while IFS= read -r -d "" dir; do packages_in "$repo/$dir"; done
}

places() { # Sets `dirs` to the directories with programs. Those of the container's user count where commands have another user, too
  local home
  IFS=: read -ra dirs <<<"$PATH"
  for home in ~ ~root; do dirs+=("$home"/{.local,go,.cargo}/bin); done
}

libraries() {
  local dirs dir entry
  places
  for dir in "${dirs[@]}"; do
    [[ $dir == /* ]] || continue
    for entry in "${dir%/*}"/lib*/{node_modules,python*/{site,dist}-packages,ruby/gems/*/gems}; do packages_in "$entry"; done
  done
  for entry in /var/lib/gems/*/gems; do packages_in "$entry"; done
  for entry in /var/lib/dpkg/info/*.list; do
    entry=${entry##*/} && entry=${entry%.list}
    printf "%s\0" "${entry%%:*}"
  done
  [[ ! -f /lib/apk/db/installed ]] || while IFS= read -r entry; do [[ $entry != P:* ]] || printf "%s\0" "${entry#P:}"; done </lib/apk/db/installed
}

programs() {
  local dirs dir entry
  places
  for dir in "${dirs[@]}"; do
    [[ $dir == /* ]] || continue
    # Another user may not be allowed to run what the container's user can, and the image has it all the same.
    for entry in "$dir"/*; do [[ -d $entry ]] || printf "%s\0" "${entry##*/}"; done
  done
  return 0
}

differs() {
  printf "\0"
  survey x programs
  survey g libraries
  survey d ignored
  survey c packages
  survey f files
} >&"$answer"
