#!/bin/bash
# shellcheck disable=SC2154  # variables, and the functions that are not here, are those of workspace.sh, which comes before it
#
# The last part of what a run does in its workspace: files become a tree, a tree becomes a commit.

nested() { # the files of a repository within the repository, and of those within that; added to `files`
  local path list
  listed within "$1" || return
  for path in ${list[@]+"${list[@]}"}; do
    if [[ $path == */ ]]; then nested "$1/${path%/}" || return; else files+=("$1/$path"); fi
  done
}

within() {
  GIT_INDEX_FILE=$records/none git_ --git-dir="$ours" --work-tree="$repo/$1" ls-files --others --exclude-standard -z
}

submodule_paths() {
  own config --file "$repo/.gitmodules" --null --get-regexp "^submodule\..*\.path$"
  (($? <= 1)) # none is no failure
}

strangers() { # in `found`: directories that git takes for repositories of their own, and that are no submodules
  local i path list submodules=$'\n'
  found=()
  if [[ -e $repo/.gitmodules ]] && listed submodule_paths; then
    for path in ${list[@]+"${list[@]}"}; do submodules+=${path#*$'\n'}$'\n'; done
  fi
  listed own diff-index --cached --raw --no-renames -z refs/workbench/head || return
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    path=${list[i + 1]}
    [[ ${list[i]} != *" 160000 "* || ${list[i]} == ":160000 "* || $submodules == *$'\n'"$path"$'\n'* ]] || found+=("$path")
  done
  listed untracked || return
  for path in ${list[@]+"${list[@]}"}; do [[ $path != */ ]] || found+=("${path%/}"); done
}

record() { # all files in our index
  local path found list files
  own add --all --ignore-errors . 2>/dev/null
  # Of a repository that the agent made within the repository, git would record the name of a commit that nobody else has, or
  # nothing. Its files are what the gates see, so they are what is recorded.
  strangers || return
  for path in ${found[@]+"${found[@]}"}; do
    files=()
    { own update-index --force-remove -- "$path" && nested "$path"; } || return
    ((${#files[@]} == 0)) || printf "%s\0" "${files[@]}" | own update-index --add -z --stdin || return
  done
  own add --update . || return
  listed untracked || return
  for path in ${list[@]+"${list[@]}"}; do
    [[ $path == */ ]] || { printf "%s cannot be read\n" "$path" >&2 && return 1; }
  done
}

modified_submodules() { # what is changed in a submodule and not committed there: no tree of ours can hold it
  own diff-files --name-only -z --ignore-submodules=untracked --diff-filter=M
}

filters() { # paths: each with "filter" and the value of that attribute
  printf "%s\0" "$@" | own check-attr --cached --stdin -z filter
}

changed_in_lfs() { # what would be committed without its content being where Git LFS looks for it; added to `stored`
  local i list paths=() blobs=() filters known=" " entry
  listed own diff-index --cached --raw --no-abbrev --no-renames --diff-filter=AM -z "$WB_BASE" || return
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    read -r _ _ _ entry _ <<<"${list[i]}"
    blobs+=("$entry") paths+=("${list[i + 1]}")
  done
  ((${#paths[@]} > 0)) || return 0
  listed filters "${paths[@]}" || return
  ((${#list[@]} == 3 * ${#paths[@]})) || return
  filters=("${list[@]}")
  for i in "${!paths[@]}"; do
    [[ ${filters[3 * i + 2]} == lfs ]] || continue
    # One that was only moved points at what is there.
    if [[ $known == " " ]]; then
      listed own ls-tree -r -z "$WB_BASE" || return
      for entry in ${list[@]+"${list[@]}"}; do known+="${entry%%$'\t'*} "; done
    fi
    [[ $known == *" blob ${blobs[i]} "* ]] || stored+=("${paths[i]}")
  done
}

snapshot() {
  local list tree base stored=()
  own cat-file -e "$WB_BASE^{commit}" || fail 76 "the workspace has lost the commit $WB_BASE"
  unlock
  record || fail 1 "git cannot record the files"
  listed modified_submodules || fail 1 "git cannot read the submodules"
  ((${#list[@]} == 0)) || fail 1 "a submodule has changes that are not committed in it: ${list[*]}"
  changed_in_lfs || fail 1 "git cannot read the attributes"
  ((${#stored[@]} == 0)) || fail 1 "a file of Git LFS was changed, and a run uploads none: ${stored[*]}"
  tree=$(own write-tree) || fail 1 "git cannot write the tree"
  base=$(own rev-parse --verify "$WB_BASE^{tree}") || fail 1 "git cannot find the tree of $WB_BASE"
  say tree "$tree"
  say base-tree "$base"
}

recorded() { # the index as the tree was recorded; it knows the files' times, so that only what changed is read again
  [[ $(own write-tree 2>/dev/null) == "$WB_TREE" ]] || own read-tree "$WB_TREE" || fail 76 "the workspace has lost the tree $WB_TREE"
}

verify() { # after a gate: are the files still the recorded tree?
  local tree path list changed left=$records/left/$WB_LEFT
  unlock
  recorded
  # With its time: git reads again whatever is not older than the index.
  cp -p "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.verify" || fail 1 "the index cannot be copied"
  GIT_INDEX_FILE+=.verify
  own add --update . || fail 1 "git cannot read the files"
  tree=$(own write-tree) || fail 1 "git cannot write the tree"
  listed own diff-tree -r --name-only --no-renames -z "$WB_TREE" "$tree" || fail 1 "git cannot compare $tree with what was recorded"
  changed=(${list[@]+"${list[@]}"})
  listed modified_submodules || fail 1 "git cannot read the submodules"
  changed+=(${list[@]+"${list[@]}"})
  say tree "$tree"
  tell changed ${changed[@]+"${changed[@]}"}
  listed untracked --directory --no-empty-directory || fail 1 "git cannot list the files"
  for path in ${list[@]+"${list[@]}"}; do
    path=${path%/}
    [[ $path != */* ]] || mkdir -p "$left/${path%/*}" || fail 1 "no directory can be made in $left"
    { mkdir -p "$left" && mv -- "$repo/$path" "$left/$path"; } || fail 1 "what a gate left cannot be moved away: $path"
  done
}

push() { # fails if somebody else was first
  local remote
  own push --quiet -- "$WB_URL" "$1:refs/heads/$WB_BRANCH" 2>&1 && say pushed yes && return
  remote=$(own ls-remote --quiet -- "$WB_URL" "refs/heads/$WB_BRANCH") || fail 77 "the remote does not answer"
  remote=${remote%%[[:space:]]*}
  # What is there is below our commit: nobody was first, the push is not allowed.
  [[ $remote != "$1" ]] && own merge-base --is-ancestor "${remote:-$1}" "$1" 2>/dev/null && fail 77 "the remote does not take the branch $WB_BRANCH"
  [[ $remote == "$1" ]] || { say rejected "$remote" && return 1; }
  say pushed yes # an earlier try had arrived
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
  say commit "$commit"
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
  say base "$upstream"
}
