#!/bin/bash
# shellcheck disable=SC2154  # the arguments come as environment variables, WB_*
#
# What a run does with git in its workspace. Runs as a job; the last line that is added calls one of the functions below.
#
#   <mount>/repo                 the clone that the agent and the gates work in, with an ordinary .git of its own
#   <mount>/.workbench/git       our own repository: the objects, and what we know for sure
#   <mount>/.workbench/index     our own index of the clone's files
#   <mount>/.workbench/marker    the run that holds the workspace; until-<run>: up to when, in seconds since the epoch
#   <mount>/.workbench/left/     files that a gate of the last run left and that git neither has nor ignores
#
# Two repositories, since the agent may do whatever it likes with its own: commit, move HEAD, delete .git. We look at its
# files only, record them as a tree in ours, and commit that tree. The clone borrows our objects (alternates), so that
# nothing is stored twice. In ours: refs/workbench/head is what the workspace goes on from, refs/heads/<branch> our commit.
#
# Nothing that the image, the user or the agent configured may change what is recorded: no templates, hooks, excludes,
# attributes or line ends from outside of the repository. Credential helpers stay as they are.
#
# A microVM may be lost in the middle of any of these functions, which is then called again: each goes on from what it finds.
# Results are lines on standard output: a word, a space, a value.

set -u -o pipefail
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_EDITOR=true GIT_SSH_COMMAND="${GIT_SSH_COMMAND:-ssh -o BatchMode=yes}"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE CDPATH

records=$WB_MOUNT/.workbench
repo=$WB_MOUNT/repo
ours=$records/git
export GIT_INDEX_FILE=$records/index
held=yes # whether the workspace is this run's: what begins without it says so

settings=(
  core.hooksPath=/dev/null core.fsmonitor=false core.excludesFile=/dev/null core.attributesFile=/dev/null core.autocrlf=false
  core.safecrlf=false core.fileMode=true core.symlinks=true core.quotePath=false core.untrackedCache=false commit.gpgSign=false
  gc.auto=0 maintenance.auto=false fetch.recurseSubmodules=false push.recurseSubmodules=no advice.detachedHead=false
  init.defaultBranch=main safe.directory=*
)
options=()
for setting in "${settings[@]}"; do options+=(-c "$setting"); done

fail() { # exit code, message
  local holder=""
  printf "%s\n" "$2" >&2
  # Whatever it looks like: records that are gone were taken away under our feet.
  if [[ $held ]] && { { read -r holder <"$records/marker"; } 2>/dev/null; [[ $holder != "$WB_RUN" ]]; }; then exit 79; fi
  exit "$1"
}

git_() { git "${options[@]}" "$@"; }
own() { git_ --git-dir="$ours" --work-tree="$repo" "$@"; }
agents() { git_ --git-dir="$repo/.git" --work-tree="$repo" "$@"; }

