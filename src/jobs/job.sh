#!/bin/bash
# shellcheck disable=SC2154  # the arguments become variables by name, in `arguments`
#
# Runs one command in an AgentCore session at most once, and follows it. Sent as `/bin/bash -c '<this>' workbench name=value …`.
# It contains no apostrophe, because the service may not join quoted parts of a word. For the same reason, a value that contains one
# is passed as `name:base64=…`.
#
# A job is a directory, <mount>/.workbench/jobs/<job>, and the call that creates the directory starts the command. All other calls
# attach. Thus a call may be cut off, repeated or sent twice, and the command still runs once. In the directory:
#
#   command     the shell line, as it was given
#   boot        which microVM it runs in: the kernel's boot id and a random id on ephemeral disk (two snapshot-booted
#               microVMs may share the first, never the second)
#   pid         the supervisor: pid and start time, so that a recycled pid is not mistaken for it
#   go          created once, by the supervisor that starts the command, or by a call that abandons the start
#   group       the command's process group, for people
#   log, log.N  both outputs in segments, N being the offset of the first byte; the first and the newest ones are kept
#   cancelled   a call asked to end the job
#   absent      a call asked for the job when it did not exist, so it is no longer started
#   exit        blank until the job has ended, then one line, written at once into space that was reserved at the start, since the command
#               may leave none: state, exit code, start, end, bytes of output
#
#   /tmp/.workbench-jobs<mount>/<job> records the same on ephemeral disk, so that a wiped workspace does not start it a second time
#
#   (no directory) --start--> starting --go--> running --> exit            EXITED, TIMED_OUT or CANCELLED
#                                |                |
#                                +-- nobody comes +-- supervisor or microVM gone, no exit file   --> LOST
#
# The supervisor is a process group of its own that writes nothing to the call that started it, except one byte that
# wakes the call up at the end. The call then does what every call does: it copies the log to its standard output until the
# job ends, its budget is used up or enough is sent. It polls often, and a process costs more than a poll: what bash can
# do itself is not left to a program.
#
# Standard output consists of lines. `@` begins a record; the lines after `@out` are base64, so that no output of a command can
# look like a record and no byte is changed on the way:
#
#   @job <nonce> <job> started|attached
#   @out <offset> <bytes>
#   @alive                 nothing new for 20 s; keeps the connection from being dropped as idle
#   @end <nonce> <job> <state> <detail> <exit code> <start> <end> <bytes>
#
# States of @end besides those of the exit file: RUNNING (attach again), LOST (microvm, supervisor, unstarted, absent, workspace)
# and REFUSED (argument, mount: nothing was done; tools: the log cannot be read with the available programs). A call without an @end proves nothing.
#
# Time: the supervisor is the watchdog. It exists before the command, counts by the kernel's uptime, which no change of the
# date affects, and from the start of the command to its end uses only what bash can do itself: no program that could be
# killed, replaced or missing, and no new process, for which there may be no room. A command that is not over by its timeout is
# TIMED_OUT, even if it was stopped, or ends by itself while it is being ended. It gets TERM first, and KILL after the grace period.
#
# When a command ends, so does everything that it started. What left its process group is recognized by a mark that survives a new session and an
# empty environment: the soft limit of file locks (ulimit -x), which the kernel does not apply and every child inherits, is set to
# a number derived from the mount and the job. If the limit cannot be set, the variable WORKBENCH_JOB is the mark. What a command
# leaves behind has a second to exit and one more after TERM, and is then killed. Where a command has a user of its own, so does
# whatever that user has started since, because a mark can be removed. Processes without a mark are left alone: the
# container's own processes, and what they started.
#
# All of this protects against mistakes and accidents. A malicious command has the same rights as the supervisor: a supervisor that was
# stopped is continued by the calls that follow it, and one that was killed makes the job LOST and the next call end what it
# left; but marks can be removed and records can be forged. So the driver has its own clock, and cancels jobs that exceed their time.
#
# Numbers that come from files, their names or programs are checked before they are used in arithmetic, in which bash runs
# whatever it finds in them.
#
# The mount may lack FIFOs, sockets, hard links, extended attributes and locks: none is used there. Requires bash and the
# commands base64 cat dd head ln mkdir mv rm sleep stat tail, of coreutils or busybox.

set -u
umask 022

mode=start mount="" job="" nonce=- command="" cwd=/ input=/dev/null user="" timeout=300 grace=10
budget=60 offset=0 part=6291456 quota=67108864 marker="" wake=""
environment=()

