import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { RuntimeNetworkConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IVpc } from 'aws-cdk-lib/aws-ec2';
import { RunStore } from '../../rehearsal/cli/run-store';
import { Mount } from '../../src';
import { reportOf } from '../../src/journal/report/report';
import { CommandLine, commandLine } from '../support/command-line';
import { efsAccessPoint, Network, S3Files } from '../support/file-systems';
import { RehearsedLoop, RehearsedStack, writes } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

const shared = (mounted: (stack: Stack, vpc: IVpc) => Mount): RehearsedStack => ({
  runtime: (stack) => {
    const { vpc } = new Network(stack, 'Network');
    return {
      networkConfiguration: RuntimeNetworkConfiguration.usingVpc(stack, { vpc, vpcSubnets: { subnets: vpc.isolatedSubnets } }),
      mounts: [Mount.sessionStorage('/mnt/mine'), mounted(stack, vpc)],
    };
  },
  loop: { mountPath: '/mnt/shared' },
});

const KINDS: Readonly<Record<string, RehearsedStack>> = {
  'EFS': shared((stack, vpc) => Mount.fromEfsAccessPoint(efsAccessPoint(stack, 'Efs', vpc), '/mnt/shared')),
  'S3 Files': shared((stack, vpc) => {
    const { accessPoint, ...more } = new S3Files(stack, 'S3Files', vpc);
    return Mount.fromS3FilesAccessPoint(accessPoint, '/mnt/shared', { mountTargets: more.mountTargets, securityGroups: [more.securityGroup] });
  }),
};

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

test.each(Object.keys(KINDS))('the workspace of a run on %s is found, in its report and afterwards', async (kind) => {
  const rehearsal = await loop.start(writes('42'), { assembly: loop.synth(KINDS[kind]), stateDirectory: loop.copy.state });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
  await rehearsal.close();
  const { session, steps } = record;

  expect([record.outcome, steps.find((step) => step.kind === 'gate')?.output]).toEqual(['COMMITTED', expect.stringContaining('the answer is 42')]);
  expect(existsSync(join(session!.workspace, 'repo/answer'))).toBe(true);
  expect(session!.mounts).toEqual([
    { source: expect.any(String), target: '/mnt/mine' },
    { source: session!.workspace, target: '/mnt/shared' },
  ]);

  new RunStore(loop.copy.state).save({ target: {}, record }, reportOf(record));
  expect((await commandLine('rehearse', 'logs', session!.id, '--state', loop.copy.state)).stdout).toMatch(/^== .*gate .*\nthe answer is 42$/m);
  const shell = new CommandLine(['rehearse', 'shell', session!.id, '--state', loop.copy.state], { terminal: true });
  await shell.prints(/session \/mnt\/shared\/repo [$#] /);
  shell.type('touch /mnt/mine/seen && exit 3\n');
  expect((await shell.ended).exitCode).toBe(3);
  expect(existsSync(join(session!.mounts[0].source, 'seen'))).toBe(true);
});
