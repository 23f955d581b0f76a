import { Stack, Token, Tokenization } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { mountPathFaults, normalizeMountPath } from './mount-path';
import { faultsOf, Rule } from '../private/validation';

/** One mount of a runtime, as far as the rules look at it. */
export interface ConfiguredMount {
  /** Which member of the union `FilesystemConfiguration` it is. */
  readonly kind: keyof typeof MOST_OF_A_KIND;
  /** May be a token. */
  readonly mountPath: string;
}

/** The most mounts that a runtime may have. */
const MOST_MOUNTS = 5;

/** The most of each kind, and what the kind is called by those who use it. */
const MOST_OF_A_KIND = {
  sessionStorage: { most: 1, name: 'session storages', needsVpc: false },
  efsAccessPoint: { most: 2, name: 'EFS access points', needsVpc: true },
  s3FilesAccessPoint: { most: 2, name: 'S3 Files access points', needsVpc: true },
} as const;

const KINDS = Object.keys(MOST_OF_A_KIND) as ConfiguredMount['kind'][];

/** What is checked together: each rule may need more than one mount. */
interface MountsOfRuntime {
  readonly mounts: readonly ConfiguredMount[];
  readonly prop: string;
  readonly networkMode: string | undefined;
}

/** Rules for all mounts of a runtime together. The limits cannot be raised. */
const RULES: readonly Rule<MountsOfRuntime>[] = [
  {
    broken: ({ mounts }) => mounts.length > MOST_MOUNTS,
    message: ({ mounts: { length }, prop }) => `"${prop}" has ${length} mounts, may have at most ${MOST_MOUNTS}: remove ${length - MOST_MOUNTS}`,
  },
  ...KINDS.map((kind): Rule<MountsOfRuntime> => ({
    broken: ({ mounts }) => count(mounts, kind) > MOST_OF_A_KIND[kind].most,
    message: ({ mounts, prop }) => {
      const { most, name } = MOST_OF_A_KIND[kind];
      return `"${prop}" has ${count(mounts, kind)} ${name}, may have at most ${most}: remove ${count(mounts, kind) - most}`;
    },
  })),
  {
    broken: ({ mounts, networkMode }) => networkMode === 'PUBLIC' && mounts.some(({ kind }) => MOST_OF_A_KIND[kind].needsVpc),
    message: ({ mounts, prop }) => {
      const names = KINDS.filter((kind) => MOST_OF_A_KIND[kind].needsVpc && count(mounts, kind) > 0).map((kind) => MOST_OF_A_KIND[kind].name);
      return `"${prop}" has ${names.join(' and ')}, which only a runtime in VPC mode can mount, but "networkConfiguration" is "PUBLIC": ` +
        'use RuntimeNetworkConfiguration.usingVpc()';
    },
  },
];

/**
 * What is wrong with the mounts of a runtime: alone and together. ConfiguredMount paths that are tokens are taken as they are.
 *
 * @param prop the prop that the mounts came in, for the messages
 * @param networkMode of the runtime; not checked when it is not known at synth
 */
export function mountFaults(mounts: readonly ConfiguredMount[], prop: string, networkMode: string | undefined): string[] {
  return [
    ...mounts.flatMap(({ mountPath }, i) => Token.isUnresolved(mountPath) ? [] : mountPathFaults(mountPath, `${prop}[${i}].mountPath`)),
    ...duplicateFaults(mounts, prop),
    ...faultsOf({ mounts, prop, networkMode }, RULES),
  ];
}

function duplicateFaults(mounts: readonly ConfiguredMount[], prop: string): string[] {
  const paths = mounts.map(({ mountPath }) => Token.isUnresolved(mountPath) ? undefined : normalizeMountPath(mountPath));
  return paths.flatMap((path, i) => {
    const first = path === undefined ? i : paths.indexOf(path);
    if (first === i) return [];
    return [`"${prop}[${i}].mountPath" is "${mounts[i].mountPath}", the same as "${prop}[${first}].mountPath", must be unique: use another folder`];
  });
}

function count(mounts: readonly ConfiguredMount[], kind: ConfiguredMount['kind']): number {
  return mounts.filter((mount) => mount.kind === kind).length;
}

/**
 * The mounts that are configured on a runtime's resource, whoever put them there.
 *
 * Not seen are those that were added by `addPropertyOverride`, which leaves no trace that can be read before synth.
 */
export function mountsOf(resource: CfnRuntime): ConfiguredMount[] {
  return configurationsOf(resource).flatMap((configuration) => {
    const kind = KINDS.find((candidate) => configuration[candidate] !== undefined);
    // A kind that is newer than these rules has none here.
    if (kind === undefined) return [];
    return [{ kind, mountPath: settled(resource, configuration[kind]!).mountPath }];
  });
}

/** The entries of `FilesystemConfigurations`, with lazy ones resolved. */
export function configurationsOf(resource: CfnRuntime): CfnRuntime.FilesystemConfigurationProperty[] {
  return (settled(resource, resource.filesystemConfigurations) ?? []).map((configuration) => settled(resource, configuration));
}

/** The value itself: of a lazy one what it produces, which may be nothing. Strings within it may still be tokens. */
export function settled<T>(resource: CfnRuntime, value: T): Exclude<T, { resolve(context: unknown): unknown }> {
  return Tokenization.isResolvable(value) ? Stack.of(resource).resolve(value) : value as never;
}
