#!/bin/bash
# shellcheck disable=SC2034,SC2154  # variables and functions that are not here are in workspace.sh and the parts that come before it
#
# Carries the recorded tree from the session of the agent into another one, where the agent never was, and checks it out there.
#
#   WB_WANT    the commits that the change is based on
#   WB_HAVE    those that the other session has from the remote
#   WB_USER    the number of the user that commands run as there; empty for the container's own
#   WB_GIVE    whether the clone is given to that user at once, since no change follows: yes or no
#   WB_LINK    the path of the agent's clone, which leads to the clone of the verification if nothing is there
#   WB_MADE    how a merge of the base into the run's branch was made: the commit that the branch was based on, the two parents, and the date
#
# The other session fetches the repository from the remote. The change arrives as a pack of what is not at the remote, and git names each
# object by its content, so that nothing that the agent's session says has to be believed: what does not have the id of the recorded
# tree is refused. All of this happens before any code of the change runs there.
#
# The workspace of a verification is on ephemeral disk. Our records there belong to the container's user, and the clone to another
# one, as whom commands run, so that the code under test cannot write to our records, or read those of jobs.

separate() { # Succeeds if commands can run as another user here, without getting any rights back
  ((EUID == 0)) && setpriv --reuid "$1" --regid "$1" --clear-groups --no-new-privs --inh-caps=-all true 2>/dev/null
}

has() { own cat-file -e "$1^{commit}" 2>/dev/null; }

wanted() { # Fetches commits, and adds those that the remote has to `have`
  local id depth=()
  [[ ! -e $ours/shallow ]] || depth=(--depth "$((WB_DEPTH > 1 ? WB_DEPTH : 1))")
  for id; do
    # Some remotes serve any commit by name, others only what their branches contain.
    has "$id" || own fetch --quiet --no-tags "${depth[@]+"${depth[@]}"}" -- "$WB_URL" "$id" \
      || own fetch --quiet --no-tags -- "$WB_URL" "+refs/heads/$WB_BRANCH:refs/workbench/theirs"
    if has "$id"; then have+="$id " && own update-ref "refs/workbench/there/$id" "$id"; fi
  done
}

