/** The rules for all mounts of a runtime together, each at both of its edges and with tokens. */
import { CfnParameter, Lazy, Stack } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Construct } from 'constructs';
import { AgentRuntime, Mount } from '../../src';
import { mountFaults, mountsOf } from '../../src/mount/mount-rules';
import { efsAccessPoint, Network, S3Files } from '../support/file-systems';
import { IMAGE, messageOf, newStack } from '../support/stacks';

/** A runtime in VPC mode with this many mounts of each kind. */
function build({ storage = 0, efs = 0, s3 = 0, isPublic = false, extra = [] as Mount[] }): AgentRuntime {
  const stack = newStack();
  const network = new Network(stack, 'Network');
  const times = (n: number, make: (i: number) => Mount) => Array.from({ length: n }, (_, i) => make(i));
  return new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: IMAGE,
    networkConfiguration: isPublic ? undefined : network.configuration,
    mounts: [
      ...times(storage, (i) => Mount.sessionStorage(`/mnt/storage${i}`)),
      ...times(efs, (i) => Mount.fromEfsAccessPoint(efsAccessPoint(stack, `Efs${i}`, network.vpc), `/mnt/efs${i}`)),
      ...times(s3, (i) => Mount.fromS3FilesAccessPoint(new S3Files(stack, `S3${i}`, network.vpc).accessPoint, `/mnt/s3${i}`)),
      ...extra,
    ],
  });
}

/** What the constructor throws, without the last line, which is the path of the construct. */
const faultsOf = (what: Parameters<typeof build>[0]) => messageOf(() => build(what)).split('\n').slice(0, -1);

test('accepts one session storage, two EFS access points and two S3 Files access points', () => {
  expect(mountsOf(build({ storage: 1, efs: 2, s3: 2 }).node.defaultChild as CfnRuntime)).toHaveLength(5);
});

test.each([
  ['two session storages', { storage: 2 }, ['"mounts" must have at most 1 session storage, not 2: remove 1']],
  ['three EFS access points', { efs: 3 }, ['"mounts" must have at most 2 EFS access points, not 3: remove 1']],
  ['four S3 Files access points', { s3: 4 }, ['"mounts" must have at most 2 S3 Files access points, not 4: remove 2']],
  ['six mounts', { storage: 1, efs: 2, s3: 3 }, [
    '"mounts" must have at most 5 entries, not 6: remove 1',
    '"mounts" must have at most 2 S3 Files access points, not 3: remove 1',
  ]],
])('fails on %s', (_, what, faults) => {
  expect(faultsOf(what)).toEqual(faults);
});

const vpcFault = (nouns: string) =>
  `"networkConfiguration" must be in VPC mode, not "PUBLIC", since "mounts" has ${nouns}: use RuntimeNetworkConfiguration.usingVpc()`;

test.each([
  ['EFS', { efs: 1 }, vpcFault('EFS access points')],
  ['S3 Files', { s3: 1 }, vpcFault('S3 Files access points')],
  ['both', { efs: 1, s3: 1 }, vpcFault('EFS access points and S3 Files access points')],
])('fails on %s without VPC mode', (_, what, fault) => {
  expect(faultsOf({ ...what, isPublic: true })).toEqual([fault]);
});

test('does not check a network mode that is not known at synth', () => {
  expect(mountFaults([{ efsAccessPoint: { mountPath: '/mnt/a' } }], 'mounts', undefined)).toEqual([]);
});

test('refuses two equal paths', () => {
  expect(mountFaults([
    { efsAccessPoint: { mountPath: '/mnt/a' } }, { sessionStorage: { mountPath: '/mnt/b' } }, { s3FilesAccessPoint: { mountPath: '/mnt/a' } },
  ], 'mounts', 'VPC')).toEqual([
    '"mounts[2].mountPath" must differ from "mounts[0].mountPath": use another directory than "/mnt/a"',
  ]);
});

test('refuses two paths that differ only in a trailing slash', () => {
  expect(faultsOf({ extra: [Mount.sessionStorage('/mnt/a'), Mount.sessionStorage('/mnt/a/')] })).toContain(
    '"mounts[1].mountPath" must differ from "mounts[0].mountPath": use another directory than "/mnt/a/"',
  );
});

test('reports all faults in one error', () => {
  expect(faultsOf({ isPublic: true, efs: 1, extra: [Mount.sessionStorage('/data'), Mount.sessionStorage('')] })).toEqual([
    '"mounts[1].mountPath" must be under "/mnt/", not "/data": use a path such as "/mnt/workspace"',
    '"mounts[2].mountPath" must not be empty: use a path such as "/mnt/workspace"',
    '"mounts" must have at most 1 session storage, not 2: remove 1',
    vpcFault('EFS access points'),
  ]);
});

describe('tokens', () => {
  const lazy = (path: string) => Lazy.string({ produce: () => path });
  const parameter = (scope: Construct, id: string) => new CfnParameter(scope, id).valueAsString;

  test.each(['', '/data', `/mnt/${'a'.repeat(196)}`])('a path that is a token is not judged, though it would be "%s"', (path) => {
    expect(mountFaults([{ sessionStorage: { mountPath: lazy(path) } }], 'mounts', 'PUBLIC')).toEqual([]);
  });

  test('does not compare paths that are tokens', () => {
    const stack = new Stack();
    const path = parameter(stack, 'Path');
    expect(mountFaults([
      { efsAccessPoint: { mountPath: path } }, { efsAccessPoint: { mountPath: path } }, { sessionStorage: { mountPath: '/mnt/a' } },
    ], 'mounts', 'VPC')).toEqual([]);
  });

  test('counts mounts whose paths are tokens', () => {
    expect(faultsOf({ extra: [lazy('/mnt/a'), lazy('/mnt/b')].map((path) => Mount.sessionStorage(path)) })).toEqual([
      '"mounts" must have at most 1 session storage, not 2: remove 1',
    ]);
  });
});