unlock() { # of git in our records, whoever held a lock is dead: one function at a time is at work in them
  rm -f "$records"/index*.lock "$ours"/*.lock
  find "$ours/refs" -name "*.lock" -exec rm -f {} + 2>/dev/null
  return 0
}

claim() {
  local holder until=0 now aside
  held=""
  mkdir -p "$records" || fail 1 "no directory can be made in $WB_MOUNT"
  printf -v now "%(%s)T" -1
  if holder=$(cat "$records/marker" 2>/dev/null) && [[ $holder && $holder != "$WB_RUN" ]]; then
    read -r until 2>/dev/null <"$records/until-$holder"
    ((until <= now)) || fail 75 "busy: the run $holder holds the workspace, until $(date -u -d "@$until" 2>/dev/null || echo "$until") at the latest"
    # That run is dead. Who moves its marker away may take its place; what was moved has to be that marker still.
    aside=$records/marker-$now-$$
    mv "$records/marker" "$aside" 2>/dev/null || fail 75 "busy: another run takes over the workspace"
    [[ $(cat "$aside") == "$holder" ]] || { mv -n "$aside" "$records/marker" && fail 75 "busy: another run took over the workspace"; }
    rm -f "$aside" "$records/until-$holder"
  fi
  printf "%s\n" "$WB_DEADLINE" >"$records/until-$WB_RUN"
  (set -C && printf "%s\n" "$WB_RUN" >"$records/marker") 2>/dev/null
  holder=$(cat "$records/marker")
  [[ $holder == "$WB_RUN" ]] || fail 75 "busy: the run $holder holds the workspace"
  held=yes
}

release() {
  local holder
  holder=$(cat "$records/marker" 2>/dev/null)
  [[ $holder != "$WB_RUN" ]] || rm -f "$records/marker"
  rm -f "$records/until-$WB_RUN"
  echo "holder ${holder:-nobody}"
}

fetch_() { # into our repository: a reference of the remote, and where to keep it
  local depth=()
  ((WB_DEPTH == 0)) || depth=(--depth "$WB_DEPTH")
  own fetch --quiet --no-tags "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

first_clone() { # complete or not at all: it gets its name last
  local final=$ours
  ours=$records/git.new
  rm -rf "$ours"
  { git_ init --quiet --bare --template= "$ours" && mkdir "$ours/info" && fetch_ "$WB_REF" refs/workbench/upstream; } || fail 76 "the repository cannot be fetched: $WB_URL ${WB_REF:-HEAD}"
  { own config workbench.url "$WB_URL" && own config workbench.run "$WB_RUN"; } || fail 1 "$ours cannot be written to"
  own update-ref refs/workbench/head "$(own rev-parse --verify --quiet "refs/workbench/upstream^{commit}")" || fail 76 "${WB_REF:-HEAD} is no commit"
  mv "$ours" "$final" || fail 1 "$final cannot be made"
  ours=$final
  rm -f "$GIT_INDEX_FILE"
}

ready() { # whether the clone's own .git is one that the agent can work with
  [[ -d $repo/.git/objects && -e $repo/.git/index ]] && agents rev-parse --git-dir &>/dev/null
}

agents_repository() { # the clone's own .git, made or made again, with our objects
  if [[ -e $repo/.git ]] && ! agents rev-parse --git-dir &>/dev/null || [[ -f $repo/.git ]]; then
    rm -rf "$records/broken.git"
    mv "$repo/.git" "$records/broken.git" || return
  fi
  git_ init --quiet "$repo" || return
  mkdir -p "$repo/.git/objects/info" && printf "%s\n" "$ours/objects" >"$repo/.git/objects/info/alternates"
  agents config user.name "$WB_NAME" && agents config user.email "$WB_EMAIL"
  agents remote add origin "$WB_URL" 2>/dev/null || agents remote set-url origin "$WB_URL"
}

put_on_branch() { # the clone's branch and index say what ours do; its files stay as they are
  if [[ -e $ours/shallow ]]; then cp "$ours/shallow" "$repo/.git/shallow"; else rm -f "$repo/.git/shallow"; fi
  agents update-ref --no-deref HEAD "$1" 2>/dev/null
  agents update-ref "refs/heads/$WB_BRANCH" "$1" && agents symbolic-ref HEAD "refs/heads/$WB_BRANCH"
  GIT_INDEX_FILE=$repo/.git/index agents read-tree "$1"
  GIT_INDEX_FILE=$repo/.git/index agents update-index -q --refresh
  return 0
}

checkout() { # complete or not at all, as the clone
  local final=$repo
  repo=$final.new
  rm -rf "$repo"
  { mkdir "$repo" && own read-tree "$1" && own checkout-index --all --force && mv "$repo" "$final"; } || fail 76 "the files cannot be written to $final"
  repo=$final
}

nested() { # the files of a repository within the repository, and of those within that
  local path
  GIT_INDEX_FILE=$records/none git_ --git-dir="$ours" --work-tree="$repo/$1" ls-files --others --exclude-standard -z | while IFS= read -r -d "" path; do
    if [[ $path == */ ]]; then nested "$1/${path%/}"; else printf "%s/%s\0" "$1" "$path"; fi
  done
}

strangers() { # directories that git takes for repositories of their own, and that are no submodules
  local change path submodules
  submodules=$(own config --file "$repo/.gitmodules" --get-regexp "^submodule\..*\.path$" 2>/dev/null | cut -d " " -f 2-)
  own diff-index --cached --raw --no-renames -z refs/workbench/head | while IFS= read -r -d "" change && IFS= read -r -d "" path; do
    [[ $change == *" 160000 "* && $change != ":160000 "* && $'\n'$submodules$'\n' != *$'\n'"$path"$'\n'* ]] && printf "%s\0" "$path"
  done
  own ls-files --others --exclude-standard -z | while IFS= read -r -d "" path; do
    [[ $path == */ ]] && printf "%s\0" "${path%/}"
  done
}

