#!/bin/bash
# shellcheck disable=SC2154  # the arguments become variables by name, in `arguments`
#
# Runs one command in an AgentCore session at most once, and follows it. Sent as `/bin/bash -c '<this>' workbench name=value …`.
#
# A job is a directory, <mount>/.workbench/jobs/<job>, and whoever makes the directory starts the command. All other calls
# attach. So a call may be cut off, repeated or sent twice, and the command still runs once. In the directory:
#
#   command     the shell line, as it was given
#   boot        which microVM it runs in: the kernel's boot id and a random id on ephemeral disk (two snapshot-booted
#               microVMs may share the first, never the second)
#   pid         the supervisor: pid and start time, so that a recycled pid is not mistaken for it
#   go          made by whoever comes first: the supervisor that starts the command, or a call that gives the start up
#   group       the command's process group
#   log, log.N  both outputs in segments, N being the offset of the first byte; the first and the newest ones are kept
#   cancelled   a call asked for the end
#   absent      it was asked for when it was not there, and is not started any more
#   exit        written once, by rename, when all is over: state, exit code, begin, end, bytes of output. Its room is taken at the
#               start, as exit.new, since the command may leave none
#
#   /tmp/.workbench-jobs<mount>/<job> says the same on ephemeral disk, so that a wiped workspace does not start it a second time
#
#   (no directory) --start--> starting --go--> running --> exit            EXITED, TIMED_OUT or CANCELLED
#                                |                |
#                                +-- nobody comes +-- supervisor or microVM gone, no exit file   --> LOST
#
# The supervisor is a process group of its own that writes to nothing of the call that started it, but for one byte that
# wakes the call up at the end. The call then does what every call does: it copies the log to its standard output until the
# job ends, its budget is used up or enough is sent. It looks often, and a process costs more than a look: what bash can
# do by itself is not asked of a program.
#
# Standard output is lines. `@` begins a record; the lines after `@out` are base64, so that no output of a command can
# look like a record and no byte is changed on its way:
#
#   @job <nonce> <job> started|attached
#   @out <offset> <bytes>
#   @alive                 nothing new for 20 s; keeps the connection from being dropped as idle
#   @end <nonce> <job> <state> <detail> <exit code> <begin> <end> <bytes>
#
# States of @end besides those of the exit file: RUNNING (attach again), LOST (microvm, supervisor, unstarted, absent,
# workspace) and REFUSED (bad call, nothing was done). A call without an @end has proven nothing.
#
# The mount may lack FIFOs, sockets, hard links, extended attributes and locks: none is used there. Needs bash and the
# commands base64 cat dd head ln mkdir mv rm sleep stat tail, of coreutils or busybox.

set -u
umask 022

mode=start mount="" job="" nonce=- command="" encoding=plain cwd=/ input=/dev/null timeout=300 grace=10
budget=60 offset=0 part=6291456 quota=67108864 marker="" wake=""
environment=()

finish() { # state, detail, exit code, begin, end, bytes
  printf "@end %s %s %s %s %s %s %s %s\n" "$nonce" "${job:--}" "$1" "${2:--}" "${3:--}" "${4:--}" "${5:--}" "${6:--}"
  exit 0
}

refuse() {
  printf "%s\n" "$2" >&2
  finish REFUSED "$1"
}

arguments() {
  local argument
  for argument; do
    case ${argument%%=*} in
      env) environment+=("${argument#env=}") ;;
      mode | mount | job | nonce | command | encoding | cwd | input | timeout | grace | budget | offset | part | quota | marker)
        printf -v "${argument%%=*}" "%s" "${argument#*=}" ;;
      *) refuse argument "unknown argument ${argument%%=*}" ;;
    esac
  done
}

process() { # sets `fields` from the state on, as proc(5) lists them; fails if the process is gone or a zombie
  local line=""
  { IFS= read -r -d "" line <"/proc/$1/stat"; } 2>/dev/null
  read -ra fields <<<"${line##*) }"
  [[ ${fields[0]:-Z} != [ZX] ]]
}

