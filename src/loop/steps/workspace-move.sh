#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in the parts that come before it
#
# Determines what a run continues from in the workspace of an earlier one.
#
#   WB_UPDATE        whether the branch is updated with new commits of its base at the remote: yes or no
#   WB_ON_TOP        whether the branch of another task starts from that of the last one instead of from the base: yes or no
#   WB_SUBMODULES    whether submodules are initialized: yes or no
#   WB_DATE          the date of the commits that are made here, in seconds since the epoch
#
# In our repository:
#
#   refs/workbench/upstream           the base at the remote, as it was last fetched
#   refs/workbench/base               the commit of the base that the branch is based on
#   refs/workbench/{heads,bases}/...  the commits of other tasks' branches, and the commits that those are based on
#   refs/workbench/works/...          what was not committed when another task started, as a commit on top of the branch
#   workbench.<commit>.from           the commit of the base that the branch was based on before it was updated with that commit
#
#   <mount>/.workbench/branch         the branch that the clone is on
#   <mount>/.workbench/moving         the files are being changed to another tree, which a repeat resumes; moved: they have been
#   <mount>/.workbench/taken          the newest commit of the base that the agent itself has merged

: "${WB_UPDATE:=no}" "${WB_ON_TOP:=no}" "${WB_SUBMODULES:=no}" "${WB_DATE:=0}"

commit_() { # Makes a commit of a tree; takes the arguments of commit-tree
  GIT_AUTHOR_NAME=$WB_NAME GIT_AUTHOR_EMAIL=$WB_EMAIL GIT_AUTHOR_DATE="@$WB_DATE +0000" \
    GIT_COMMITTER_NAME=$WB_NAME GIT_COMMITTER_EMAIL=$WB_EMAIL GIT_COMMITTER_DATE="@$WB_DATE +0000" own commit-tree "$@"
}

set_aside() { # Sets aside what the clone has of another task's branch, until a run of that task returns
  local commit work="delete refs/workbench/works/$from"
  if [[ $now != "$(own rev-parse "$head^{tree}")" ]]; then
    commit=$(commit_ "$now" -p "$head" -m "Uncommitted changes on $from") || return
    work="update refs/workbench/works/$from $commit"
  fi
  printf "%s\n" "update refs/workbench/heads/$from $head" "update refs/workbench/bases/$from $base" "$work" | own update-ref --stdin || return
  ! ready || agents update-ref "refs/workbench/heads/$from" HEAD # with commits that the agent has made there by itself
  return 0
}

conflict() { # Fails with what `merged` returned as the reason not to update
  local name=${WB_REF:-the default branch}
  (($1 == 1)) || fail 76 "\"session.update\": git cannot merge $name: $REPLY"
  fail 76 "\"session.update\": new commits of $name conflict with the work in the workspace, and nothing was changed: ${REPLY//$newline/; }: omit \"session.update\", and let the agent merge origin/${WB_REF:-HEAD}"
}

update() { # Updates the branch and the files with what is new in the base, or changes nothing at all
  local next
  [[ $base != "$newest" ]] || return 0
  if own merge-base --is-ancestor "$newest" "$head" 2>/dev/null; then
    base=$newest
    return
  fi
  updated=$base
  if [[ $head == "$base" ]] || own merge-base --is-ancestor "$head" "$newest" 2>/dev/null; then
    next=$newest
  else
    # Only what the branch itself changed counts, so that it does not bring back what others have reverted.
    merged "$base^{tree}" "$head^{tree}" "$newest^{tree}" || conflict $?
    { next=$(update_commit "$REPLY" "$head" "$newest" "$WB_DATE") && own config --replace-all "workbench.$next.from" "$base"; } || fail 1 "git cannot create the commit"
  fi
  merged "$head^{tree}" "$next^{tree}" "$tree" || conflict $?
  tree=$REPLY head=$next base=$newest
}

go_on() { # Continues with the branch of this run, from what is in the workspace and was recorded
  local from head base tree now newest updated="" before kept
  {
    plain "$records/branch" && from=$REPLY && head=$(own rev-parse --verify refs/workbench/head) && base=$(own rev-parse --verify refs/workbench/base) \
      && newest=$(own rev-parse --verify "refs/workbench/upstream^{commit}")
  } || fail 76 "the workspace has lost its records"
  [[ $from != "$WB_BRANCH" || $WB_UPDATE == yes ]] || return 0
  now=$(own write-tree) || fail 1 "git cannot write the tree"
  tree=$now before="$head $base $now"
  if [[ $from != "$WB_BRANCH" ]]; then
    set_aside || fail 1 "cannot set aside the uncommitted changes on $from"
    if kept=$(own rev-parse --verify --quiet "refs/workbench/heads/$WB_BRANCH"); then
      head=$kept
      base=$(own rev-parse --verify "refs/workbench/bases/$WB_BRANCH") || fail 76 "the workspace has lost its records"
      tree=$(own rev-parse --verify --quiet "refs/workbench/works/$WB_BRANCH^{tree}") || tree=""
    else
      [[ $WB_ON_TOP == yes ]] || head=$newest base=$newest
      tree=""
    fi
    [[ $tree ]] || tree=$(own rev-parse "$head^{tree}")
  fi
  [[ $WB_UPDATE != yes ]] || update
  [[ "$from $before" != "$WB_BRANCH $head $base $tree" ]] || return 0
  submodules_follow
  { printf "%s\n" "$WB_RUN $head $base $tree $WB_BRANCH $now $from ${updated:-none}" >"$records/moving.new" && mv -f "$records/moving.new" "$records/moving"; } || fail 1 "cannot write to $records"
  arrive -m || fail 76 "cannot change the files of the workspace to $head, and nothing was changed: use another session"
}

