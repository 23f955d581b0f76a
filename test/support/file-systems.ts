import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RuntimeNetworkConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { Construct } from 'constructs';
import { IMAGE } from './stacks';
import { AgentRuntime, AgentRuntimeProps, Mount } from '../../src';

/** A VPC with the resources needed to mount file systems. */
export class Network extends Construct {
  public readonly vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration: [PRIVATE] });
  public readonly configuration = RuntimeNetworkConfiguration.usingVpc(this, { vpc: this.vpc, vpcSubnets: { subnetType: PRIVATE.subnetType } });
}

const PRIVATE = { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_ISOLATED };

export function efsAccessPoint(scope: Construct, id: string, vpc: ec2.IVpc, props: Partial<efs.FileSystemProps> = {}): efs.AccessPoint {
  const fileSystem = new efs.FileSystem(scope, `${id}FileSystem`, { vpc, vpcSubnets: { subnetType: PRIVATE.subnetType }, ...props });
  return fileSystem.addAccessPoint(id, { path: '/agents', posixUser: { uid: '1000', gid: '1000' } });
}

/** An S3 Files access point with a mount target in each subnet, since there is no L2 construct. */
export class S3Files extends Construct {
  public readonly accessPoint: s3files.CfnAccessPoint;
  public readonly mountTargets: s3files.CfnMountTarget[];
  public readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, vpc: ec2.IVpc) {
    super(scope, id);
    const fileSystem = new s3files.CfnFileSystem(this, 'FileSystem', {
      bucket: 'arn:aws:s3:::agents', roleArn: 'arn:aws:iam::123456789012:role/s3files',
    });
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', { vpc });
    this.mountTargets = vpc.isolatedSubnets.map(({ subnetId }, i) => new s3files.CfnMountTarget(this, `MountTarget${i}`, {
      fileSystemId: fileSystem.attrFileSystemId, subnetId, securityGroups: [this.securityGroup.securityGroupId],
    }));
    this.accessPoint = new s3files.CfnAccessPoint(this, 'AccessPoint', { fileSystemId: fileSystem.attrFileSystemId });
  }
}

export function mountingAgent(scope: Construct, mounts: Mount[], props: Partial<AgentRuntimeProps> = {}): AgentRuntime {
  return new AgentRuntime(scope, 'Agent', { agentRuntimeArtifact: IMAGE, mounts, ...props });
}

/** Returns the statements of the execution role that are not part of its baseline. */
export function mountStatements(stack: Stack) {
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  return policy.Properties.PolicyDocument.Statement.filter(({ Sid }: { Sid?: string }) => Sid === undefined);
}