fresh() { # Takes the workspace of a verification, with the newest files of the base, and reports which of the wanted commits the remote has
  local id have=""
  prepare
  # shellcheck disable=SC2086  # a list
  wanted $WB_WANT
  id=$(own rev-parse --verify "refs/workbench/upstream^{commit}") && have+=$id
  say have "$have"
  if [[ $WB_USER ]] && separate "$WB_USER"; then
    say separate yes
    [[ $WB_GIVE != yes ]] || { open_up && give; }
  fi
  if [[ $WB_LINK && -d ${WB_LINK%/*} && ! -e $WB_LINK ]]; then ln -s "$repo" "$WB_LINK"; fi
  return 0
}

made() { # Reports how the commit WB_BASE was made, if a run has updated its branch with it
  local from
  unlock
  from=$(own config --get "workbench.$WB_BASE.from") && say made "$from $(own log -1 --format="%P %ct" "$WB_BASE" --)"
  return 0
}

remake() { # Makes that merge again from what is at the remote, and reports the commit: if it is the same one, nothing of it is the agent's
  local from branch newest date have="" commit=none
  unlock
  read -r from branch newest date <<<"$WB_MADE"
  wanted "$from" "$branch" "$newest"
  if [[ $have == "$from $branch $newest " ]] && merged "$from^{tree}" "$branch^{tree}" "$newest^{tree}"; then
    commit=$(update_commit "$REPLY" "$branch" "$newest" "$date") || fail 1 "git cannot create the commit"
  fi
  say commit "$commit"
}

pack() { # Prints the recorded tree as a pack, without what the other session has
  local id commit bytes parent=() without=()
  unlock
  for id in $WB_HAVE; do
    has "$id" || continue
    ((${#parent[@]} > 0)) || parent=(-p "$id")
    without+=("^$id")
  done
  # As a commit, it is stored as its differences from the files of its parent.
  commit=$(
    export GIT_AUTHOR_NAME=$WB_NAME GIT_AUTHOR_EMAIL=$WB_EMAIL GIT_AUTHOR_DATE="@$WB_DATE +0000"
    export GIT_COMMITTER_NAME=$WB_NAME GIT_COMMITTER_EMAIL=$WB_EMAIL GIT_COMMITTER_DATE="@$WB_DATE +0000"
    own commit-tree -m "The recorded files" "${parent[@]+"${parent[@]}"}" "$WB_TREE"
  ) || fail 76 "the workspace has lost the tree $WB_TREE"
  printf "%s\n" "$commit" "${without[@]+"${without[@]}"}" | own pack-objects --revs --thin --stdout -q >"$records/pack" || fail 1 "git cannot pack the change"
  bytes=$(stat -c %s "$records/pack") || fail 1 "$records cannot be read"
  ((bytes <= WB_LIMIT)) || fail 82 "the change has $bytes bytes as a pack, and a verification takes at most $WB_LIMIT: raise \"maxPackSize\" of Verification.inFreshSession, or keep large files out of the change"
  cat "$records/pack" >&"$answer" || exit 1
  rm -f "$records/pack"
  say commit "$commit"
  say bytes "$bytes"
  known_tip_of_branch
}

known_tip_of_branch() { # Reports the commit of the branch at the remote that this workspace has last seen there
  local id
  id=$(own config --get "workbench.$WB_BRANCH.tip") && say tip "$id"
  return 0
}

open_up() { # Makes a home and caches for the user that commands run as, and hides the records of jobs from it
  local home
  {
    chmod 0711 "$records" && chmod 0700 "$records/jobs" \
      && mkdir -p "$WB_MOUNT"/{home,cache} && chown "$WB_USER:$WB_USER" "$WB_MOUNT"/{home,cache}
  } || fail 1 "cannot prepare $WB_MOUNT"
  # The image may have programs there.
  for home in ~ ~root; do [[ ! -d $home ]] || chmod o+x "$home"; done
}

give() { # Gives what is in the clone to the user that commands run as
  [[ ! $WB_USER ]] || find "$repo" ! -user "$WB_USER" -exec chown -h "$WB_USER:$WB_USER" {} +
}

unpack() { # Adds the pack that arrived to our repository. It must contain the recorded tree
  local i file=$records/pack
  if [[ ${WB_PACK-} ]]; then
    base64 -d <<<"$WB_PACK" >"$file" || fail 82 "the change did not arrive"
  else
    : >"$file"
    for ((i = 0; i < WB_PIECES; i++)); do cat "$records/piece-$i" >>"$file" || fail 82 "the change did not arrive"; done
  fi
  own index-pack --strict --fix-thin --stdin <"$file" >/dev/null || fail 82 "what the session of the agent sent is no valid pack"
  [[ $(own rev-parse --verify --quiet "$WB_COMMIT^{tree}") == "$WB_TREE" ]] || fail 82 "what the session of the agent sent is not the tree $WB_TREE"
  rm -f "$file" "$records"/piece-*
}

receive() { # Checks out the tree that arrived, or a commit of the remote, on the run's branch, and gives the clone to the user that commands run as
  local shallow="" default="" base="" filters=""
  unlock
  [[ ! $WB_TREE ]] || unpack
  if has "$WB_BASE"; then
    own read-tree "$WB_COMMIT" && judges && tell protected ${list[@]+"${list[@]}"}
    own read-tree refs/workbench/head
  else
    tell judging
    tell protected
  fi
  { own update-ref refs/workbench/head "$WB_COMMIT" && own read-tree --reset -u "$WB_COMMIT"; } || fail 82 "cannot write the files to $repo"
  if [[ $WB_USER ]]; then open_up && give; fi
  own update-index -q --refresh
  put_on_branch "$WB_COMMIT"
  [[ ! $WB_TIP ]] || own config --replace-all "workbench.$WB_BRANCH.tip" "$WB_TIP"
  # Object names prove it, whoever sent them, so that a publisher can rely on it.
  if [[ $WB_TIP ]] && own merge-base --is-ancestor "$WB_TIP" "$WB_BASE" 2>/dev/null; then say onto "$WB_TIP"; fi
  upstream
  submodules
  settled_times
  give
  say tree "$(own write-tree)"
}