started_at() { # the kernel's start time of a process; fails if it is gone or a zombie
  local fields
  process "$1" && REPLY=${fields[19]}
}

this_boot() {
  local mine=/tmp/.workbench-microvm id=""
  if [[ ! -s $mine ]]; then
    id=$mine.$$.$RANDOM
    # A hard link is the one way to make a file with its content, once, whoever else tries.
    cat /proc/sys/kernel/random/uuid >"$id" 2>/dev/null && ln "$id" "$mine" 2>/dev/null
    rm -f "$id"
  fi
  first_line /proc/sys/kernel/random/boot_id && id=$REPLY
  first_line "$mine"
  REPLY="$id $REPLY"
}

first_line() { # of a file; nothing if it is not there
  REPLY=""
  { IFS= read -r REPLY <"$1"; } 2>/dev/null
  return 0
}

pause() { # so many seconds, or until the supervisor has something to say
  if [[ $wake ]]; then IFS= read -r -t "$1" -N 1 -u "$wake" _; else sleep "$1"; fi
}

group_lives() { # zombies do not count: the container's first process may never reap them
  local entry fields
  kill -0 -- "-$1" 2>/dev/null || return 1
  for entry in /proc/[0-9]*; do
    process "${entry##*/}" && ((fields[2] == $1)) && return 0
  done
  return 1
}

end_strays() { # whoever of the job left its process group, or outlived its records
  local entry pair
  for entry in /proc/[0-9]*/environ; do
    while IFS= read -r -d "" pair; do
      [[ $pair == "WORKBENCH_JOB=$job" ]] && kill -KILL "${entry//[!0-9]/}"
    done <"$entry"
  done 2>/dev/null
}

end_group() { # TERM, then KILL
  local i
  kill -TERM -- "-$1" 2>/dev/null
  for ((i = 0; i < grace * 20; i++)); do
    group_lives "$1" || break
    sleep 0.05
  done
  kill -KILL -- "-$1" 2>/dev/null
  end_strays
}

