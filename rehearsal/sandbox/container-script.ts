import { EXEC_MARKER } from './leftovers';

/** Process 1 of the container. It lives on its standard input, so that the container ends with the rehearsal, in whatever way that ends. */
export const INIT_SCRIPT = 'echo ready; exec 2>/dev/null; while read -r _; do :; done';

/**
 * Runs one command in a process group of its own. Tools differ in when an exec ends if left-over processes hold its outputs, in what their own
 * exit codes mean, and in what happens to a command whose client is killed. So the outputs themselves carry the command's process id and its end:
 * a mark that nothing else prints, before everything on stderr, and after everything on both.
 *
 * Job control is on only to make the group: with it, `wait` would end with a command that is merely stopped, and `wait -f`, which is meant
 * for that, loops forever in bash 5.2 for about one in some hundred commands that end at once.
 *
 * Arguments: the mark, the id, what happens to left-over processes, the working directory, the program and its arguments.
 */
export const EXEC_SCRIPT = `
mark=$1 id=$2 leftovers=$3 directory=$4
shift 4
exec 3>&2 2>/dev/null
set -m
(
  printf '%s%s\\n' "$mark" "$BASHPID" >&3
  export ${EXEC_MARKER}=$id
  cd -- "$directory" 2>&3 && exec -- "$@" 2>&3 3>&-
) &
set +m
wait "$!"
code=$?
if [ "$leftovers" = kill ]; then
  # Repeats, since what is found may have forked before it was killed.
  while
    found=()
    for file in /proc/[0-9]*/environ; do
      mapfile -d '' -t variables <"$file"
      for variable in "\${variables[@]}"; do
        if [ "$variable" = "${EXEC_MARKER}=$id" ]; then found+=("\${file//[!0-9]/}"); fi
      done
    done
    [ "\${#found[@]}" -gt 0 ]
  do
    kill -KILL "\${found[@]}"
  done
fi
printf '%s%s\\n' "$mark" "$code"
printf '%s%s\\n' "$mark" "$code" >&3
`;

/** Kills a process group. Argument: its id. */
export const KILL_SCRIPT = 'kill -KILL -- "-$1"';
