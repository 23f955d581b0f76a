/**
 * Runs outside, and outlives the rehearsal only to clean up: when the rehearsal ends in any way, its end of stdin closes, the
 * sandbox's init ends, the kernel ends the rest of the process namespace, and the ephemeral disk is removed. The mounts were
 * never in the host's namespace.
 *
 * Arguments: the disk, the init script, the number of `unshare` flags, the flags, the init script's own arguments.
 */
export const SUPERVISOR_SCRIPT = `
disk=$1 init=$2 flags=$3
shift 3
unshare "\${@:1:flags}" --mount --pid --ipc --fork --kill-child -- bash --norc -c "$init" init "$disk" "\${@:flags+1}"
status=$?
chmod -R u+rwx "$disk" 2>/dev/null
rm -rf --one-file-system "$disk"
exit $status
`;

/**
 * Turns the host into a machine of its own: every top-level directory is an overlay whose changes go to the ephemeral disk, an empty /tmp,
 * /var/tmp, /mnt and /dev/shm, its own /proc with another boot id, the session's mounts; then stays as process 1 until stdin ends.
 *
 * Order matters. The sources are bound aside first, since later steps cover their paths; the disk appears at /mnt meanwhile, so that no path of the
 * host, with whatever characters it has, gets into an option of a mount.
 *
 * All of this needs the capabilities of root, at least in a user namespace. Commands must not have them, so that "permission denied" is real:
 * they run in an inner user namespace, as one user and one group, which are those of the user who rehearses outside. Process 1 is in there, too.
 *
 * Arguments: the disk, extra overlay options, the numbers of the user and the group that commands run as, or two empty ones for root, whether root
 * is no substitute, the number of mounts, source and target of each, the number of visible directories, these, the hidden ones.
 */
export const INIT_SCRIPT = `
set -eu
cd /
read -r pid _ _ parent _ </proc/self/stat
boot_id=$(</proc/sys/kernel/random/uuid)
disk=$1 options=$2 user=$3 group=$4 exactly=$5 count=$6
shift 6

# What is mounted deeper down (a home directory, a container engine's resolv.conf) would be covered by an overlay, and is bound again. A user
# namespace may not make an overlay of a directory that has mounts below: that becomes read-only, with overlays of its subdirectories.
mapfile -t points < <(cut -d ' ' -f 5 /proc/self/mountinfo)
overlays=() below=() split=()
cover() {
  local directory point
  for directory in "$1"/*; do
    [ -d "$directory" ] && [ ! -L "$directory" ] || continue
    case $directory in /proc | /sys | /dev | /run | /tmp | /mnt | /lost+found | *[[:space:]:,\\\\]*) continue ;; esac
    local inside=()
    for point in "\${points[@]}"; do
      case $point in *\\\\*) ;; "$directory"/*) inside+=("$point") ;; esac
    done
    if [ -n "$options" ] && [ \${#inside[@]} -gt 0 ]; then
      split+=("$directory")
      # Container engines mount much there that no session needs.
      if [ "$directory" != /var/lib ]; then cover "$directory"; fi
    else
      overlays+=("$directory")
      below+=("\${inside[@]}")
    fi
  done
}
cover ''

directories=("$disk"/{host,mnt,tmp,vartmp,shm,empty,pipes,shared})
for ((i = 0; i < count; i++)); do directories+=("$disk/shared/$i"); done
for directory in "\${overlays[@]}"; do directories+=("$disk/overlay$directory/"{upper,work}); done
mkdir -p "\${directories[@]}"
chmod 1777 "$disk"/{tmp,vartmp,shm}
mkfifo -m 600 "$disk"/pipes/first-{0..31}

targets=()
for ((i = 0; i < count; i++)); do
  mount --bind "$1" "$disk/shared/$i"
  targets+=("$2")
  shift 2
done
visible=("\${@:2:$1}")
shift $(($1 + 1))
for i in "\${!visible[@]}"; do
  mkdir -p "$disk/visible/$i"
  mount --rbind "\${visible[i]}" "$disk/visible/$i"
done
mount --rbind / "$disk/host"
mount --rbind "$disk" /mnt

for directory in "\${split[@]}"; do echo "/mnt/host$directory $directory none rbind,ro 0 0"; done >/mnt/fstab
for directory in "\${overlays[@]}"; do
  changes=/mnt/overlay$directory
  echo "overlay $directory overlay lowerdir=/mnt/host$directory,upperdir=$changes/upper,workdir=$changes/work,volatile$options 0 0"
done >>/mnt/fstab
for point in "\${below[@]}"; do
  case $point in
    /var/lib/*) ;; # of container engines, and many
    *) echo "/mnt/host$point $point none rbind 0 0" ;;
  esac
done >>/mnt/fstab
if ! mount --all --fstab /mnt/fstab 2>/dev/null; then
  # The disk's file system cannot hold an overlay's changes, as when it is one itself: memory can.
  mount --types tmpfs -o mode=755 tmpfs /mnt/overlay
  for directory in "\${overlays[@]}"; do mkdir -p "/mnt/overlay$directory/"{upper,work}; done
  mount --all --fstab /mnt/fstab || true # what cannot be mounted in either way is missed by its own name
fi

mount --types proc proc /proc
echo "$boot_id" >/mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id || true # some kernels forbid it: then the file on the disk tells machines apart
mount --bind /mnt/tmp /tmp
if [ -d /var/tmp ] && [ ! -L /var/tmp ]; then mount --bind /mnt/vartmp /var/tmp; fi # of root, and not to be copied by others
if [ -d /dev/shm ]; then mount --bind /mnt/shm /dev/shm; fi
for i in "\${!visible[@]}"; do
  target=\${visible[i]} changes=/mnt/overlay/.visible/$i
  case $target in /mnt/*) target=/mnt$target ;; esac
  mkdir -p "$target" "$changes/"{upper,work}
  mount --types overlay -o "lowerdir=/mnt/visible/$i,upperdir=$changes/upper,workdir=$changes/work,volatile$options" overlay "$target" 2>/dev/null ||
    mount --rbind -o ro "/mnt/visible/$i" "$target" # it has mounts below, or is on an overlay itself
done
for hidden in "$@"; do
  if [ -d "$hidden" ]; then mount --bind /mnt/empty "$hidden"; fi
done
for i in "\${!targets[@]}"; do
  target=\${targets[i]}
  case $target in /mnt/*) target=/mnt$target ;; esac
  mkdir -p "$target"
  mount --bind "/mnt/shared/$i" "$target"
done
mount --rbind /mnt/mnt /mnt
within=()
if [ -n "$user" ]; then
  within=(unshare --user "--map-user=$user" "--map-group=$group")
  # util-linux before 2.36 cannot, and a kernel may allow no namespace within another.
  if ! problem=$("\${within[@]}" true 2>&1); then
    echo "commands run as root of a user namespace, and not as user $user: \${problem%%$'\\n'*}" >&2
    if [ -n "$exactly" ]; then exit 1; fi
    within=() user=''
  fi
fi
exec "\${within[@]}" bash --norc -c 'echo "ready $*"; exec 2>/dev/null; while read -r _; do :; done' init "$pid" "$parent" "\${user:-0}"
`;
