#!/bin/bash
# shellcheck disable=SC2034,SC2154  # the arguments come as environment variables, WB_*; parts that come later use what is set here
#
# What a run does with git in its workspace. Runs as a job; the last line that is added calls one of the functions below.
#
#   <mount>/repo                 the clone that the agent and the gates work in, with an ordinary .git of its own
#   <mount>/.workbench/git       our own repository: the objects, and what we know for sure
#   <mount>/.workbench/index     our own index of the clone's files
#   <mount>/.workbench/marker    the run that says it holds the workspace; until-<run>: up to when, in seconds since the epoch
#   <mount>/.workbench/left/     what was moved out of the clone in the last run: what gates left or changed, and ignored files of the agent
#
# Two repositories, since the agent may do whatever it likes with its own: commit, move HEAD, delete .git. We look at its
# files only, record them as a tree in ours, and commit that tree. The clone borrows our objects (alternates), so that
# nothing is stored twice. In ours: refs/workbench/head is what the workspace goes on from, refs/heads/<branch> our commit.
#
# A file has the bytes of its blob, and what is recorded is the bytes of the file: nothing is converted, neither line ends nor by
# filters, whatever .gitattributes says. Nothing that the image, the user or the agent configured counts; only where the remote is
# asked (credentials, certificates, proxies, other URLs) all of it does. Pointers of Git LFS are checked out as they are, and stay that.
#
# A microVM may be lost in the middle of any of these functions, which is then called again: each goes on from what it finds.
# How it answers the driver is in workspace-results.sh. Needs git, bash 4.2 and what `needed` names, of coreutils or busybox.

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

plain() { # the first line of a short file, in REPLY; whatever else is in its place is nobody's word
  REPLY=""
  [[ -f $1 && ! -L $1 ]] && { IFS= read -r -n 400 REPLY <"$1"; } 2>/dev/null
  [[ $REPLY =~ ^[^[:space:][:cntrl:]]+$ ]]
}

fail() { # exit code, message
  printf "%s\n" "$2" >&2
  # Whatever it looks like: records that are gone were taken away under our feet.
  if [[ $held ]] && { plain "$records/marker"; [[ $REPLY != "$WB_RUN" ]]; }; then exit 79; fi
  exit "$1"
}

git_() { # as if git were configured nowhere
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

exact() { # in a repository, whatever its files and its .gitattributes are
  mkdir -p "$1/info" && printf "%s\n" "* -text -ident !working-tree-encoding" >"$1/info/attributes"
}

unlock() { # of git in our records, whoever held a lock is dead: one function at a time is at work in them
  [[ ! -e $ours/HEAD ]] || exact "$ours"
  rm -f "$records"/index*.lock "$ours"/*.lock
  find "$ours/refs" -name "*.lock" -exec rm -f {} + 2>/dev/null
  return 0
}

release() {
  ! plain "$records/marker" || [[ $REPLY != "$WB_RUN" ]] || rm -f "$records/marker"
  rm -rf "$records/until-$WB_RUN"
}

fetch_() { # into our repository: a reference of the remote, and where to keep it
  local depth=()
  if [[ $ours == *.new || -e $records/history/HEAD ]]; then
    ((WB_DEPTH == 0)) || depth=(--depth "$WB_DEPTH")
  elif [[ -e $ours/shallow ]]; then
    # What is new has to reach down to what is here; and all of it may be wanted by now.
    if ((WB_DEPTH == 0)); then depth=(--unshallow); else depth=(--depth "$((WB_DEPTH > 50 ? WB_DEPTH : 50))"); fi
  fi
  rm -f "$records/asked"
  GIT_TRACE_PACKET=$records/asked own fetch --quiet "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

stands_on() { # the workspace: the commit of the branch, that of the base, the branch
  printf "update refs/workbench/%s\n" "head $1" "base $2" | own update-ref --stdin && printf "%s\n" "$3" >"$records/branch.new" && mv -f "$records/branch.new" "$records/branch"
}

ready() { # whether the clone's own .git is one that the agent can work with
  [[ -d $repo/.git/objects && -e $repo/.git/index ]] && agents rev-parse --git-dir &>/dev/null
}

borrow() { # the clone has our objects, and the history's, which lacks contents that git asks the remote for
  mkdir -p "$repo/.git/objects/info" && printf "%s\n" "$ours/objects" >"$repo/.git/objects/info/alternates"
  rm -f "$repo/.git/shallow"
  if [[ -e $records/history/HEAD ]]; then
    printf "%s\n" "$records/history/objects" >>"$repo/.git/objects/info/alternates"
    agents config remote.origin.promisor true
  elif [[ -e $ours/shallow ]]; then
    cp "$ours/shallow" "$repo/.git/shallow"
  fi
}

agents_repository() { # the clone's own .git, made or made again, with our objects
  if [[ -e $repo/.git ]] && ! agents rev-parse --git-dir &>/dev/null || [[ -f $repo/.git ]]; then
    rm -rf "$records/broken.git"
    mv "$repo/.git" "$records/broken.git" || return
  fi
  { git_ init --quiet "$repo" && exact "$repo/.git"; } || return
  agents config user.name "$WB_NAME" && agents config user.email "$WB_EMAIL"
  agents remote add origin "$WB_URL" 2>/dev/null || agents remote set-url origin "$WB_URL"
}

no_push_by_habit() { # what the agent pushes by itself has passed no gates
  agents config --replace-all remote.origin.pushurl "/do not push: the run does, once all gates have passed"
}

put_on_branch() { # the clone's branch and index say what ours do; its files stay as they are
  borrow
  agents update-ref --no-deref HEAD "$1" 2>/dev/null
  agents update-ref "refs/heads/$WB_BRANCH" "$1" && agents symbolic-ref HEAD "refs/heads/$WB_BRANCH"
  # With the files' times, so that none of them is read again.
  if [[ $(own write-tree 2>/dev/null) == "$(own rev-parse "$1^{tree}")" ]]; then
    cp -p "$GIT_INDEX_FILE" "$repo/.git/index"
  else
    agents_index read-tree "$1"
    agents_index update-index -q --refresh
  fi
  return 0
}

settle() { # with the files that are recorded, on the branch of the run, which is at $1
  local list=()
  if ! ready; then
    { agents_repository && put_on_branch "$1"; } || fail 76 "no repository can be made in $repo"
  elif [[ $(agents symbolic-ref --quiet HEAD) != "refs/heads/$WB_BRANCH" ]]; then
    put_on_branch "$1"
  fi
  no_push_by_habit
  baseline begin || fail 76 "git cannot list what is ignored in $repo"
  say base "$1"
  if [[ ${workspace-} == NEW ]]; then
    say stands-on "$1"
  else
    listed own diff-index --cached --name-only -z "$1" || fail 76 "git cannot compare the files with $1"
    say stands-on "$(own rev-parse refs/workbench/base)"
  fi
  tell work ${list[@]+"${list[@]}"}
}
