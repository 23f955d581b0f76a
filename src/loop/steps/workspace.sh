#!/bin/bash
# shellcheck disable=SC2034,SC2154  # the arguments are environment variables, WB_*; later parts use variables that are set here
#
# Does what a run does with git in its workspace. Runs as a job; a last line, appended to it, calls one of the functions below.
#
#   <mount>/repo                 the clone that the agent and the gates work in, with an ordinary .git of its own
#   <mount>/.workbench/git       our own repository: the objects, and the records that can be relied on
#   <mount>/.workbench/index     our own index of the clone's files
#   <mount>/.workbench/marker    the run that claims to hold the workspace; until-<run>: until when, in seconds since the epoch
#   <mount>/.workbench/left/     files moved out of the clone in the last run: those that gates left or changed, and the agent's ignored ones
#
# There are two repositories, because the agent may do anything with its own: commit, move HEAD, delete .git. Only its files
# are read: they are recorded as a tree in ours, and that tree is committed. The clone borrows our objects (alternates), so that nothing
# is stored twice. In ours, refs/workbench/head is the commit the workspace continues from, and refs/heads/<branch> is our commit.
#
# Files are checked out and recorded byte for byte: whatever .gitattributes says, neither line endings nor filters are applied.
# Configuration by the image, the user or the agent is ignored, except where the remote is contacted: there all of it applies
# (credentials, certificates, proxies, URL rewrites). Git LFS pointers are checked out as they are, and remain pointers.
#
# A microVM may be lost in the middle of any of these functions, which is then called again: each resumes from the state it finds.
# workspace-results.sh reports to the driver. Requires git, bash 4.2 and the commands in `needed`, from coreutils or busybox.

set -u -o pipefail
printf -v newline "\n" # quotes that a reader of commands may not join are left out of this script
printf -v tab "\t"
nonce=${WB_NONCE:?} # nothing that is begun here gets to see it
unset WB_NONCE
exec {answer}>&1 >&2
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_EDITOR=true GIT_SSH_COMMAND="${GIT_SSH_COMMAND:-ssh -o BatchMode=yes}"
unset CDPATH
for variable in "${!GIT_@}"; do # what is left is for the remote, and for the programs of git
  case $variable in GIT_ASKPASS | GIT_CONFIG* | GIT_CURL* | GIT_EDITOR | GIT_EXEC_PATH | GIT_HTTP* | GIT_PROXY* | GIT_SSH* | GIT_SSL* | GIT_TERMINAL_PROMPT) ;; *) unset "$variable" ;; esac
done

records=$WB_MOUNT/.workbench
repo=$WB_MOUNT/repo
ours=$records/git
export GIT_INDEX_FILE=$records/index
held=yes # whether this run holds the workspace: what begins without it says so

settings=(
  core.hooksPath=/dev/null core.fsmonitor=false core.excludesFile=/dev/null core.attributesFile=/dev/null core.autocrlf=false
  core.safecrlf=false core.fileMode=true core.symlinks=true core.quotePath=false core.untrackedCache=false commit.gpgSign=false
  gc.auto=0 maintenance.auto=false fetch.recurseSubmodules=false push.recurseSubmodules=no advice.detachedHead=false
  core.eol=lf core.sparseCheckout=false init.defaultBranch=main safe.directory=*
)
[[ ${GIT_CONFIG_COUNT:-0} != *[!0-9]* ]] || unset GIT_CONFIG_COUNT
GIT_CONFIG_COUNT=$((10#${GIT_CONFIG_COUNT:-0}))
options=() # and as variables, which win over options, after those that the container may have for git; git 2.30 has options only
for setting in "${settings[@]}"; do
  options+=(-c "$setting")
  export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=${setting%%=*}" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=${setting#*=}" GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done

plain() { # Returns in REPLY the first line of a short file; fails unless it is a regular file, not a link, and the line is a single word
  REPLY=""
  [[ -f $1 && ! -L $1 ]] && { IFS= read -r -n 400 REPLY <"$1"; } 2>/dev/null
  [[ $REPLY =~ ^[^[:space:][:cntrl:]]+$ ]]
}

fail() { # Prints the message $2 and exits with the code $1, or with 79 if this run no longer holds the workspace
  printf "%s\n" "$2" >&2
  # Whatever the error looks like, its cause is that the records were taken away while this run was at work.
  if [[ $held ]] && { plain "$records/marker"; [[ $REPLY != "$WB_RUN" ]]; }; then exit 79; fi
  exit "$1"
}

git_() { # Runs git as if nothing were configured
  HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 \
    GIT_CONFIG_COUNT=0 GIT_CONFIG_PARAMETERS="" git "${options[@]}" "$@"
}

own() {
  case $1 in
    fetch | ls-remote | push) git "${options[@]}" --git-dir="$ours" --work-tree="$repo" "$@" ;;
    *) git_ --git-dir="$ours" --work-tree="$repo" "$@" ;;
  esac
}

agents() { git_ --git-dir="$repo/.git" --work-tree="$repo" "$@"; }

