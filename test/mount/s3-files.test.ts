/** Access points of S3 Files: what the role may do, and what is found of their file systems. */
import { App, Resource, Stack, Stage } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { AgentRuntime, Mount, S3FilesAccessPointOptions } from '../../src';
import { mountStatements, mountingAgent as agent, Network, S3Files } from '../support/file-systems';
import { IMAGE, newStack } from '../support/stacks';

const S3_ARN = 'arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0';

/** An access point of S3 Files that another app made. */
class ImportedS3AccessPoint extends Resource implements s3files.IAccessPointRef {
  public readonly accessPointRef = { accessPointArn: S3_ARN, accessPointId: 'fsap-0123456789abcdef0' };
}

describe('an S3 Files access point', () => {
  function mounted(make: (s3: S3Files) => S3FilesAccessPointOptions = () => ({})) {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const s3 = new S3Files(stack, 'S3', network.vpc);
    agent(stack, [Mount.fromS3FilesAccessPoint(s3.accessPoint, '/mnt/s3', make(s3))], { networkConfiguration: network.configuration });
    return { stack, template: Template.fromStack(stack) };
  }

  const arn = { 'Fn::GetAtt': ['S3AccessPointF9EAA060', 'AccessPointArn'] };
  const fileSystemArn = { 'Fn::Select': [0, { 'Fn::Split': ['/access-point/', arn] }] };

  test.each<[what: string, options: S3FilesAccessPointOptions, statements: object[]]>([
    ['may be read and written', {}, [{ Effect: 'Allow', Action: ['s3files:ClientMount', 's3files:ClientWrite'] }]],
    ['may only be read when that is asked for, whatever the policy of the file system allows', { readOnly: true }, [
      { Effect: 'Allow', Action: 's3files:ClientMount' },
      { Effect: 'Deny', Action: 's3files:ClientWrite' },
    ]],
  ])('%s, through this access point alone', (_, options, statements) => {
    const { stack } = mounted(() => options);

    expect(mountStatements(stack).slice(0, statements.length)).toEqual(statements.map((statement) => ({
      ...statement,
      Resource: fileSystemArn,
      Condition: { ArnEquals: { 's3files:AccessPointArn': arn } },
    })));
  });

  test('grants the permissions that the service checks when the runtime is created, without conditions that these actions do not support', () => {
    expect(mountStatements(mounted().stack).slice(1)).toEqual([
      { Effect: 'Allow', Action: 's3files:GetAccessPoint', Resource: arn },
      { Effect: 'Allow', Action: 's3files:ListMountTargets', Resource: fileSystemArn },
    ]);
  });

  test('of another app is granted by the ARN of its file system', () => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const accessPoint = new ImportedS3AccessPoint(stack, 'S3');
    agent(stack, [Mount.fromS3FilesAccessPoint(accessPoint, '/mnt/s3')], { networkConfiguration: network.configuration });

    const fileSystem = 'arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0';
    expect(mountStatements(stack)).toEqual([
      expect.objectContaining({ Resource: fileSystem, Condition: { ArnEquals: { 's3files:AccessPointArn': S3_ARN } } }),
      expect.objectContaining({ Resource: S3_ARN }),
      expect.objectContaining({ Resource: fileSystem }),
    ]);
  });

  test.each<[how: string, make: (s3: S3Files) => S3FilesAccessPointOptions]>([
    ['that are given', ({ mountTargets, securityGroup }) => ({ mountTargets, securityGroups: [securityGroup] })],
    ['that are found in the app', () => ({})],
    ['that are given, with their own security groups', ({ mountTargets }) => ({ mountTargets })],
  ])('lets the runtime in on TCP 2049 and makes it wait for mount targets %s', (_, make) => {
    const { template } = mounted(make);

    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 2049, ToPort: 2049, GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^S3SecurityGroup'), 'GroupId'] },
    });
    const [runtime] = Object.values(template.findResources('AWS::BedrockAgentCore::Runtime'));
    expect(runtime.DependsOn).toEqual(expect.arrayContaining(Object.keys(template.findResources('AWS::S3Files::MountTarget'))));
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
  });

  test('does not depend on the mount targets of another file system', () => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const { accessPoint } = new S3Files(stack, 'S3', network.vpc);
    new S3Files(stack, 'Other', network.vpc);
    agent(stack, [Mount.fromS3FilesAccessPoint(accessPoint, '/mnt/s3')], { networkConfiguration: network.configuration });
    const template = Template.fromStack(stack);

    expect(JSON.stringify(template.findResources('AWS::BedrockAgentCore::Runtime'))).not.toContain('OtherMountTarget');
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
  });

  test('mounted by two runtimes opens security groups that are L1 resources or IDs for both', () => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const s3 = new S3Files(stack, 'S3', network.vpc);
    const bare = new ec2.CfnSecurityGroup(stack, 'Bare', { groupDescription: 'bare', vpcId: network.vpc.vpcId });
    s3.mountTargets.forEach((target) => { target.securityGroups = [bare.attrGroupId, 'sg-0123456789abcdef0']; });
    for (const id of ['One', 'Two']) {
      new AgentRuntime(stack, id, {
        agentRuntimeArtifact: IMAGE, networkConfiguration: network.configuration, mounts: [Mount.fromS3FilesAccessPoint(s3.accessPoint, '/mnt/s3')],
      });
    }

    const rules = Object.values(Template.fromStack(stack).findResources('AWS::EC2::SecurityGroupIngress')).map(({ Properties }) => Properties.GroupId);
    const ofBare = { 'Fn::GetAtt': ['Bare', 'GroupId'] };
    expect(new Set(rules.map((group) => JSON.stringify(group)))).toEqual(new Set([ofBare, 'sg-0123456789abcdef0'].map((group) => JSON.stringify(group))));
  });

  test('of an imported file system depends on the mount targets with its ID in the same stage', () => {
    const app = new App();
    const targetsIn = (stack: Stack, network: Network) => new s3files.CfnMountTarget(stack, 'MountTarget', {
      fileSystemId: 'fs-0123456789abcdef0', subnetId: network.vpc.isolatedSubnets[0].subnetId, securityGroups: ['sg-0123456789abcdef0'],
    });
    const [stack] = ['Production', 'Development'].map((name) => {
      const made = new Stack(new Stage(app, name), 'Stack');
      const network = new Network(made, 'Network');
      targetsIn(made, network);
      agent(made, [Mount.fromS3FilesAccessPoint(new ImportedS3AccessPoint(made, 'S3'), '/mnt/s3')], { networkConfiguration: network.configuration });
      return made;
    });

    const template = Template.fromStack(stack);
    template.hasResource('AWS::BedrockAgentCore::Runtime', { DependsOn: Match.arrayWith(['MountTarget']) });
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { GroupId: 'sg-0123456789abcdef0' });
  });

  const NOT_OPENED = Match.stringLikeRegexp('no "securityGroups" .* TCP 2049.*\\[ack: .*cdk-agentcore-workbench:mountTargetsNotOpened\\]');

  test('of another app without security groups warns that they must allow the runtime', () => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    agent(stack, [Mount.fromS3FilesAccessPoint(new ImportedS3AccessPoint(stack, 'S3'), '/mnt/s3')], { networkConfiguration: network.configuration });

    Annotations.fromStack(stack).hasWarning('/Stack/Agent', NOT_OPENED);
  });

  test('with empty lists of mount targets and security groups creates no rules, and warns', () => {
    const { stack, template } = mounted(() => ({ mountTargets: [], securityGroups: [] }));

    Annotations.fromStack(stack).hasWarning('/Stack/Agent', NOT_OPENED);
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    expect(JSON.stringify(template.findResources('AWS::BedrockAgentCore::Runtime'))).not.toContain('MountTarget');
  });

  test.each<[how: string, make: (s3: S3Files) => S3FilesAccessPointOptions]>([
    ['given', ({ securityGroup }) => ({ securityGroups: [securityGroup] })],
    ['found', () => ({})],
  ])('with security groups that are %s does not warn', (_, make) => {
    Annotations.fromStack(mounted(make).stack).hasNoWarning('*', Match.stringLikeRegexp('mountTargetsNotOpened'));
  });
});

test('warns about a role that cannot be changed, with the statements that it needs', () => {
  const stack = newStack();
  const network = new Network(stack, 'Network');
  agent(stack, [Mount.fromS3FilesAccessPoint(new ImportedS3AccessPoint(stack, 'S3'), '/mnt/s3', { readOnly: true })], {
    networkConfiguration: network.configuration,
    executionRole: iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/agent', { mutable: false }),
  });
  const here = `on ["arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"] under the condition {"ArnEquals":{"s3files:AccessPointArn":"${S3_ARN}"}}`;
  const warnings = Annotations.fromStack(stack).findWarning('/Stack/Agent', Match.stringLikeRegexp('grantNotAdded')).map(({ entry }) => entry.data);

  expect(warnings).toEqual([
    expect.stringContaining(`: allow s3files:ClientMount ${here} there yourself`),
    expect.stringContaining(`: deny s3files:ClientWrite ${here} there yourself`),
    expect.stringContaining(`: allow s3files:GetAccessPoint on ["${S3_ARN}"] there yourself`),
    expect.stringContaining(': allow s3files:ListMountTargets on ["arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"] there yourself'),
  ]);
});
