/** The rules for all filesystems of a runtime together, each at both of its edges and with tokens. */
import { CfnParameter, Lazy, Stack } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Construct } from 'constructs';
import { AgentRuntime, Filesystem } from '../../src';
import { mountFaults, mountsOf } from '../../src/filesystem/configurations';
import { efsAccessPoint, Network, S3Files } from '../support/file-systems';
import { IMAGE, messageOf, newStack } from '../support/stacks';

/** A runtime in VPC mode with this many filesystems of each kind. */
function build({ storage = 0, efs = 0, s3 = 0, isPublic = false, extra = [] as Filesystem[] }): AgentRuntime {
  const stack = newStack();
  const network = new Network(stack, 'Network');
  const times = (n: number, make: (i: number) => Filesystem) => Array.from({ length: n }, (_, i) => make(i));
  return new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: IMAGE,
    networkConfiguration: isPublic ? undefined : network.configuration,
    filesystems: [
      ...times(storage, (i) => Filesystem.sessionStorage(`/mnt/storage${i}`)),
      ...times(efs, (i) => Filesystem.fromEfsAccessPoint(efsAccessPoint(stack, `Efs${i}`, network.vpc), `/mnt/efs${i}`)),
      ...times(s3, (i) => Filesystem.fromS3FilesAccessPoint(new S3Files(stack, `S3${i}`, network.vpc).accessPoint, `/mnt/s3${i}`)),
      ...extra,
    ],
  });
}

/** What the constructor throws, without the last line, which is the path of the construct. */
const faultsOf = (what: Parameters<typeof build>[0]) => messageOf(() => build(what)).split('\n').slice(0, -1);

test('one session storage, two EFS and two S3 Files access points are accepted', () => {
  expect(mountsOf(build({ storage: 1, efs: 2, s3: 2 }).node.defaultChild as CfnRuntime)).toHaveLength(5);
});

test.each([
  ['two session storages', { storage: 2 }, ['"filesystems" has 2 session storages, may have at most 1: remove 1']],
  ['three EFS access points', { efs: 3 }, ['"filesystems" has 3 EFS access points, may have at most 2: remove 1']],
  ['four S3 Files access points', { s3: 4 }, ['"filesystems" has 4 S3 Files access points, may have at most 2: remove 2']],
  ['six filesystems', { storage: 1, efs: 2, s3: 3 }, [
    '"filesystems" has 6 filesystems, may have at most 5: remove 1',
    '"filesystems" has 3 S3 Files access points, may have at most 2: remove 1',
  ]],
])('fails on %s', (_, what, faults) => {
  expect(faultsOf(what)).toEqual(faults);
});

const VPC_ONLY = 'which only a runtime in VPC mode can mount, but "networkConfiguration" is "PUBLIC": use RuntimeNetworkConfiguration.usingVpc()';

test.each([
  ['EFS', { efs: 1 }, `"filesystems" has EFS access points, ${VPC_ONLY}`],
  ['S3 Files', { s3: 1 }, `"filesystems" has S3 Files access points, ${VPC_ONLY}`],
  ['both', { efs: 1, s3: 1 }, `"filesystems" has EFS access points and S3 Files access points, ${VPC_ONLY}`],
])('fails on %s without VPC mode', (_, what, fault) => {
  expect(faultsOf({ ...what, isPublic: true })).toEqual([fault]);
});

test('a network mode that is not known at synth is not judged', () => {
  expect(mountFaults([{ kind: 'efsAccessPoint', mountPath: '/mnt/a' }], 'filesystems', undefined)).toEqual([]);
});

test('fails on two equal paths', () => {
  expect(mountFaults([
    { kind: 'efsAccessPoint', mountPath: '/mnt/a' }, { kind: 'sessionStorage', mountPath: '/mnt/b' }, { kind: 's3FilesAccessPoint', mountPath: '/mnt/a' },
  ], 'filesystems', 'VPC')).toEqual([
    '"filesystems[2].mountPath" is "/mnt/a", the same as "filesystems[0].mountPath", must be unique: use another folder',
  ]);
});

test('fails on two paths that differ in their trailing slash alone', () => {
  expect(faultsOf({ extra: [Filesystem.sessionStorage('/mnt/a'), Filesystem.sessionStorage('/mnt/a/')] })).toContain(
    '"filesystems[1].mountPath" is "/mnt/a/", the same as "filesystems[0].mountPath", must be unique: use another folder',
  );
});

test('fails once, with everything that is wrong', () => {
  expect(faultsOf({ isPublic: true, efs: 1, extra: [Filesystem.sessionStorage('/data'), Filesystem.sessionStorage('')] })).toEqual([
    '"filesystems[1].mountPath" is "/data", must start with "/mnt/": use a path such as "/mnt/workspace"',
    '"filesystems[2].mountPath" is empty, must be one folder under /mnt: use a path such as "/mnt/workspace"',
    '"filesystems" has 2 session storages, may have at most 1: remove 1',
    `"filesystems" has EFS access points, ${VPC_ONLY}`,
  ]);
});

describe('tokens', () => {
  const lazy = (path: string) => Lazy.string({ produce: () => path });
  const parameter = (scope: Construct, id: string) => new CfnParameter(scope, id).valueAsString;

  test.each(['', '/data', `/mnt/${'a'.repeat(196)}`])('a path that is a token is not judged, though it would be "%s"', (path) => {
    expect(mountFaults([{ kind: 'sessionStorage', mountPath: lazy(path) }], 'filesystems', 'PUBLIC')).toEqual([]);
  });

  test('two paths that are tokens are not compared, with each other or with a plain one', () => {
    const stack = new Stack();
    const path = parameter(stack, 'Path');
    expect(mountFaults([
      { kind: 'efsAccessPoint', mountPath: path }, { kind: 'efsAccessPoint', mountPath: path }, { kind: 'sessionStorage', mountPath: '/mnt/a' },
    ], 'filesystems', 'VPC')).toEqual([]);
  });

  test('filesystems with tokens still count', () => {
    expect(faultsOf({ extra: [lazy('/mnt/a'), lazy('/mnt/b')].map((path) => Filesystem.sessionStorage(path)) })).toEqual([
      '"filesystems" has 2 session storages, may have at most 1: remove 1',
    ]);
  });
});
