#!/bin/bash
# shellcheck disable=SC2154  # variables and functions that are not here are in workspace.sh and the parts that come before it
#
# Does what follows in the workspace once all gates have passed: makes a commit of a tree and brings it to the remote, on top of whatever
# others have put there. Only the changes from WB_BASE to WB_TREE are the run's.
#
#   WB_ELSEWHERE   not empty in the session of a verification: nothing continues there, and nothing is written to its clone, where code under test
#                  may have put links to other files

on_top() { # Succeeds if a commit on top of WB_BASE keeps all that the remote's branch has, at $1, and brings nothing back
  [[ $1 != "$WB_BASE" ]] || return 0
  known_tip
  [[ -z $REPLY || $1 == "$REPLY" ]] && { [[ -z $1 ]] || own merge-base --is-ancestor "$1" "$WB_BASE" 2>/dev/null; }
}

refusals="\[remote rejected\]|[Dd]enied|[Ff]orbidden|Authentication failed|could not read (Username|Password)|error: 40[0-9]|not found"
passing="cannot lock ref|failed to update ref|reference already exists|unable to create .*lock|error: 408"

push() { # Pushes the commit $1. Returns 0 if it arrived, 2 if others pushed the same files, 1 if they pushed something else or deleted the branch; REPLY is their commit, or `gone`. Returns 3 if a publisher may push it; REPLY is the commit that the branch is at, or `none`
  local at try said=""
  for try in 1 2 3 4; do
    tip || fail 81 "it is unknown whether the push arrived, because the remote does not answer${said:+: $(bounded "$said")}"
    at=$REPLY
    [[ $at != "$1" ]] || return 0
    if ! on_top "$at"; then
      [[ $at ]] || { REPLY=gone && return 1; }
      patiently near "refs/heads/$WB_BRANCH" refs/workbench/theirs || fail 81 "cannot fetch the branch from the remote"
      REPLY=$(own rev-parse --verify refs/workbench/theirs)
      # An earlier attempt arrived, and others continued from it.
      ! own merge-base --is-ancestor "$1" "$REPLY" || return 0
      [[ $(own rev-parse "$REPLY^{tree}") != "$WB_TREE" ]] || return 2
      return 1
    fi
    # Only now can it be seen whether anybody made such a branch while the run was at work.
    if [[ -z $at ]]; then free_branch || continue; fi
    [[ $WB_PUSH != look ]] || { REPLY=${at:-none} && return 3; }
    said=$(own push --quiet -- "$WB_URL" "$1:refs/heads/$WB_BRANCH" 2>&1 | tail -c 65536) && { printf "%s" "$said" >&2 && return 0; }
    tip || continue
    [[ $REPLY != "$1" ]] || return 0
    # If the branch is where it was, nobody was first. A refusal by the remote is final; a lock of another push, or a lost connection, is not.
    if [[ $REPLY == "$at" && $said =~ $refusals && ! $said =~ $passing ]]; then
      fail 77 "the remote rejects the branch $WB_BRANCH: $(bounded "$said")"
    fi
    sleep $((try * WB_PAUSE))
  done
  fail 77 "the push did not arrive: $(bounded "$said")"
}

goes_on_from() { # Makes the workspace continue from the commit $1, which has been made; for that reason, nothing that goes wrong here is a failure
  own update-ref "refs/heads/$WB_BRANCH" "$1" 2>/dev/null
  own update-ref refs/workbench/head "$1"
  ! plain "$records/taken" || own update-ref refs/workbench/base "$REPLY"
  rm -f "$records/taken" "$records/rebasing" "$repo/.git/MERGE_HEAD" "$repo/.git/MERGE_MSG" "$repo/.git/MERGE_MODE"
  { ready || agents_repository; } && put_on_branch "$1"
  no_push_by_habit
  return 0
}

