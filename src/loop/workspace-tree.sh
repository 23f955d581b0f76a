#!/bin/bash
# shellcheck disable=SC2154  # variables, and the functions that are not here, are those of workspace.sh, which comes before it
#
# The second part of what a run does in its workspace: files become a tree, a tree becomes a commit.

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

changed_in_lfs() { # what would be committed without its content being where Git LFS looks for it
  local path value
  own diff-index --cached --name-only --diff-filter=AM -z "$WB_BASE" | own check-attr --cached --stdin -z filter | while IFS= read -r -d "" path && IFS= read -r -d "" _ && IFS= read -r -d "" value; do
    # One that was only moved points at what is there.
    [[ $value != lfs ]] || own ls-tree -r "$WB_BASE" | grep -q "blob $(own rev-parse ":$path")" || printf "%s\n" "$path"
  done
}

snapshot() {
  local submodules stored
  own cat-file -e "$WB_BASE^{commit}" || fail 76 "the workspace has lost the commit $WB_BASE"
  unlock
  record || fail 1 "git cannot record the files"
  submodules=$(modified_submodules)
  [[ -z $submodules ]] || fail 1 "a submodule has changes that are not committed in it: $submodules"
  stored=$(changed_in_lfs)
  [[ -z $stored ]] || fail 1 "a file of Git LFS was changed, and a run uploads none: $stored"
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
  cp -p "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.verify" # with its time: git reads again whatever is not older than the index
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
