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

take() { # the workspace; fails if another run says that it holds it, in `holder`
  local now aside
  held=""
  mkdir -p "$records" || fail 1 "no directory can be made in $WB_MOUNT"
  printf -v now "%(%s)T" -1
  # Nobody's: who made it is about to write its name there, or was lost when it was to.
  plain "$records/marker" || { [[ -f $records/marker && ! -L $records/marker ]] && sleep 2; }
  if ! plain "$records/marker" || [[ $REPLY != "$WB_RUN" && $REPLY == "${WB_OVER-}" ]]; then
    # Who moves it away may take its place; what was moved has to be what was seen.
    if [[ -e $records/marker || -L $records/marker ]]; then
      aside=$records/marker-$now-$$
      mv "$records/marker" "$aside" 2>/dev/null || fail 75 "busy: another run takes over the workspace"
      if plain "$aside" && [[ $REPLY != "${WB_OVER-}" ]]; then
        mv -n "$aside" "$records/marker"
        fail 75 "busy: another run took over the workspace"
      fi
      rm -rf "$aside"
    fi
    [[ ! ${WB_OVER-} ]] || rm -rf "$records/until-${WB_OVER//\//}"
    (set -C && printf "%s\n" "$WB_RUN" >"$records/marker") 2>/dev/null
  fi
  plain "$records/marker"
  holder=$REPLY
  [[ $holder ]] || fail 75 "busy: the marker of this run cannot be written to $records"
  [[ $holder == "$WB_RUN" ]] || return
  rm -rf "$records/until-$WB_RUN"
  printf "%s\n" "$WB_DEADLINE" >"$records/until-$WB_RUN"
  held=yes
}

claim() { # takes the workspace from a run that is known to be over; or says who else holds it
  take && return
  say holder "$holder"
  plain "$records/until-${holder//\//}" && say until "$REPLY"
  return 0
}

release() {
  ! plain "$records/marker" || [[ $REPLY != "$WB_RUN" ]] || rm -f "$records/marker"
  rm -rf "$records/until-$WB_RUN"
}

fetch_() { # into our repository: a reference of the remote, and where to keep it
  local depth=()
  ((WB_DEPTH == 0)) || depth=(--depth "$WB_DEPTH")
  # Once there is a clone, what is new has to reach down to what it has.
  ((WB_DEPTH == 0 || WB_DEPTH >= 50)) || [[ ! -e $ours/shallow || -e $records/history/HEAD ]] || depth=(--depth 50)
  rm -f "$records/asked"
  GIT_TRACE_PACKET=$records/asked own fetch --quiet "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "+${1:-HEAD}:$2"
}

first_clone() { # complete or not at all: it gets its name last
  local final=$ours
  ours=$records/git.new
  rm -rf "$ours"
  { git_ init --quiet --bare --template= "$ours" && exact "$ours" && fetch_ "$WB_REF" refs/workbench/upstream; } || fail 76 "the repository cannot be fetched: $WB_URL ${WB_REF:-HEAD}"
  { own config workbench.url "$WB_URL" && own config workbench.ref "$WB_REF" && own config workbench.run "$WB_RUN"; } || fail 1 "$ours cannot be written to"
  own update-ref refs/workbench/head "$(own rev-parse --verify --quiet "refs/workbench/upstream^{commit}")" || fail 76 "${WB_REF:-HEAD} is no commit"
  mv "$ours" "$final" || fail 1 "$final cannot be made"
  ours=$final
  rm -f "$GIT_INDEX_FILE"
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
  if [[ $(own write-tree 2>/dev/null) == "$(own rev-parse "$1^{tree}")" ]]; then cp -p "$GIT_INDEX_FILE" "$repo/.git/index"; else agents_index read-tree "$1"; fi
  agents_index update-index -q --refresh
  return 0
}

checkout() { # complete or not at all, as the clone
  local final=$repo
  repo=$final.new
  rm -rf "$repo"
  { mkdir "$repo" && own read-tree "$1" && own checkout-index --all --force -u && mv "$repo" "$final"; } || fail 76 "the files cannot be written to $final"
  repo=$final
}

needed=(git base64 cat chmod cp date dd find head ln mkdir mktemp mv rm rmdir sha256sum sleep stat tail)

proven() { # that all is there that this script, the jobs and the prompts need
  local name missing=()
  for name in "${needed[@]}"; do command -v "$name" >/dev/null || missing+=("$name"); done
  ((${#missing[@]} == 0)) || fail 127 "not in the image, and needed: ${missing[*]}"
}

needed_git=2.25 # the oldest that all of this was run with

suitable_git() {
  local version
  version=$(git version) && version=${version#git version }
  [[ $version =~ ^([0-9]+)\.([0-9]+) ]] || fail 127 "git has no version that can be read: $version"
  ((BASH_REMATCH[1] > ${needed_git%.*} || (BASH_REMATCH[1] == ${needed_git%.*} && BASH_REMATCH[2] >= ${needed_git#*.}))) \
    || fail 127 "the image has git $version, and a run needs $needed_git or newer: install a newer one in the image"
}

prepare() {
  local head url ref
  held=""
  proven
  suitable_git
  take || fail 75 "busy: the run $holder says that it holds the workspace"
  unlock
  [[ ! -e $records/left ]] || chmod -R u+rwX "$records/left" 2>/dev/null
  rm -rf "$repo/.git/index.lock" "$repo/.git/HEAD.lock" "$records/left" "$records"/{bootstrap-changed,strays} "$records"/{empty,ignored,changed,left}-*
  # Of runs that nobody can repeat any more: Step Functions redrives an execution within 14 days.
  find "$records/jobs" "$records/prompts" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + 2>/dev/null
  if [[ ! -e $ours/HEAD ]]; then
    # Whatever is in the clone's place is not ours; it is not lost either.
    if [[ -e $repo ]]; then mv "$repo" "$repo.before-$WB_RUN" || fail 1 "$repo cannot be moved away"; fi
    first_clone
  else
    url=$(own config workbench.url)
    [[ $url == "$WB_URL" ]] || fail 76 "the workspace is a clone of $url: use another session for $WB_URL"
    ref=$(own config workbench.ref)
    [[ -z $WB_REF_OF_INPUT || $WB_REF_OF_INPUT == "$ref" ]] || fail 76 "the workspace was begun from ${ref:-the default branch}: leave \"repository.ref\" out to go on in it, or use another session for $WB_REF_OF_INPUT"
    fetch_ "$WB_REF" refs/workbench/upstream || echo "the repository cannot be fetched just now; going on with what is here" >&2
  fi
  head=$(own rev-parse --verify refs/workbench/head) || fail 76 "the workspace has lost its records"
  [[ ! -e $repo ]] || unhide || fail 76 "what was hidden from the gates cannot be brought back"
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
  no_push_by_habit
  baseline begin || fail 76 "git cannot list what is ignored in $repo"
  say base "$head"
  # Told again by a repeat, whose microVM was lost after the clone.
  if [[ $(own config workbench.run) == "$WB_RUN" ]]; then say workspace NEW; else say workspace RESUMED; fi
}