agents_index() { GIT_INDEX_FILE=$repo/.git/index agents "$@"; }

exact() { # Turns off all conversions in the repository $1, whatever its files and its .gitattributes say
  mkdir -p "$1/info" && printf "%s\n" "* -text -ident !working-tree-encoding" >"$1/info/attributes"
}

unlock() { # Removes git's locks from our records. Whoever held one is dead, since only one function at a time works in them
  [[ ! -e $ours/HEAD ]] || exact "$ours"
  rm -f "$records"/index*.lock "$ours"/*.lock
  find "$ours/refs" -name "*.lock" -exec rm -f {} + 2>/dev/null
  return 0
}

release() {
  ! plain "$records/marker" || [[ $REPLY != "$WB_RUN" ]] || rm -f "$records/marker"
  rm -rf "$records/until-$WB_RUN"
}

fetch_() { # Fetches the remote's reference $1, by default HEAD, into our repository as $2
  local depth=()
  if [[ $ours == *.new || -e $records/history/HEAD ]]; then
    ((WB_DEPTH == 0)) || depth=(--depth "$WB_DEPTH")
  elif [[ -e $ours/shallow ]]; then
    # New commits must connect to those that are here, and the whole history may be wanted by now.
    if ((WB_DEPTH == 0)); then depth=(--unshallow); else depth=(--depth "$((WB_DEPTH > 50 ? WB_DEPTH : 50))"); fi
  fi
  rm -f "$records/asked"
  GIT_TRACE_PACKET=$records/asked own fetch --quiet "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

stands_on() { # Records what the workspace is based on: the commit of the branch ($1), that of the base ($2) and the branch ($3)
  printf "update refs/workbench/%s\n" "head $1" "base $2" | own update-ref --stdin && printf "%s\n" "$3" >"$records/branch.new" && mv -f "$records/branch.new" "$records/branch"
}

ready() { # Succeeds if the agent can work with the clone's own .git
  [[ -d $repo/.git/objects && -e $repo/.git/index ]] && agents rev-parse --git-dir &>/dev/null
}

borrow() { # Gives the clone our objects and those of the history, which lacks contents that git requests from the remote
  mkdir -p "$repo/.git/objects/info" && printf "%s\n" "$ours/objects" >"$repo/.git/objects/info/alternates"
  rm -f "$repo/.git/shallow"
  if [[ -e $records/history/HEAD ]]; then
    printf "%s\n" "$records/history/objects" >>"$repo/.git/objects/info/alternates"
    agents config remote.origin.promisor true
  elif [[ -e $ours/shallow ]]; then
    cp "$ours/shallow" "$repo/.git/shallow"
  fi
}

agents_repository() { # Creates the clone's own .git, or replaces one that git cannot read, and sets its user and its remote
  if [[ -e $repo/.git ]] && ! agents rev-parse --git-dir &>/dev/null || [[ -f $repo/.git ]]; then
    rm -rf "$records/broken.git"
    mv "$repo/.git" "$records/broken.git" || return
  fi
  { git_ init --quiet "$repo" && exact "$repo/.git"; } || return
  agents config user.name "$WB_NAME" && agents config user.email "$WB_EMAIL"
  agents remote add origin "$WB_URL" 2>/dev/null || agents remote set-url origin "$WB_URL"
}

no_push_by_habit() { # Makes pushes by the agent fail, since what it pushes itself has passed no gates
  agents config --replace-all remote.origin.pushurl "/do not push: the run does, once all gates have passed"
}

put_on_branch() { # Sets the clone's branch and index to the commit $1; its files stay as they are
  borrow
  agents update-ref --no-deref HEAD "$1" 2>/dev/null
  agents update-ref "refs/heads/$WB_BRANCH" "$1" && agents symbolic-ref HEAD "refs/heads/$WB_BRANCH"
  # The copy keeps the times of the files, so that git reads none of them again.
  if [[ $(own write-tree 2>/dev/null) == "$(own rev-parse "$1^{tree}")" ]]; then
    cp -p "$GIT_INDEX_FILE" "$repo/.git/index"
  else
    agents_index read-tree "$1"
    agents_index update-index -q --refresh
  fi
  return 0
}

settle() { # Puts the clone on the run's branch, which is at $1, and reports which recorded files differ from it
  local list=()
  if ! ready; then
    { agents_repository && put_on_branch "$1"; } || fail 76 "cannot create a repository in $repo"
  elif [[ $(agents symbolic-ref --quiet HEAD) != "refs/heads/$WB_BRANCH" ]]; then
    put_on_branch "$1"
  fi
  no_push_by_habit
  baseline begin || fail 76 "git cannot list the ignored files in $repo"
  say base "$1"
  if [[ ${workspace-} == NEW ]]; then
    say stands-on "$1"
  else
    listed own diff-index --cached --name-only -z "$1" || fail 76 "git cannot compare the files with $1"
    say stands-on "$(own rev-parse refs/workbench/base)"
  fi
  tell work ${list[@]+"${list[@]}"}
}