submodules_follow() { # Fails if a submodule would stay at its commit, which would then be a change of this run's
  local i list path
  listed own diff-files --name-only -z --ignore-submodules=untracked --diff-filter=M || fail 1 "git cannot read the submodules"
  ((${#list[@]} == 0)) || fail 76 "a submodule has uncommitted changes: ${list[*]}: continue the task of $from without \"session.update\", or use another session"
  listed own diff-tree -r --raw --no-renames -z "$now" "$tree" || fail 1 "git cannot compare the files"
  for ((i = 0; i < ${#list[@]}; i += 2)); do
    path=${list[i + 1]}
    [[ ${list[i]} == ":160000 "* && -e $repo/$path/.git ]] || continue
    [[ ${list[i]} == ":160000 160000 "* && $WB_SUBMODULES == yes ]] || fail 76 "the submodule $path would have to move to another commit: continue the task of $from without \"session.update\", or use another session"
    : >"$records/initializing"
  done
}

arrive() { # Brings the workspace to where `moving` says, if it is there; with -m for the first time, otherwise again
  local run head base tree branch now from updated list path there=() kept i mode id
  { read -r run head base tree branch now from updated <"$records/moving"; } 2>/dev/null || return 0
  local WB_BRANCH=$branch # which an earlier run may have been on its way to
  mkdir -p "$repo"
  if (($# > 0)); then
    listed own diff-tree -r --name-only --no-renames --diff-filter=A -z "$now" "$tree" || return
    for path in ${list[@]+"${list[@]}"}; do [[ ! -e $repo/$path && ! -L $repo/$path ]] || there+=("$path"); done
    # Git ignored these, or the bootstrap made them.
    keep in-the-way ${there[@]+"${there[@]}"} || return
    if ((${#there[@]} > 0)); then aside "$records/left/in-the-way" "${there[@]}" || return; fi
    own read-tree -m -u "$now" "$tree" || { rm -f "$records/moving" && return 1; }
  else
    # The files of an earlier attempt belong to neither tree.
    own read-tree --reset -u "$tree" || return
  fi
  stands_on "$head" "$base" "$branch" || return
  if ready; then
    # The move ends whatever the agent had begun there.
    rm -rf "$repo/.git"/{MERGE_HEAD,MERGE_MSG,MERGE_MODE,CHERRY_PICK_HEAD,REVERT_HEAD,rebase-merge,rebase-apply,sequencer}
    # Commits that the agent of an earlier run itself made there are kept.
    kept=$(agents rev-parse --verify --quiet "refs/workbench/heads/$branch") && [[ $from != "$branch" ]] && agents merge-base --is-ancestor "$head" "$kept" 2>/dev/null || kept=$head
    put_on_branch "$kept"
    # A submodule that the task has moved is brought to the commit in the clone's index.
    listed own diff-tree -r --raw --no-abbrev --no-renames -z "$head" "$tree" || return
    for ((i = 0; i < ${#list[@]}; i += 2)); do
      read -r _ mode _ id _ <<<"${list[i]}"
      [[ $mode != 160000 ]] || agents_index update-index --add --cacheinfo "160000,$id,${list[i + 1]}" || return
    done
  fi
  mv -f "$records/moving" "$records/moved"
}

move() { # Moves the workspace to the branch of this run, or to what is new in its base
  local run head base tree branch now from updated list=()
  local -A known=()
  unlock
  arrive || fail 76 "cannot write the files to $repo"
  go_on
  settle "$(own rev-parse --verify refs/workbench/head)"
  # An earlier attempt may have done the move.
  if { read -r run head base tree branch now from updated <"$records/moved"; } 2>/dev/null && [[ $run == "$WB_RUN" ]]; then
    [[ $updated == none ]] || say updated-from "$updated"
    kept in-the-way
    if [[ $from != "$branch" ]]; then
      say came-from "$from"
      if own rev-parse --verify --quiet "refs/workbench/works/$from" >/dev/null; then
        listed own diff-tree -r --name-only -z "refs/workbench/works/$from^" "refs/workbench/works/$from" || fail 1 "git cannot list the changes that were set aside"
      fi
    fi
  fi
  tell aside ${list[@]+"${list[@]}"}
  list=(${known[@]+"${!known[@]}"})
  tell in-the-way ${list[@]+"${list[@]#/}"}
}