record() { # all files in our index
  local path
  own add --all --ignore-errors . 2>/dev/null
  # Of a repository that the agent made within the repository, git would record the name of a commit that nobody else has, or
  # nothing. Its files are what the gates see, so they are what is recorded.
  while IFS= read -r -d "" path; do
    own update-index --force-remove -- "$path"
    nested "$path" | own update-index --add -z --stdin || return
  done < <(strangers)
  own add --update . || return
  while IFS= read -r -d "" path; do
    [[ $path == */ ]] || { printf "%s cannot be read\n" "$path" >&2 && return 1; }
  done < <(own ls-files --others --exclude-standard -z)
}

modified_submodules() { # what is changed in a submodule and not committed there: no tree of ours can hold it
  own diff-files --name-only --ignore-submodules=untracked --diff-filter=M
}

prepare() {
  local head url
  command -v git >/dev/null || fail 127 "git is not in the image"
  claim
  unlock
  rm -rf "$repo/.git/index.lock" "$repo/.git/HEAD.lock" "$records/left"
  if [[ ! -e $ours/HEAD ]]; then
    # Whatever is in the clone's place is not ours; it is not lost either.
    if [[ -e $repo ]]; then mv "$repo" "$repo.before-$WB_RUN" || fail 1 "$repo cannot be moved away"; fi
    first_clone
  else
    url=$(own config workbench.url)
    [[ $url == "$WB_URL" ]] || fail 76 "the workspace is a clone of $url: use another session for $WB_URL"
    fetch_ "$WB_REF" refs/workbench/upstream || echo "the repository cannot be fetched just now; going on with what is here" >&2
  fi
  head=$(own rev-parse --verify refs/workbench/head) || fail 76 "the workspace has lost its records"
  if [[ ! -e $repo ]]; then
    checkout "$head"
  else
    # What is here is work of an earlier run, and none of the bootstrap that comes now.
    record || fail 76 "git cannot record the files that are in $repo"
  fi
  if ! ready; then
    { agents_repository && put_on_branch "$head"; } || fail 76 "no repository can be made in $repo"
  elif [[ $(agents symbolic-ref --quiet HEAD) != "refs/heads/$WB_BRANCH" ]]; then
    put_on_branch "$head"
  fi
  echo "base $head"
  # Told again by a repeat, whose microVM was lost after the clone.
  if [[ $(own config workbench.run) == "$WB_RUN" ]]; then echo "workspace NEW"; else echo "workspace RESUMED"; fi
}

pattern() { # a path as a pattern that matches only itself
  printf "%s" "$1" | sed -e 's/[][\\*?]/\\&/g' -e 's/^\([#!]\)/\\\1/' -e 's/ $/\\ /'
}

bootstrapped() { # what the bootstrap left, such as an environment, is no work of the agent's
  local path
  unlock
  own ls-files --others --exclude-standard --directory --no-empty-directory -z | while IFS= read -r -d "" path; do
    [[ $path == *$'\n'* ]] || printf "/%s\n" "$(pattern "$path")"
  done >>"$ours/info/exclude"
}

snapshot() {
  local submodules
  own cat-file -e "$WB_BASE^{commit}" || fail 76 "the workspace has lost the commit $WB_BASE"
  unlock
  record || fail 1 "git cannot record the files"
  submodules=$(modified_submodules)
  [[ -z $submodules ]] || fail 1 "a submodule has changes that are not committed in it: $submodules"
  echo "tree $(own write-tree)" || fail 1 "git cannot write the tree"
  echo "base-tree $(own rev-parse "$WB_BASE^{tree}")"
}

recorded() { # the index as the tree was recorded; it knows the files' times, so that only what changed is read again
  [[ $(own write-tree 2>/dev/null) == "$WB_TREE" ]] || own read-tree "$WB_TREE" || fail 76 "the workspace has lost the tree $WB_TREE"
}