commit() { # Makes the commit and pushes it. From the same tree, parents, date and message it is the same commit, however often this is repeated
  local commit parent parents=(-p "$WB_BASE") pushed=no found=no
  unlock
  for parent in ${WB_MERGES/none/}; do parents+=(-p "$parent"); done
  if ((${#parents[@]} == 2)) && [[ $(own rev-parse "$WB_BASE^{tree}") == "$WB_TREE" ]]; then
    commit=$WB_BASE found=yes # the change is in what others pushed
  else
    commit=$(
      export GIT_AUTHOR_NAME=$WB_NAME GIT_AUTHOR_EMAIL=$WB_EMAIL GIT_AUTHOR_DATE="@$WB_DATE +0000"
      export GIT_COMMITTER_NAME=$WB_NAME GIT_COMMITTER_EMAIL=$WB_EMAIL GIT_COMMITTER_DATE="@$WB_DATE +0000"
      printf "%s" "$WB_MESSAGE" | own commit-tree "$WB_TREE" "${parents[@]}"
    ) || fail 1 "git cannot create the commit"
    own update-ref refs/workbench/ours "$commit" || fail 1 "git cannot keep the commit"
  fi
  if [[ $WB_PUSH != no ]]; then
    push "$commit"
    case $? in
      0) pushed=yes ;;
      1) say rejected "$REPLY" && say commit "$commit" && return ;;
      2) pushed=yes found=yes commit=$REPLY ;;
      3) say ready "$REPLY" && say commit "$commit" && return ;;
    esac
    known_tip "$commit"
  elif [[ ${WB_ARRIVED-} ]]; then
    # Another session has made and pushed the same commit.
    [[ $commit == "$WB_ARRIVED" ]] || fail 77 "this workspace does not make the commit $WB_ARRIVED that was pushed"
    known_tip "$commit"
  fi
  [[ ${WB_ELSEWHERE-} ]] || goes_on_from "$commit"
  say commit "$commit"
  [[ $pushed == no ]] || say pushed yes
  [[ $found == no ]] || say found yes
}

rebase() { # Puts the run's change, and nothing else, on top of what others pushed
  local commit at theirs parent how=(--reset -u)
  unlock
  read -r commit at theirs 2>/dev/null <"$records/rebasing"
  if [[ ${commit-} != "$WB_COMMIT" ]]; then
    tip || fail 81 "the remote does not answer"
    at=${REPLY:-gone}
    # A branch that was deleted may have been merged before, or abandoned: the change goes on top of the base instead.
    if [[ $at == gone ]]; then near "$WB_REF" refs/workbench/theirs; else near "refs/heads/$WB_BRANCH" refs/workbench/theirs; fi || fail 81 "cannot fetch the branch from the remote"
    theirs=$(own rev-parse --verify "refs/workbench/theirs^{commit}") || fail 77 "the branch at the remote does not point to a commit"
    how=(-m -u "$WB_TREE")
  fi
  merged "$WB_BASE^{tree}" "$theirs^{tree}" "$WB_TREE"
  case $? in
    1) fail 78 "the change conflicts with what others pushed: $REPLY" ;;
    2) fail 77 "git cannot merge: $REPLY" ;;
  esac
  # The files of an earlier attempt belong to neither tree. What it started from is kept, so that this attempt does the same.
  [[ ${how[0]} == --reset ]] || { { [[ $(own write-tree 2>/dev/null) == "$WB_TREE" ]] || own read-tree "$WB_TREE"; } && printf "%s\n" "$WB_COMMIT $at $theirs" >"$records/rebasing.new" && mv "$records/rebasing.new" "$records/rebasing"; } || fail 1 "cannot write to $records"
  if ! own read-tree "${how[@]}" "$REPLY"; then rm -f "$records/rebasing" && fail 78 "cannot apply what others pushed to the files of the workspace"; fi
  own update-ref refs/workbench/head "$theirs" || fail 1 "cannot write to $ours"
  [[ $at != gone ]] || own update-ref refs/workbench/base "$theirs"
  known_tip "${at/gone/}"
  { ready || agents_repository; } && put_on_branch "$theirs"
  for parent in ${WB_MERGES/none/}; do printf "%s\n" "$parent"; done >"$repo/.git/MERGE_HEAD"
  [[ -s $repo/.git/MERGE_HEAD ]] || rm -f "$repo/.git/MERGE_HEAD"
  say base "$theirs"
  say tip "${at/gone/none}"
}
