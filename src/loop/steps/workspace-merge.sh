#!/bin/bash
# shellcheck disable=SC2154  # variables and functions that are not here are in workspace.sh, which comes before it
#
# Merges the changes of two sides into one tree.

bounded() { # Prints what git and the remote said, shortened to what a record has room for
  local text=$1
  ((${#text} <= 1700)) || text="${text:0:600}${newline}[…]${newline}${text: -1000}"
  printf "%s" "$text"
}

update_commit() { # Makes the commit with which the base is merged into the run's branch, from its tree, the two parents and a date
  GIT_AUTHOR_NAME=$WB_NAME GIT_AUTHOR_EMAIL=$WB_EMAIL GIT_AUTHOR_DATE="@$4 +0000" \
    GIT_COMMITTER_NAME=$WB_NAME GIT_COMMITTER_EMAIL=$WB_EMAIL GIT_COMMITTER_DATE="@$4 +0000" \
    own commit-tree "$1" -p "$2" -p "$3" -m "Merge ${WB_REF:-the default branch} into $WB_BRANCH"
}

merged() { # Returns in REPLY the tree $2 with the changes from the tree $1 to the tree $3; fails with 1 if they conflict, 2 if git cannot tell, and the reason in REPLY
  local scratch code said line conflicts=""
  { scratch=$(mktemp -d) && mkdir "$scratch/files"; } || fail 1 "cannot create a temporary directory"
  # Git writes only files that both sides have changed.
  said=$(
    export GIT_INDEX_FILE=$scratch/index
    scratch_() { git_ -c merge.directoryRenames=false -c merge.renames=true -c merge.renormalize=false --git-dir="$ours" --work-tree="$scratch/files" "$@"; }
    scratch_ read-tree "$2" 2>&1 || exit 3
    scratch_ merge-recursive "$1" -- "$2" "$3" 2>&1
    code=$?
    ((code == 0)) && { scratch_ write-tree 2>&1 || exit 3; }
    # Any other error is not a conflict.
    ((code == 0)) || { ((code == 1)) && [[ $(scratch_ ls-files --unmerged) ]]; } || exit 3
    exit "$code"
  )
  code=$?
  rm -rf "$scratch"
  while IFS= read -r line; do [[ $line != CONFLICT* ]] || conflicts+=$line$newline; done <<<"$said"
  case $code in
    0) REPLY=${said##*"$newline"} ;;
    1) REPLY=$(bounded "$conflicts") && return 1 ;;
    *) REPLY=$(bounded "$said") && return 2 ;;
  esac
}
