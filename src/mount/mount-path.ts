/**
 * The rules for mount paths, as plain functions of a string: nothing here knows the CDK.
 *
 * The service's own pattern is `/mnt/[a-zA-Z0-9._-]+/?` with 6 to 200 characters. It lets `/mnt/.` and `/mnt/..` through,
 * which are no folders under `/mnt`, so they are refused here.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_SessionStorageConfiguration.html
 */
import { firstFaultOf, Rule } from '../private/validation';

/** The longest mount path that the service takes, in characters, a trailing slash included. */
export const MAX_MOUNT_PATH_LENGTH = 200;

const ROOT = '/mnt/';

/** A mount path as it came, and the name of the prop that it came in. */
interface Given {
  readonly prop: string;
  readonly path: string;
}

/** The mount path without its optional trailing slash: two paths that differ only in it are one mount. */
export function normalizeMountPath(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** What follows `/mnt/`, without the optional trailing slash. */
function folderOf(path: string): string {
  return normalizeMountPath(path.slice(ROOT.length));
}

/** From the coarsest to the finest: each rule may assume that the ones before it hold. */
const RULES: readonly Rule<Given>[] = [
  {
    broken: ({ path }) => path === '',
    message: ({ prop }) => `"${prop}" is empty, must be one folder under /mnt: use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => normalizeMountPath(path) === '/mnt',
    message: ({ prop, path }) => `"${prop}" is "${path}", must be one folder under /mnt: add its name, such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => !path.startsWith(ROOT),
    message: ({ prop, path }) => `"${prop}" is "${path}", must start with "/mnt/": use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => folderOf(path).includes('/') || folderOf(path) === '',
    message: ({ prop, path }) => `"${prop}" is "${path}", must be exactly one folder under /mnt: remove the other slashes`,
  },
  {
    broken: ({ path }) => ['.', '..'].includes(folderOf(path)),
    message: ({ prop, path }) => `"${prop}" is "${path}", must name a folder of its own under /mnt: use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => !/^[a-zA-Z0-9._-]+$/.test(folderOf(path)),
    message: ({ prop, path }) => `"${prop}" is "${path}", may have only a-z, A-Z, 0-9, ".", "_" and "-" after "/mnt/": replace the other characters`,
  },
  {
    broken: ({ path }) => path.length > MAX_MOUNT_PATH_LENGTH,
    message: ({ prop, path }) => `"${prop}" is "${path}", has ${path.length} characters, must have 6 to ${MAX_MOUNT_PATH_LENGTH}: shorten it`,
  },
];

/**
 * What is wrong with a mount path: nothing, or the one message that says most.
 *
 * @param path not a token
 * @param prop where the path came from, for the message
 */
export function mountPathFaults(path: string, prop = 'mountPath'): string[] {
  return firstFaultOf({ prop, path }, RULES);
}
