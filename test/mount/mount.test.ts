import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { RuntimeNetworkConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { EfsAccessPointOptions, Mount } from '../../src';
import { efsAccessPoint, mountingAgent as agent, mountStatements, Network } from '../support/file-systems';
import { newStack } from '../support/stacks';

const storages = (...paths: string[]) => paths.map((path) => Mount.sessionStorage(path));

describe('session storage', () => {
  test('is rendered with the given path', () => {
    const stack = newStack();
    agent(stack, storages('/mnt/workspace/'));

    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', {
      FilesystemConfigurations: [{ SessionStorage: { MountPath: '/mnt/workspace/' } }],
    });
  });

  test('needs no permissions and no VPC', () => {
    const stack = newStack();
    agent(stack, storages('/mnt/workspace'));

    expect(mountStatements(stack)).toEqual([]);
    expect(Object.keys(Template.fromStack(stack).toJSON().Resources)).toHaveLength(3);
  });

  test('renders no property without mounts', () => {
    const stack = newStack();
    agent(stack, []);

    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', { FilesystemConfigurations: Match.absent() });
  });
});

describe('an EFS access point', () => {
  function mounted(options?: EfsAccessPointOptions) {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const runtime = agent(stack, [Mount.fromEfsAccessPoint(efsAccessPoint(stack, 'Efs', network.vpc), '/mnt/efs', options)], {
      networkConfiguration: network.configuration,
    });
    return { stack, runtime, template: Template.fromStack(stack) };
  }

  test.each<[what: string, options: EfsAccessPointOptions | undefined, statements: object[]]>([
    ['may be read and written', undefined, [{ Effect: 'Allow', Action: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'] }]],
    // An allow in the policy of the file system is enough to write, so that not to allow it here is not enough to prevent it.
    ['may only be read when that is asked for, whatever the policy of the file system allows', { readOnly: true }, [
      { Effect: 'Allow', Action: 'elasticfilesystem:ClientMount' },
      { Effect: 'Deny', Action: 'elasticfilesystem:ClientWrite' },
    ]],
  ])('%s, through this access point alone', (_, options, statements) => {
    const { stack } = mounted(options);

    expect(mountStatements(stack)).toEqual(statements.map((statement) => ({
      ...statement,
      Resource: { 'Fn::GetAtt': [expect.stringMatching('EfsFileSystem'), 'Arn'] },
      Condition: { ArnEquals: { 'elasticfilesystem:AccessPointArn': expect.anything() } },
    })));
    expect(mountStatements(stack).map(({ Condition }: object & { Condition: unknown }) => JSON.stringify(Condition)))
      .toEqual(statements.map(() => expect.stringContaining(':access-point/')));
  });

  test('allows the runtime on TCP port 2049', () => {
    mounted().template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      IpProtocol: 'tcp',
      FromPort: 2049,
      ToPort: 2049,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('EfsFileSystem'), 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('Network'), 'GroupId'] },
    });
  });

  test('makes the runtime depend on its mount targets', () => {
    const { template } = mounted();
    const mountTargets = Object.keys(template.findResources('AWS::EFS::MountTarget'));

    expect(mountTargets).toHaveLength(2);
    const [runtime] = Object.values(template.findResources('AWS::BedrockAgentCore::Runtime'));
    expect(runtime.DependsOn).toEqual(expect.arrayContaining(mountTargets));
  });

  const WITHOUT_POLICY = Match.stringLikeRegexp('has no policy.*"allowAnonymousAccess" to false.*\\[ack: .*cdk-agentcore-workbench:readOnlyWithoutPolicy\\]');

  test('that is read-only warns if the file system has no policy', () => {
    Annotations.fromStack(mounted({ readOnly: true }).stack).hasWarning('/Stack/Agent', WITHOUT_POLICY);
    Annotations.fromStack(mounted().stack).hasNoWarning('*', WITHOUT_POLICY);
  });

  test.each<[how: string, props: Partial<efs.FileSystemProps>, then: (fileSystem: efs.FileSystem) => void]>([
    ['allowAnonymousAccess', { allowAnonymousAccess: false }, () => {}],
    ['a statement that comes later', {}, (fileSystem) => void fileSystem.grantReadWrite(new iam.AccountRootPrincipal())],
  ])('that is read-only does not warn if the file system has a policy by %s', (_, props, then) => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const accessPoint = efsAccessPoint(stack, 'Efs', network.vpc, props);
    agent(stack, [Mount.fromEfsAccessPoint(accessPoint, '/mnt/efs', { readOnly: true })], { networkConfiguration: network.configuration });
    then(accessPoint.fileSystem as efs.FileSystem);

    Annotations.fromStack(stack).hasNoWarning('*', WITHOUT_POLICY);
  });

  test('can be in another stack, which does not depend on the stack of the runtime', () => {
    const app = new App();
    const shared = new Stack(app, 'Shared');
    const network = new Network(shared, 'Network');
    const accessPoint = efsAccessPoint(shared, 'Efs', network.vpc);
    const stack = new Stack(app, 'Stack');
    agent(stack, [Mount.fromEfsAccessPoint(accessPoint, '/mnt/efs')], {
      networkConfiguration: RuntimeNetworkConfiguration.usingVpc(stack, {
        vpc: network.vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      }),
    });

    app.synth();
    expect(stack.dependencies).toEqual([shared]);
    expect(shared.dependencies).toEqual([]);
  });
});

test('adds the statements of a mount to the role unchanged', () => {
  const statement = {
    Sid: 'NotOnWeekends',
    Effect: 'Deny',
    NotAction: 's3:GetObject',
    NotResource: 'arn:aws:s3:::weekend',
    Condition: { StringEquals: { 'aws:PrincipalTag/day': 'sunday' } },
  };
  class Own extends Mount {
    constructor() {
      super('/mnt/own');
    }

    public bind() {
      return { configuration: { sessionStorage: { mountPath: this.mountPath } }, statements: [iam.PolicyStatement.fromJson(statement)] };
    }
  }
  const stack = newStack();
  agent(stack, [new Own()]);

  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: Match.arrayWith([statement]) } });
});
