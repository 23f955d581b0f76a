/**
 * Runs outside, and outlives the rehearsal by as much as it takes to clean up: when the rehearsal dies in any way, its end of stdin closes, the
 * sandbox's init ends, the kernel ends the rest of the process namespace, and the ephemeral disk goes. The mounts were never in the host's namespace.
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
 * Makes a machine of its own out of the host's: every top-level directory as an overlay whose changes go to the ephemeral disk, an empty /tmp, /mnt
 * and /dev/shm, its own /proc with another boot id, the session's mounts; then stays as process 1 until stdin ends.
 *
 * Order matters. The sources are bound aside first, since later steps cover their paths; the disk appears at /mnt meanwhile, so that no path of the
 * host, with whatever characters it has, gets into an option of a mount.
 *
 * Arguments: the disk, extra overlay options, the number of mounts, source and target of each, the hidden directories.
 */
export const INIT_SCRIPT = `
set -eu
cd /
read -r pid _ </proc/self/stat
boot_id=$(</proc/sys/kernel/random/uuid)
disk=$1 options=$2 count=$3
shift 3

directories=("$disk"/{host,mnt,tmp,shm,empty,pipes,shared})
for ((i = 0; i < count; i++)); do directories+=("$disk/shared/$i"); done
for directory in /*; do
  [ -d "$directory" ] && [ ! -L "$directory" ] || continue
  case $directory in /proc | /sys | /dev | /run | /tmp | /mnt | /lost+found | *[[:space:]:,\\\\]*) continue ;; esac
  overlays+=("$directory")
  directories+=("$disk/overlay$directory/"{upper,work})
done
mkdir -p "\${directories[@]}"
chmod 1777 "$disk/tmp" "$disk/shm"
mkfifo -m 600 "$disk"/pipes/first-{0..31}

targets=()
for ((i = 0; i < count; i++)); do
  mount --bind "$1" "$disk/shared/$i"
  targets+=("$2")
  shift 2
done
mount --rbind / "$disk/host"
mount --rbind "$disk" /mnt

for directory in "\${overlays[@]}"; do
  changes=/mnt/overlay$directory
  echo "overlay $directory overlay lowerdir=/mnt/host$directory,upperdir=$changes/upper,workdir=$changes/work$options 0 0"
done >/mnt/fstab
# What is mounted deeper down (a home directory, a container engine's resolv.conf) would be covered by the overlays.
while read -r _ _ _ _ point _; do
  case $point in
    /proc/* | /sys/* | /dev/* | /run/* | /tmp/* | /mnt/* | /var/lib/* | *\\\\*) ;;
    /*/*) echo "/mnt/host$point $point none rbind 0 0" ;;
  esac
done </proc/self/mountinfo >>/mnt/fstab
mount --all --fstab /mnt/fstab || true

mount --types proc proc /proc
echo "$boot_id" >/mnt/boot_id
mount --bind /mnt/boot_id /proc/sys/kernel/random/boot_id || true
mount --bind /mnt/tmp /tmp
mount --bind /mnt/shm /dev/shm || true
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
echo "ready $pid"
exec -a init bash --norc -c 'while read -r _; do :; done' 2>/dev/null
`;
