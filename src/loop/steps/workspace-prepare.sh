#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh and workspace-files.sh, which come before it
#
# Prepares the workspace of a run: takes it, and creates the repository there or continues with the one that is there.
#
#   WB_UPDATE   whether the branch is updated with new commits of its base at the remote, which is done later: yes or no

: "${WB_UPDATE:=no}"

take() { # Takes the workspace, and sets `holder` to the run that claims to hold it; fails if that is another run
  local now aside
  held=""
  mkdir -p "$records" || fail 1 "cannot create a directory in $WB_MOUNT"
  printf -v now "%(%s)T" -1
  # The marker has no name yet: whoever made it is about to write one, or was lost before that.
  plain "$records/marker" || { [[ -f $records/marker && ! -L $records/marker ]] && sleep 2; }
  if ! plain "$records/marker" || [[ $REPLY != "$WB_RUN" && $REPLY == "${WB_OVER-}" ]]; then
    # Whoever moves the marker away may take its place, provided that the marker moved is the one that was read.
    if [[ -e $records/marker || -L $records/marker ]]; then
      aside=$records/marker-$now-$$
      mv "$records/marker" "$aside" 2>/dev/null || fail 75 "busy: another run is taking over the workspace"
      if plain "$aside" && [[ $REPLY != "${WB_OVER-}" ]]; then
        mv -n "$aside" "$records/marker"
        fail 75 "busy: another run has taken over the workspace"
      fi
      rm -rf "$aside"
    fi
    [[ ! ${WB_OVER-} ]] || rm -rf "$records/until-${WB_OVER//\//}"
    (set -C && printf "%s\n" "$WB_RUN" >"$records/marker") 2>/dev/null
  fi
  plain "$records/marker"
  holder=$REPLY
  [[ $holder ]] || fail 75 "busy: cannot write the marker of this run to $records"
  [[ $holder == "$WB_RUN" ]] || return
  rm -rf "$records/until-$WB_RUN"
  printf "%s\n" "$WB_DEADLINE" >"$records/until-$WB_RUN"
  held=yes
}

claim() { # Takes the workspace from a run that is known to be over, or reports which other run holds it
  take && return
  say holder "$holder"
  plain "$records/until-${holder//\//}" && say until "$REPLY"
  return 0
}

first_clone() { # Creates our repository, completely or not at all: it gets its final name last
  local final=$ours head
  ours=$records/git.new
  rm -rf "$ours"
  { git_ init --quiet --bare --template= "$ours" && exact "$ours" && fetch_ "$WB_REF" refs/workbench/upstream; } || fail 76 "cannot fetch the repository: $WB_URL ${WB_REF:-HEAD}"
  { own config workbench.url "$WB_URL" && own config workbench.ref "$WB_REF" && own config workbench.run "$WB_RUN"; } || fail 1 "cannot write to $ours"
  { head=$(own rev-parse --verify --quiet "refs/workbench/upstream^{commit}") && stands_on "$head" "$head" "$WB_BRANCH"; } || fail 76 "${WB_REF:-HEAD} is not a commit"
  mv "$ours" "$final" || fail 1 "cannot create $final"
  ours=$final
  rm -f "$GIT_INDEX_FILE"
}

checkout() { # Creates the clone with the files of the commit $1, completely or not at all
  local final=$repo
  repo=$final.new
  rm -rf "$repo"
  { mkdir "$repo" && own read-tree "$1" && own checkout-index --all --force -u && : >"$records/unchanged" && mv "$repo" "$final"; } || fail 76 "cannot write the files to $final"
  repo=$final
}

needed=(git base64 cat chmod cp date dd find head ln mkdir mktemp mv rm rmdir sha256sum sleep stat tail)

