import { Stack, Token, Tokenization } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { MAX_MOUNT_PATH_LENGTH, normalizeMountPath } from './constants';
import { faultsOf, firstFaultOf, Rule } from '../private/validation';

const ROOT = '/mnt/';

interface PathArgument {
  /** The name of the prop, for the message. */
  readonly prop: string;
  readonly path: string;
}

function folderOf(path: string): string {
  return normalizeMountPath(path.slice(ROOT.length));
}

/**
 * Rules for one mount path, ordered from coarse to fine: each rule assumes that the previous ones hold.
 *
 * The service's pattern is `/mnt/[a-zA-Z0-9._-]+/?` with 6 to 200 characters. It also accepts `/mnt/.` and `/mnt/..`, which do not
 * name a directory under `/mnt`, so these rules reject them.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_SessionStorageConfiguration.html
 */
const PATH_RULES: readonly Rule<PathArgument>[] = [
  {
    broken: ({ path }) => path === '',
    message: ({ prop }) => `"${prop}" must not be empty: use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => normalizeMountPath(path) === '/mnt',
    message: ({ prop, path }) => `"${prop}" must be a directory under /mnt, not "${path}": add a name, such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => !path.startsWith(ROOT),
    message: ({ prop, path }) => `"${prop}" must be under "/mnt/", not "${path}": use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => folderOf(path).includes('/') || folderOf(path) === '',
    message: ({ prop, path }) => `"${prop}" must be exactly one level below /mnt, not "${path}": remove the other slashes`,
  },
  {
    broken: ({ path }) => ['.', '..'].includes(folderOf(path)),
    message: ({ prop, path }) => `"${prop}" must name a directory under /mnt, not "${path}": use a path such as "/mnt/workspace"`,
  },
  {
    broken: ({ path }) => !/^[a-zA-Z0-9._-]+$/.test(folderOf(path)),
    message: ({ prop, path }) =>
      `"${prop}" must have only a-z, A-Z, 0-9, ".", "_" and "-" after "/mnt/", not "${path}": replace the other characters`,
  },
  {
    broken: ({ path }) => path.length > MAX_MOUNT_PATH_LENGTH,
    message: ({ prop, path }) => `"${prop}" must have 6 to ${MAX_MOUNT_PATH_LENGTH} characters, not ${path.length}: shorten "${path}"`,
  },
];

/**
 * Returns the first fault of a mount path, or nothing.
 *
 * @param path The path; must not be a token
 * @param prop The name of the prop, for the message
 */
export function mountPathFaults(path: string, prop = 'mountPath'): string[] {
  return firstFaultOf({ prop, path }, PATH_RULES);
}

/** A mount in the form of an entry of `FilesystemConfigurations`, which has exactly one member. Paths may be tokens. */
export type ConfiguredMount = { readonly [member in keyof typeof MEMBERS]?: { readonly mountPath: string } };

/** The maximum number of mounts of a runtime. This quota cannot be raised. */
const MAX_MOUNTS = 5;

/** The members of `FilesystemConfiguration` and their quotas, which cannot be raised. */
const MEMBERS = {
  sessionStorage: { noun: 'session storage', max: 1, requiresVpc: false },
  efsAccessPoint: { noun: 'EFS access points', max: 2, requiresVpc: true },
  s3FilesAccessPoint: { noun: 'S3 Files access points', max: 2, requiresVpc: true },
} as const;

type Member = keyof typeof MEMBERS;
const MEMBER_NAMES = Object.keys(MEMBERS) as Member[];

const count = (mounts: readonly ConfiguredMount[], member: Member) => mounts.filter((mount) => mount[member] !== undefined).length;

const mountPathOf = (mount: ConfiguredMount) => MEMBER_NAMES.flatMap((member) => mount[member] ?? [])[0]?.mountPath;

const vpcMembersOf = (mounts: readonly ConfiguredMount[]) =>
  MEMBER_NAMES.filter((member) => MEMBERS[member].requiresVpc && count(mounts, member) > 0);

interface RuntimeMounts {
  readonly mounts: readonly ConfiguredMount[];
  readonly prop: string;
  readonly networkMode: string | undefined;
}

/** Rules for all mounts of a runtime together. */
const RUNTIME_RULES: readonly Rule<RuntimeMounts>[] = [
  {
    broken: ({ mounts }) => mounts.length > MAX_MOUNTS,
    message: ({ mounts: { length }, prop }) => `"${prop}" must have at most ${MAX_MOUNTS} entries, not ${length}: remove ${length - MAX_MOUNTS}`,
  },
  ...MEMBER_NAMES.map((member): Rule<RuntimeMounts> => ({
    broken: ({ mounts }) => count(mounts, member) > MEMBERS[member].max,
    message: ({ mounts, prop }) => {
      const { max, noun } = MEMBERS[member];
      return `"${prop}" must have at most ${max} ${noun}, not ${count(mounts, member)}: remove ${count(mounts, member) - max}`;
    },
  })),
  {
    broken: ({ mounts, networkMode }) => networkMode === 'PUBLIC' && vpcMembersOf(mounts).length > 0,
    message: ({ mounts, prop }) => '"networkConfiguration" must be in VPC mode, not "PUBLIC", since '
      + `"${prop}" has ${vpcMembersOf(mounts).map((member) => MEMBERS[member].noun).join(' and ')}: use RuntimeNetworkConfiguration.usingVpc()`,
  },
];

/**
 * Returns all faults of a runtime's mounts, individually and together. Paths that are tokens are not checked.
 *
 * @param mounts The mounts of the runtime
 * @param prop The name of the prop, for the messages
 * @param networkMode The network mode of the runtime; not checked if `undefined`
 */
export function mountFaults(mounts: readonly ConfiguredMount[], prop: string, networkMode: string | undefined): string[] {
  const paths = mounts.map(mountPathOf).map((path) => path === undefined || Token.isUnresolved(path) ? undefined : path);
  return [
    ...paths.flatMap((path, i) => path === undefined ? [] : mountPathFaults(path, `${prop}[${i}].mountPath`)),
    ...duplicateFaults(paths, prop),
    ...faultsOf({ mounts, prop, networkMode }, RUNTIME_RULES),
  ];
}

function duplicateFaults(paths: readonly (string | undefined)[], prop: string): string[] {
  const normalized = paths.map((path) => path === undefined ? undefined : normalizeMountPath(path));
  return normalized.flatMap((path, i) => {
    const first = path === undefined ? i : normalized.indexOf(path);
    if (first === i) return [];
    return [`"${prop}[${i}].mountPath" must differ from "${prop}[${first}].mountPath": use another directory than "${paths[i]}"`];
  });
}

/**
 * Returns the mounts that are configured on a runtime's resource, whoever added them.
 *
 * Does not see entries added by `addPropertyOverride`, which cannot be read before synthesis, or entries of a type that these rules do not know.
 */
export function mountsOf(resource: CfnRuntime): ConfiguredMount[] {
  return configurationsOf(resource).flatMap((configuration) => {
    const member = MEMBER_NAMES.find((name) => configuration[name] !== undefined);
    return member === undefined ? [] : [{ [member]: settled(resource, configuration[member]) }];
  });
}

/** Returns the entries of `FilesystemConfigurations`, with lazy values resolved. */
export function configurationsOf(resource: CfnRuntime): CfnRuntime.FilesystemConfigurationProperty[] {
  return (settled(resource, resource.filesystemConfigurations) ?? []).map((configuration) => settled(resource, configuration));
}

/** Resolves a lazy value, which may produce nothing. Strings within the result may still be tokens. */
export function settled<T>(resource: CfnRuntime, value: T): Exclude<T, { resolve(context: unknown): unknown }> {
  return Tokenization.isResolvable(value) ? Stack.of(resource).resolve(value) : value as never;
}