write_log() { # standard input into segments; never lets the command block or break on a full disk
  local segment=$dir/log start=0 size last=0 middle=() counts
  trap "" HUP INT TERM
  : >"$segment"
  # Of the copying commands only dd writes each piece as soon as it has read it and can be told when to end.
  while counts=$(dd bs=65536 count=16 2>&1 >>"$segment"); do
    # "3+1 records in", whole ones and others: fewer than it might have read are the end.
    if [[ $counts =~ ^([0-9]+)\+([0-9]+)" " ]] && ((BASH_REMATCH[1] + BASH_REMATCH[2] < 16)); then return 0; fi
    size=$(stat -c %s "$segment")
    ((size == last)) && return 0
    last=$size
    ((size < part)) && continue
    start=$((start + size)) last=0
    segment=$dir/log.$start
    : >"$segment"
    middle+=("$segment")
    if ((${#middle[@]} > 3)); then
      rm -f "${middle[0]}"
      middle=("${middle[@]:1}")
    fi
  done
  cat >/dev/null
}

run_command() {
  local pair
  for pair in ${environment[@]+"${environment[@]}"}; do export "${pair?}"; done
  export WORKBENCH_JOB=$job
  cd -- "$cwd" || exit 126
  if [[ $wake ]]; then exec {wake}>&-; fi
  exec /bin/bash -c "$command"
}

log_end() { # the log's size, counting what is no longer kept
  local segment size=0
  REPLY=0
  for segment in "$dir"/log "$dir"/log.*; do
    [[ -s $segment ]] || continue
    size=$(stat -c %s "$segment" 2>/dev/null) || continue
    [[ $segment == "$dir/log" ]] || size=$((size + ${segment##*.}))
    ((size > REPLY)) && REPLY=$size
  done
}

supervise() {
  local begin end code state=EXITED group dog writer i
  trap "" HUP
  set -m
  started_at "$BASHPID"
  printf "%s %s\n" "$BASHPID" "$REPLY" >"$dir/pid.new" && mv "$dir/pid.new" "$dir/pid"
  mkdir "$dir/go" || exit 0
  printf -v begin "%(%s)T" -1
  exec 3> >(write_log)
  writer=$!
  exec 4</dev/fd/3
  run_command <"$input" >&3 2>&1 3>&- 4<&- &
  group=$!
  exec 3>&-
  printf "%s\n" "$group" >"$dir/group"
  [[ ! -e $dir/cancelled ]] || end_group "$group"
  # Whether the timeout has struck is told by a pipe: on a full disk there may be no file to tell it.
  exec 5<> <(:)
  { sleep "$timeout" && { printf . >&5; end_group "$group"; }; } &
  dog=$!
  # A stopped command ends `wait` as well; it has not ended.
  while wait "$group"; code=$?; started_at "$group"; do sleep 1; done
  if read -r -t 0 -u 5; then
    state=TIMED_OUT
    wait "$dog"
  else
    kill -KILL -- "-$dog"
    [[ ! -e $dir/cancelled ]] || state=CANCELLED
  fi
  # What the command started in the background may hold its output open for ever, or even write; what it wrote itself is in
  # the pipe, and on a busy machine it may take time to get from there into the log.
  SECONDS=0
  for ((i = 0; i < 100 && SECONDS < 20; i++)); do
    kill -0 "$writer" || break
    if read -r -t 0 -u 4; then i=0; fi
    pause 0.02
  done
  printf -v end "%(%s)T" -1
  log_end
  # Records that were wiped are not begun anew by their end.
  [[ -e $dir/pid ]] || exit 0
  printf "%-63s\n" "$state $code $begin $end $REPLY" 1<>"$dir/exit.new" && mv "$dir/exit.new" "$dir/exit"
  if [[ $wake ]]; then printf . >&"$wake"; fi
}

alive() { # 0: the supervisor runs; 1: it is gone; 2: it has not come up yet
  local pid since
  { read -r pid since <"$dir/pid"; } 2>/dev/null || return 2
  started_at "$pid" && [[ $REPLY == "$since" ]]
}

segment_of() { # the segment that holds the offset, or the next one that is still kept
  local file start best=-1 next=-1
  for file in "$dir"/log "$dir"/log.*; do
    [[ -e $file ]] || continue
    start=0
    [[ $file == "$dir/log" ]] || start=${file##*.}
    if ((start <= offset)); then ((start > best)) && best=$start; else ((next < 0 || start < next)) && next=$start; fi
  done
  ((best >= 0)) || return 1
  base=$best following=$next
}

emit() { # copies what the log has beyond the offset
  local base following size count file last
  while ((sent < quota)) && segment_of; do
    file=$dir/log
    ((base > 0)) && file=$dir/log.$base
    # Nothing was written yet: the most frequent case.
    if ((offset == 0 && following < 0)) && [[ ! -s $file ]]; then return 0; fi
    size=$(stat -c %s "$file" 2>/dev/null) || continue
    count=$((base + size - offset))
    if ((count <= 0)); then
      # The end of a segment is final once there is a next one; a gap is what was not kept.
      ((following > 0)) || return 0
      offset=$following
      continue
    fi
    last=no
    if ((count > 4194304)); then count=4194304; elif ((following < 0)); then last=yes; fi
    printf "@out %s %s\n" "$offset" "$count"
    tail -c "+$((offset - base + 1))" "$file" | head -c "$count" | base64
    offset=$((offset + count)) sent=$((sent + count))
    [[ $last == no ]] || return 0
  done
}

gone() { # its place is taken, so that it does not begin later, and what is left of it ended, so that it disturbs nobody
  mkdir -p "${dir%/*}" && mkdir "$dir" 2>/dev/null || return 0
  : >"$dir/absent"
  end_strays
  finish LOST absent
}

leave() { # a reply must not get larger: whoever wants the rest attaches. The call that started the job stays with it without a
  # word, since the service may end what a call leaves behind
  printf "@end %s %s RUNNING quota - - - -\n" "$nonce" "$job"
  while [[ $attached == started && ! -e $dir/exit ]] && ((SECONDS < budget)) && alive; do pause 1; done
  exit 0
}

report() { # the exit file's words are the end record's
  local state code begin end bytes
  read -r state code begin end bytes <"$dir/exit"
  emit
  # Records that were wiped meanwhile were not told to their end.
  [[ -e $dir/exit ]] || finish LOST workspace
  ((sent < quota)) || leave
  finish "$state" - "$code" "$begin" "$end" "$bytes"
}

follow() {
  local seconds=0.01 before misses=0 said=$SECONDS
  while :; do
    [[ ! -e $dir/exit ]] || report
    before=$sent
    emit
    ((sent < quota)) || leave
    alive
    case $? in
      1)
        [[ ! -e $dir/exit ]] || report
        emit
        finish LOST supervisor
        ;;
      2)
        [[ -d $dir ]] || gone
        # The starter is between two steps, or died there. Whoever makes `go` decides; a supervisor does so after `pid`.
        if ((++misses > 50)); then
          # One try more or less may meet a wipe; so many have met a full disk.
          [[ -d $dir ]] || refuse mount "no directory can be made in $mount"
          mkdir "$dir/go" 2>/dev/null
        fi
        if [[ -e $dir/go && ! -e $dir/pid ]]; then finish LOST unstarted; fi
        ;;
    esac
    ((SECONDS < budget)) || finish RUNNING budget
    if ((sent > before)); then
      seconds=0.01 said=$SECONDS
    else
      ((SECONDS - said < 20)) || { echo "@alive" && said=$SECONDS; }
      case $seconds in 0.01) seconds=0.02 ;; 0.02) seconds=0.05 ;; 0.05) seconds=0.1 ;; *) seconds=0.2 ;; esac
    fi
    pause "$seconds"
  done
}

main() {
  local dir boot attached=attached group sent=0
  arguments "$@"
  [[ $job && $mount ]] || refuse argument "job and mount are needed"
  # Both ends of a pipe, so that it breaks for nobody.
  exec {wake}<> <(:) || wake=""
  [[ -d $mount && -w $mount ]] || refuse mount "the mount $mount is not there, or cannot be written"
  if [[ $marker ]] && first_line "$mount/.workbench/marker" && [[ $REPLY != "$marker" ]]; then finish LOST workspace; fi
  [[ $encoding == plain ]] || command=$(base64 -d <<<"$command") || refuse argument "the command cannot be decoded"
  dir=$mount/.workbench/jobs/$job
  this_boot
  boot=$REPLY
  if [[ $mode == start ]]; then
    [[ -d ${dir%/*} ]] || mkdir -p "${dir%/*}" || refuse mount "no directory can be made in $mount"
    if mkdir "$dir" 2>/dev/null; then
      [[ ! -d /tmp/.workbench-jobs$mount/$job ]] || { rmdir "$dir" && gone; }
      mkdir -p "/tmp/.workbench-jobs$mount/$job" 2>/dev/null
      attached=started
      { printf "%s\n" "$boot" >"$dir/boot" && printf "%s\n" "$command" >"$dir/command" && printf "%63s\n" "" >"$dir/exit.new"; } || refuse mount "$mount is full"
      set -m
      supervise </dev/null >/dev/null 2>"$dir/supervisor" &
      set +m
    fi
  fi
  [[ -d $dir ]] || gone
  [[ ! -e $dir/absent ]] || finish LOST absent
  printf "@job %s %s %s\n" "$nonce" "$job" "$attached"
  if [[ ! -e $dir/exit && -s $dir/boot ]] && first_line "$dir/boot" && [[ $REPLY != "$boot" ]]; then
    emit
    finish LOST microvm
  fi
  if [[ $mode == cancel && ! -e $dir/exit ]]; then
    : >"$dir/cancelled"
    { read -r group <"$dir/group"; } 2>/dev/null && end_group "$group"
  fi
  follow
}

main "$@"