proven() { # Fails unless the commands that this script, the jobs and the prompts need are there
  local name missing=()
  for name in "${needed[@]}"; do command -v "$name" >/dev/null || missing+=("$name"); done
  ((${#missing[@]} == 0)) || fail 127 "the image lacks required commands: ${missing[*]}"
}

needed_git=2.25 # the oldest that all of this was run with

suitable_git() {
  local version
  version=$(git version) && version=${version#git version }
  [[ $version =~ ^([0-9]+)\.([0-9]+) ]] || fail 127 "cannot read the version of git: $version"
  ((BASH_REMATCH[1] > ${needed_git%.*} || (BASH_REMATCH[1] == ${needed_git%.*} && BASH_REMATCH[2] >= ${needed_git#*.}))) \
    || fail 127 "the image has git $version, but a run needs $needed_git or later: install a later version in the image"
}

joined() { # Fetches the history that a shallow clone needs for a common ancestor with the remote, without which git merges nothing
  local how since base=refs/workbench/base
  [[ -e $ours/shallow && ! -e $records/history/HEAD ]] || return 0
  plain "$records/branch" && [[ $REPLY == "$WB_BRANCH" ]] || ! own rev-parse --verify --quiet "refs/workbench/bases/$WB_BRANCH" >/dev/null || base=refs/workbench/bases/$WB_BRANCH
  since=$(own log -1 --format=%ct "$base") || return
  for how in "--shallow-since=$((since - 86400))" --deepen=1000; do
    ! own merge-base "$base" "refs/workbench/upstream^{commit}" >/dev/null 2>&1 || return 0
    own fetch --quiet "$how" -- "$WB_URL" "+${WB_REF:-HEAD}:refs/workbench/upstream"
  done
  own merge-base "$base" "refs/workbench/upstream^{commit}" >/dev/null 2>&1
}

prepare() {
  local head url ref from workspace=RESUMED
  held=""
  proven
  suitable_git
  take || fail 75 "busy: the workspace is held by the run $holder"
  unlock
  [[ ! -e $records/left ]] || chmod -R u+rwX "$records/left" 2>/dev/null
  rm -rf "$repo/.git/index.lock" "$repo/.git/HEAD.lock" "$records/left" "$records"/{bootstrap-changed,strays,taken,unchanged} "$records"/{empty,ignored,changed,left,protected}-*
  # These are of runs that nobody can repeat any more: Step Functions redrives an execution within 14 days.
  find "$records/jobs" "$records/prompts" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + 2>/dev/null
  if [[ ! -e $ours/HEAD ]]; then
    # Whatever is in the clone's place is not ours, but it must not be lost.
    if [[ -e $repo ]]; then mv "$repo" "$repo.before-$WB_RUN" || fail 1 "cannot move $repo away"; fi
    first_clone
  else
    url=$(own config workbench.url)
    [[ $url == "$WB_URL" ]] || fail 76 "the workspace is a clone of $url: use another session for $WB_URL"
    ref=$(own config workbench.ref)
    [[ -z $WB_REF_OF_INPUT || $WB_REF_OF_INPUT == "$ref" ]] || fail 76 "the workspace was started from ${ref:-the default branch}: omit \"repository.ref\" to continue in it, or use another session for $WB_REF_OF_INPUT"
    if fetch_ "$WB_REF" refs/workbench/upstream; then
      joined || echo "cannot fetch enough of the history to find a common ancestor of the workspace and ${WB_REF:-HEAD}" >&2
    elif [[ $WB_UPDATE == yes ]]; then
      fail 76 "cannot fetch the repository to update the workspace: $WB_URL ${WB_REF:-HEAD}; omit \"session.update\" to continue without the update"
    else
      echo "cannot fetch the repository at the moment; continuing without new commits" >&2
    fi
  fi
  head=$(own rev-parse --verify refs/workbench/head) || fail 76 "the workspace has lost its records"
  [[ ! -e $repo ]] || unhide || fail 76 "cannot restore the files hidden from the gates"
  if [[ ! -e $repo ]]; then
    checkout "$head"
  else
    # What is here is the work of an earlier run, and not of the bootstrap that runs next.
    record || fail 76 "git cannot record the files in $repo"
  fi
  [[ $(own config workbench.run) != "$WB_RUN" ]] || workspace=NEW # also if an earlier try has made the clone
  if [[ $workspace == NEW ]]; then
    from=$WB_BRANCH
  elif plain "$records/branch"; then
    from=$REPLY
  else
    { stands_on "$head" "$head" "$WB_BRANCH" && from=$WB_BRANCH; } || fail 1 "cannot write to $records"
  fi
  if [[ $from != "$WB_BRANCH" || -e $records/moving || $workspace$WB_UPDATE == RESUMEDyes ]]; then
    say moves yes
    say base "$head"
    say stands-on "$head"
    tell work
  else
    settle "$head"
  fi
  say workspace "$workspace"
}