verify() { # after a gate: are the files still the recorded tree?
  local tree path left=$records/left/$WB_LEFT
  unlock
  recorded
  cp "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.verify"
  GIT_INDEX_FILE+=.verify
  own add --update . || fail 1 "git cannot read the files"
  tree=$(own write-tree) || fail 1 "git cannot write the tree"
  if [[ $tree != "$WB_TREE" ]]; then own diff-tree -r --name-only --no-renames "$WB_TREE" "$tree" | sed -e 's/^/changed /'; fi
  modified_submodules | sed -e 's/^/changed /'
  own ls-files --others --exclude-standard --directory --no-empty-directory -z | while IFS= read -r -d "" path; do
    path=${path%/}
    mkdir -p "$left/$(dirname -- "$path")" && mv -- "$repo/$path" "$left/$path"
  done
}

push() { # fails if somebody else was first
  local remote
  own push --quiet -- "$WB_URL" "$1:refs/heads/$WB_BRANCH" 2>&1 && echo "pushed yes" && return
  remote=$(own ls-remote --quiet -- "$WB_URL" "refs/heads/$WB_BRANCH") || fail 77 "the remote does not answer"
  remote=${remote%%[[:space:]]*}
  # What is there is below our commit: nobody was first, the push is not allowed.
  [[ $remote != "$1" ]] && own merge-base --is-ancestor "${remote:-$1}" "$1" 2>/dev/null && fail 77 "the remote does not take the branch $WB_BRANCH"
  [[ $remote == "$1" ]] || { echo "rejected $remote" && return 1; }
  echo "pushed yes" # an earlier try had arrived
}

commit() { # the same tree, parent, date and message make the same commit, however often
  local commit
  unlock
  commit=$(
    export GIT_AUTHOR_NAME=$WB_NAME GIT_AUTHOR_EMAIL=$WB_EMAIL GIT_AUTHOR_DATE="@$WB_DATE +0000"
    export GIT_COMMITTER_NAME=$WB_NAME GIT_COMMITTER_EMAIL=$WB_EMAIL GIT_COMMITTER_DATE="@$WB_DATE +0000"
    printf "%s" "$WB_MESSAGE" | own commit-tree "$WB_TREE" -p "$WB_BASE"
  ) || fail 1 "git cannot make the commit"
  own update-ref refs/workbench/ours "$commit"
  echo "commit $commit"
  [[ $WB_PUSH != yes ]] || push "$commit" || return 0
  # The workspace goes on from the commit.
  { own update-ref "refs/heads/$WB_BRANCH" "$commit" && own update-ref refs/workbench/head "$commit"; } || fail 1 "the commit cannot be kept"
  # What the agent finds next time is no reason to call a commit that is made a failure.
  { ready || agents_repository; } && put_on_branch "$commit"
  return 0
}

rebase() { # puts the change on top of what somebody else pushed, if it goes there without a conflict
  local merged upstream how
  unlock
  WB_DEPTH=0 fetch_ "refs/heads/$WB_BRANCH" refs/workbench/theirs || fail 77 "the remote's branch cannot be fetched"
  upstream=$(own rev-parse --verify refs/workbench/theirs)
  # Where both come from may be older than what was cloned.
  if ! own merge-base "$upstream" "$WB_COMMIT" >/dev/null && [[ -e $ours/shallow ]]; then
    own fetch --quiet --no-tags --unshallow -- "$WB_URL" "+refs/heads/$WB_BRANCH:refs/workbench/theirs" || fail 77 "the remote's history cannot be fetched"
  fi
  merged=$(own merge-tree --write-tree "$upstream" "$WB_COMMIT") || fail 78 "the change does not go on top of $upstream: $merged"
  merged=${merged%%$'\n'*}
  # Files that an earlier try has put there are neither the one nor the other.
  if [[ -e $records/rebasing-$merged ]]; then how=(--reset -u "$merged"); else recorded && how=(-m -u "$WB_TREE" "$merged"); fi
  : >"$records/rebasing-$merged"
  own read-tree "${how[@]}" || fail 78 "the files have changed meanwhile"
  own update-ref refs/workbench/head "$upstream"
  { ready || agents_repository; } && put_on_branch "$upstream"
  rm -f "$records/rebasing-$merged"
  echo "base $upstream"
}