finish() { # Prints the end record and exits: state, detail, exit code, begin, end, bytes
  printf "@end %s %s %s %s %s %s %s %s\n" "$nonce" "${job:--}" "$1" "${2:--}" "${3:--}" "${4:--}" "${5:--}" "${6:--}"
  exit 0
}

refuse() {
  printf "%s\n" "$2" >&2
  finish REFUSED "$1"
}

arguments() {
  local argument name value
  for argument; do
    name=${argument%%=*} value=${argument#*=}
    if [[ $name == *:base64 ]]; then
      name=${name%:base64}
      # One more character, since newlines at the end would be lost.
      value=$(printf "%s" "$value" | base64 -d && printf .) || refuse argument "cannot decode $name"
      value=${value%.}
    fi
    case $name in
      env) environment+=("$value") ;;
      mode | mount | job | nonce | command | cwd | input | user | timeout | grace | budget | offset | part | quota | marker)
        printf -v "$name" "%s" "$value" ;;
      *) refuse argument "unknown argument $name" ;;
    esac
  done
}

process() { # Sets `fields` to the fields in proc(5) from the state on; fails if the process is gone or a zombie
  local line=""
  { IFS= read -r -d "" line <"/proc/$1/stat"; } 2>/dev/null
  # They are letters and numbers. A here-document would be read byte by byte.
  # shellcheck disable=SC2206
  fields=(${line##*) })
  [[ ${fields[0]:-Z} != [ZX] ]]
}

started_at() { # Returns in REPLY the kernel's start time of a process; fails if it is gone or a zombie
  local fields
  process "$1" && REPLY=${fields[19]}
}

this_boot() {
  local mine=/tmp/.workbench-microvm id=""
  if [[ ! -s $mine ]]; then
    id=$mine.$$.$RANDOM
    # Only a hard link creates a file with its content, and only once, even if others try at the same time.
    cat /proc/sys/kernel/random/uuid >"$id" 2>/dev/null && ln "$id" "$mine" 2>/dev/null
    rm -f "$id"
  fi
  first_line /proc/sys/kernel/random/boot_id && id=$REPLY
  first_line "$mine"
  REPLY="$id $REPLY"
}

first_line() { # Returns in REPLY the first line of a file, or nothing if it is not there
  REPLY=""
  # Only regular files are read, since opening a FIFO waits forever.
  [[ ! -f $1 ]] || { IFS= read -r -n 4096 REPLY <"$1"; } 2>/dev/null
  return 0
}

pause() { # Waits for $1 seconds, or until the supervisor wakes it
  if [[ $wake ]]; then IFS= read -r -t "$1" -N 1 -u "$wake" _; else sleep "$1"; fi
}

clock() { # Returns in REPLY the hundredths of a second since the kernel started, whatever the date is set to
  local up=""
  { read -r up _ </proc/uptime; } 2>/dev/null
  [[ $up =~ ^([0-9]+)\.([0-9][0-9])$ ]] && REPLY=$((10#${BASH_REMATCH[1]}${BASH_REMATCH[2]}))
}

mark_of() { # Sets `mark` to a number that identifies this job
  local i code text=$mount/$job
  mark=0
  for ((i = 0; i < ${#text}; i++)); do
    printf -v code "%d" "\"${text:i:1}"
    mark=$(((mark * 31 + code) & 0xFFFFFFFFFFFF))
  done
  mark=$((mark + (1 << 50)))
}

of_job() { # Succeeds if a process is alive and belongs to the job; sets `fields`
  local text="" pair
  process "$1" || return 1
  # This skips most other processes, which are older.
  ((fields[19] >= oldest)) || return 1
  ((group == 0 || fields[2] != group)) || return 0
  if [[ $user ]]; then
    { IFS= read -r -d "" text <"/proc/$1/status"; } 2>/dev/null
    [[ $text != *Uid:*([[:space:]])"$user"[[:space:]]* ]] || return 0
    text=""
  fi
  { IFS= read -r -d "" text <"/proc/$1/limits"; } 2>/dev/null
  [[ $text != *"Max file locks "*([ ])"$mark "* ]] || return 0
  # A process with another mark belongs to another job, whatever its name.
  [[ $text == *"Max file locks "*([ ])unlimited* || $text != *"Max file locks"* ]] || return 1
  while IFS= read -r -d "" pair; do
    [[ $pair != "WORKBENCH_JOB=$job" ]] || return 0
  done 2>/dev/null <"/proc/$1/environ"
  return 1
}

signal_job() { # Sends a signal to the job's live processes; a second argument leaves out stopped ones. Fails if there was none
  local entry fields found=1
  ((group == 0)) || kill "-$1" -- "-$group"
  for entry in /proc/[0-9]*; do
    entry=${entry##*/}
    [[ $entry != "$BASHPID" ]] && of_job "$entry" && [[ ! ${2-} || ${fields[0]} != [Tt] ]] && kill "-$1" "$entry" && found=0
  done
  return "$found"
} 2>/dev/null

wait_for_job() { # Waits up to $1 hundredths of a second for the job to end; fails if a process of it is still alive
  local until
  clock || return 1
  until=$((REPLY + $1))
  while signal_job 0; do
    clock && ((REPLY < until)) || return 1
    pause 0.05
  done
}

end_job() { # Ends the job, with $1 hundredths of a second between TERM and KILL. Creates no process: there may be room for none
  local i pass
  if (($1 > 0)); then
    signal_job TERM || return 0
    # A stopped process reacts to nothing else.
    signal_job CONT
    wait_for_job "$1" && return
  fi
  for ((i = 0; i < 10; i++)); do
    # Processes that multiply faster than they can be killed are stopped first.
    for ((pass = 0; pass < 20; pass++)); do signal_job STOP running || break; done
    signal_job KILL || return 0
    wait_for_job 50 && return
  done
}

size_of() { # Returns in REPLY the size of a file in bytes; fails if it cannot be determined
  REPLY=""
  read -r -t 10 REPLY < <(exec stat -c %s "$1" 2>/dev/null)
  [[ $REPLY =~ ^(0|[1-9][0-9]{0,14})$ ]]
}

start_of() { # Returns in REPLY the offset in a segment's name; fails if the name is not one of ours
  REPLY=0
  [[ $1 == "$dir/log" ]] && return
  REPLY=${1##*/log.}
  [[ $REPLY =~ ^[1-9][0-9]{0,14}$ ]]
}

write_log() { # Writes standard input to segments; never lets the command block or break on a full disk
  local segment=$dir/log start=0 size middle=() counts
  trap "" HUP INT TERM
  : >"$segment"
  # Of the commands that copy, only dd writes each piece as soon as it has read it and can be told when to end.
  while :; do
    counts=$(dd bs=65536 count=16 2>&1 >>"$segment")
    case $? in 0) ;; 129 | 1[3-9]? | 2??) continue ;; *) break ;; esac # by a signal: somebody may mean every dd
    # "3+1 records in" are whole and partial ones: if there are fewer than it might have read, that is the end.
    # A warning may precede them.
    [[ $counts =~ (^|[^0-9])([0-9]{1,2})\+([0-9]{1,2})" " ]] || break
    ((10#${BASH_REMATCH[2]} + 10#${BASH_REMATCH[3]} == 16)) || return 0
    size_of "$segment" || break
    size=$REPLY
    ((size < part)) && continue
    start=$((start + size))
    segment=$dir/log.$start
    : >"$segment"
    middle+=("$segment")
    if ((${#middle[@]} > 3)); then
      rm -f "${middle[0]}"
      middle=("${middle[@]:1}")
    fi
  done
  cat >/dev/null || while IFS= read -r -n 4096 _; do :; done
}

run_command() {
  local pair
  for pair in ${environment[@]+"${environment[@]}"}; do export "${pair?}"; done
  export WORKBENCH_JOB=$job
  cd -- "$cwd" || exit 126
  exec {wake}>&-
  if [[ $call ]]; then exec {call}>&-; fi
  ulimit -S -x "$mark" 2>/dev/null
  # Another user can neither read nor forge the records of jobs, and gets no rights back through a program that has them.
  [[ ! $user ]] || exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --inh-caps=-all /bin/bash -c "$command"
  exec /bin/bash -c "$command"
}

log_end() { # Sets `bytes` to the size of the log, including what is no longer kept
  local segment size
  for segment in "$dir"/log "$dir"/log.*; do
    if ! [[ -s $segment ]] || ! start_of "$segment"; then continue; fi
    size=$REPLY
    size_of "$segment" || continue
    size=$((size + REPLY))
    ((size <= bytes)) || bytes=$size
  done
}

drain() { # Waits until the log is written: up to $1 hundredths of a second, or two seconds without a change
  local i until
  clock
  until=$((REPLY + $1))
  for ((i = 0; i < 100; i++)); do
    clock && ((REPLY < until)) || return
    kill -CONT "$writer" || return 0
    if read -r -t 0 -u 4; then i=0; fi
    pause 0.02
  done
}

record() { # Records how the job ended, with nothing that the command may have taken away
  trap - EXIT
  # Records that were wiped are not created again by the end of the job.
  [[ -e $dir/exit ]] || exit 0
  printf "%-63s\n" "$state $code $begin $end $bytes" 1<>"$dir/exit"
  if [[ $call ]]; then printf . >&"$call"; fi
  exit 0
}

elapsed() { # Returns in REPLY the hundredths of a second since the command started; without a clock, its time is over
  if clock; then REPLY=$((REPLY - start)); else REPLY=$((timeout * 100)); fi
}

supervise() { # Runs the command to its end. The variables are global: `record` may be called when no function is active any more
  local since seconds
  state=EXITED code=137 bytes=0 call=$wake
  trap "" HUP
  # These signals may be meant for every bash. The command does not inherit this.
  trap : INT TERM
  set -m
  # Bash waits by a read with a timeout, from a pipe that stays empty.
  exec {wake}<> <(:) || exit 0
  started_at "$BASHPID"
  oldest=$REPLY
  printf "%s %s\n" "$BASHPID" "$oldest" >"$dir/pid.new" && mv "$dir/pid.new" "$dir/pid"
  clock && mkdir "$dir/go" || exit 0
  start=$REPLY
  printf -v begin "%(%s)T" -1
  exec 3> >(write_log)
  writer=$!
  exec 4</dev/fd/3
  run_command <"$input" >&3 2>&1 3>&- 4<&- &
  group=$!
  exec 3>&-
  # From here to the end, no process is created.
  started_at "$group" && since=$REPLY || since=gone
  printf "%s\n" "$group" >"$dir/group"
  while started_at "$group" && [[ $REPLY == "$since" ]]; do
    elapsed
    ((REPLY < timeout * 100)) || { state=TIMED_OUT && break; }
    [[ ! -e $dir/cancelled ]] || { state=CANCELLED && break; }
    # Polls often at first, and is never more than a fifth of a second late.
    seconds=0.2
    ((REPLY > 150)) || printf -v seconds "0.%02d" "$((REPLY / 10 + 1))"
    pause "$seconds"
  done
  [[ $state == EXITED ]] || end_job "$((grace * 100))"
  elapsed
  if ((REPLY >= timeout * 100)) && [[ $state == EXITED ]]; then state=TIMED_OUT; fi
  if [[ -e $dir/cancelled && $state == EXITED ]]; then state=CANCELLED; fi
  end=$((begin + REPLY / 100))
  # A process that cannot be killed is not waited for.
  started_at "$group" || { wait "$group"; code=$?; }
  # The command's output is in the pipe, and on a busy machine it may take time to reach the log; leftover processes may keep
  # the pipe open forever, or even write to it.
  drain 500
  if signal_job 0; then
    wait_for_job 100 || end_job 100
    drain 2000
  fi
  # Only the log's size requires a program. A shell that can create no process for it ends here.
  trap record EXIT
  log_end
  record
}

alive() { # Returns 0 if the supervisor runs, 1 if it is gone, 2 if it has not come up yet
  local pid since fields
  { read -r pid since <"$dir/pid"; } 2>/dev/null || return 2
  [[ $pid =~ ^[1-9][0-9]{0,9}$ ]] && process "$pid" && [[ ${fields[19]} == "$since" ]] || return 1
  # A stopped supervisor cannot keep the time.
  [[ ${fields[0]} != [Tt] ]] || kill -CONT "$pid"
  [[ $mode != cancel ]] || ((SECONDS < grace + 20)) || kill -KILL "$pid"
  return 0
}

ended() { # Succeeds if the job is over; returns in REPLY the line of the exit file
  first_line "$dir/exit"
  [[ $REPLY =~ ^(EXITED|TIMED_OUT|CANCELLED)(" "[0-9]{1,15}){4}" "*$ ]]
}

segment_of() { # Sets `base` to the start of the segment that holds the offset, and `following` to that of the next one that is still kept
  local file start best=-1 next=-1
  for file in "$dir"/log "$dir"/log.*; do
    if ! [[ -e $file ]] || ! start_of "$file"; then continue; fi
    start=$REPLY
    if ((start <= offset)); then ((start > best)) && best=$start; else ((next < 0 || start < next)) && next=$start; fi
  done
  ((best >= 0)) || return 1
  base=$best following=$next
}

emit() { # Copies what the log has beyond the offset
  local base following count file last failures=0
  while ((sent < quota)) && segment_of; do
    file=$dir/log
    ((base > 0)) && file=$dir/log.$base
    # Nothing has been written yet, which is the most frequent case.
    if ((offset == 0 && following < 0)) && [[ ! -s $file ]]; then return 0; fi
    if ! size_of "$file"; then
      # The segment may just have been dropped, but that is not always the reason.
      ((++failures < 5)) || refuse tools "cannot read the size of $file"
      continue
    fi
    count=$((base + REPLY - offset))
    if ((count <= 0)); then
      # The end of a segment is final once there is a next one; what lies in a gap was not kept.
      ((following > 0)) || return 0
      offset=$following
      continue
    fi
    last=no
    if ((count > 4194304)); then count=4194304; elif ((following < 0)); then last=yes; fi
    printf "@out %s %s\n" "$offset" "$count"
    tail -c "+$((offset - base + 1))" "$file" | head -c "$count" | base64 || {
      # The signal may be meant for every base64: the next poll sends this part again.
      (($? > 128)) || refuse tools "base64 does not work"
      return 0
    }
    offset=$((offset + count)) sent=$((sent + count))
    [[ $last == no ]] || return 0
  done
}

gone() { # Takes the job's place, so that it does not start later, ends what is left of it, so that it disturbs nobody, and reports it as LOST
  mkdir -p "${dir%/*}" && mkdir "$dir" 2>/dev/null || return 0
  : >"$dir/absent"
  end_job 0
  finish LOST absent
}

leave() { # Ends the reply, which must not get larger: whoever wants the rest attaches. The call that started the job stays with it in
  # silent, since the service may end what a call leaves behind
  printf "@end %s %s RUNNING quota - - - -\n" "$nonce" "$job"
  while [[ $attached == started ]] && ! ended && ((SECONDS < budget)) && alive; do pause 1; done
  exit 0
}

report() { # Reports the rest of the log, and the end with the words of the exit file
  local words
  IFS=" " read -ra words <<<"$REPLY"
  emit
  # If the records were wiped meanwhile, they were not sent completely.
  ended || finish LOST workspace
  ((sent < quota)) || leave
  finish "${words[0]}" - "${words[@]:1}"
}

follow() {
  local seconds=0.01 before misses=0 said=$SECONDS
  while :; do
    ! ended || report
    before=$sent
    emit
    ((sent < quota)) || leave
    alive
    case $? in
      1)
        ! ended || report
        end_job 0
        emit
        finish LOST supervisor
        ;;
      2)
        [[ -d $dir ]] || gone
        # The starter is between two steps, or died there. The process that creates `go` decides; a supervisor creates it after `pid`.
        if ((++misses > 50)); then
          # A single failed attempt may be caused by a wipe; this many are caused by a full disk.
          [[ -d $dir ]] || refuse mount "cannot create a directory in $mount"
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

main() { # Handles one call. The variables are global, like those of `supervise`
  attached=attached group=0 oldest=0 sent=0
  arguments "$@"
  [[ $job && $mount ]] || refuse argument "job and mount are required"
  for name in timeout grace budget offset part quota; do
    [[ ${!name} =~ ^(0|[1-9][0-9]{0,14})$ ]] || refuse argument "$name is not a number"
  done
  mark_of
  # Both ends of the pipe are open, so that it never breaks.
  exec {wake}<> <(:) || wake=""
  # Records on ephemeral disk begin with each microVM.
  [[ $mount != /tmp/* || -d $mount ]] || mkdir -p "$mount"
  [[ -d $mount && -w $mount ]] || refuse mount "the mount $mount does not exist or is not writable"
  if [[ $marker ]] && first_line "$mount/.workbench/marker" && [[ $REPLY != "$marker" ]]; then finish LOST workspace; fi
  dir=$mount/.workbench/jobs/$job
  this_boot
  boot=$REPLY
  if [[ $mode == start ]]; then
    [[ -d ${dir%/*} ]] || mkdir -p "${dir%/*}" || refuse mount "cannot create a directory in $mount"
    if mkdir "$dir" 2>/dev/null; then
      [[ ! -d /tmp/.workbench-jobs$mount/$job ]] || { rmdir "$dir" && gone; }
      mkdir -p "/tmp/.workbench-jobs$mount/$job" 2>/dev/null
      attached=started
      { printf "%s\n" "$boot" >"$dir/boot" && printf "%s\n" "$command" >"$dir/command" && printf "%63s\n" "" >"$dir/exit"; } || refuse mount "$mount is full"
      set -m
      supervise </dev/null >/dev/null 2>"$dir/supervisor" &
      set +m
    fi
  fi
  [[ -d $dir ]] || gone
  [[ ! -e $dir/absent ]] || finish LOST absent
  printf "@job %s %s %s\n" "$nonce" "$job" "$attached"
  if ! ended && [[ -s $dir/boot ]] && first_line "$dir/boot" && [[ $REPLY != "$boot" ]]; then
    emit
    finish LOST microvm
  fi
  if [[ $mode == cancel ]] && ! ended; then
    : >"$dir/cancelled"
    end_job "$((grace * 100))"
  fi
  follow
}

main "$@"
