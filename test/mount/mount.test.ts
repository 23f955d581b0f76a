import { App, Resource, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { RuntimeNetworkConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { Construct } from 'constructs';
import { AgentRuntime, AgentRuntimeProps, EfsAccessPointOptions, Mount, S3FilesAccessPointOptions } from '../../src';
import { efsAccessPoint, Network, S3Files } from '../support/file-systems';
import { IMAGE, newStack } from '../support/stacks';

function agent(scope: Construct, mounts: Mount[], props: Partial<AgentRuntimeProps> = {}): AgentRuntime {
  return new AgentRuntime(scope, 'Agent', { agentRuntimeArtifact: IMAGE, mounts, ...props });
}

const storages = (...paths: string[]) => paths.map((path) => Mount.sessionStorage(path));

const S3_ARN = 'arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0';

/** An access point of S3 Files that another app made. */
class ImportedS3AccessPoint extends Resource implements s3files.IAccessPointRef {
  public readonly accessPointRef = { accessPointArn: S3_ARN, accessPointId: 'fsap-0123456789abcdef0' };
}

/** The statements of the execution role that are not part of its baseline. */
function mountStatements(stack: Stack) {
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  return policy.Properties.PolicyDocument.Statement.filter(({ Sid }: { Sid?: string }) => Sid === undefined);
}

describe('session storage', () => {
  test('is rendered on the runtime as it was given', () => {
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

  test('no mounts are rendered when there are none', () => {
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

  test('lets the runtime in on TCP 2049', () => {
    mounted().template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      IpProtocol: 'tcp',
      FromPort: 2049,
      ToPort: 2049,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('EfsFileSystem'), 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('Network'), 'GroupId'] },
    });
  });

  test('makes the runtime wait for its mount targets', () => {
    const { template } = mounted();
    const mountTargets = Object.keys(template.findResources('AWS::EFS::MountTarget'));

    expect(mountTargets).toHaveLength(2);
    const [runtime] = Object.values(template.findResources('AWS::BedrockAgentCore::Runtime'));
    expect(runtime.DependsOn).toEqual(expect.arrayContaining(mountTargets));
  });

  test('can live in another stack, which does not come to depend on the one of the runtime', () => {
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

describe('an S3 Files access point', () => {
  function mounted(make: (s3: S3Files) => S3FilesAccessPointOptions = () => ({})) {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const s3 = new S3Files(stack, 'S3', network.vpc);
    agent(stack, [Mount.fromS3FilesAccessPoint(s3.accessPoint, '/mnt/s3', make(s3))], { networkConfiguration: network.configuration });
    return { stack, template: Template.fromStack(stack) };
  }

  test.each<[what: string, options: S3FilesAccessPointOptions, statements: object[]]>([
    ['may be read and written', {}, [{ Effect: 'Allow', Action: ['s3files:ClientMount', 's3files:ClientWrite', 's3files:GetAccessPoint'] }]],
    ['may only be read when that is asked for, whatever the policy of the file system allows', { readOnly: true }, [
      { Effect: 'Allow', Action: ['s3files:ClientMount', 's3files:GetAccessPoint'] },
      { Effect: 'Deny', Action: 's3files:ClientWrite' },
    ]],
  ])('%s, through this access point alone', (_, options, statements) => {
    const { stack } = mounted(() => options);
    const arn = { 'Fn::GetAtt': ['S3AccessPointF9EAA060', 'AccessPointArn'] };

    expect(mountStatements(stack)).toEqual(statements.map((statement) => ({
      ...statement,
      Resource: { 'Fn::Select': [0, { 'Fn::Split': ['/access-point/', arn] }] },
      Condition: { ArnEquals: { 's3files:AccessPointArn': arn } },
    })));
  });

  test('of another app is allowed by the ARN of its file system', () => {
    const stack = newStack();
    const network = new Network(stack, 'Network');
    const accessPoint = new ImportedS3AccessPoint(stack, 'S3');
    agent(stack, [Mount.fromS3FilesAccessPoint(accessPoint, '/mnt/s3')], { networkConfiguration: network.configuration });

    expect(mountStatements(stack)).toEqual([expect.objectContaining({
      Resource: 'arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0',
      Condition: { ArnEquals: { 's3files:AccessPointArn': S3_ARN } },
    })]);
  });

  test('lets the runtime in on TCP 2049 and makes it wait for the mount targets', () => {
    const { template } = mounted(({ mountTargets, securityGroup }) => ({ mountTargets, securityGroups: [securityGroup] }));

    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 2049, ToPort: 2049, GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^S3SecurityGroup'), 'GroupId'] },
    });
    const [runtime] = Object.values(template.findResources('AWS::BedrockAgentCore::Runtime'));
    expect(runtime.DependsOn).toEqual(expect.arrayContaining(Object.keys(template.findResources('AWS::S3Files::MountTarget'))));
  });

  test('without security groups warns that the runtime has to be let in', () => {
    Annotations.fromStack(mounted().stack).hasWarning('/Stack/Agent', Match.stringLikeRegexp(
      'no "securityGroups" .* TCP 2049.*\\[ack: .*cdk-agentcore-workbench:mountTargetsNotOpened\\]',
    ));
  });

  test('with security groups does not warn', () => {
    const { stack } = mounted(({ securityGroup }) => ({ securityGroups: [securityGroup] }));

    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('mountTargetsNotOpened'));
  });
});

test('the statements of a mount reach the role as they are', () => {
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

test('a role that cannot be changed gets a warning with what it has to be allowed and denied', () => {
  const stack = newStack();
  const network = new Network(stack, 'Network');
  agent(stack, [Mount.fromS3FilesAccessPoint(new ImportedS3AccessPoint(stack, 'S3'), '/mnt/s3', { readOnly: true })], {
    networkConfiguration: network.configuration,
    executionRole: iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/agent', { mutable: false }),
  });
  const here = `on ["arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0"] under the condition {"ArnEquals":{"s3files:AccessPointArn":"${S3_ARN}"}}`;
  const warnings = Annotations.fromStack(stack).findWarning('/Stack/Agent', Match.stringLikeRegexp('grantNotAdded')).map(({ entry }) => entry.data);

  expect(warnings).toEqual([
    expect.stringContaining(`: allow s3files:ClientMount, s3files:GetAccessPoint ${here} there yourself`),
    expect.stringContaining(`: deny s3files:ClientWrite ${here} there yourself`),
  ]);
});
