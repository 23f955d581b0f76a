/** Limits and rules of mount paths that the constructs, the handlers and the rehearsal share. */

/** The maximum number of characters in a mount path, including a trailing slash. */
export const MAX_MOUNT_PATH_LENGTH = 200;

/** Returns the mount path without its optional trailing slash. Paths that differ only in that slash are the same mount. */
export function normalizeMountPath(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
