/** A runtime in a VPC without internet access, with session storage, an EFS access point and an S3 Files access point. */
import { join } from 'path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, RuntimeNetworkConfiguration } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentRuntime, Mount } from '../src';

const app = portableApp();
const stack = new Stack(app, 'VpcFilesystemsIntegStack');
const runtimeName = 'integ_vpc_filesystems';
const ISOLATED = { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
const POSIX_USER = { uid: '1000', gid: '1000' }; // the user of the image

const vpc = new ec2.Vpc(stack, 'Vpc', {
  maxAzs: 2,
  natGateways: 0,
  subnetConfiguration: [{ name: 'Isolated', ...ISOLATED }],
  restrictDefaultSecurityGroup: false, // would add a function and a role
  // The image's layers and the session storage both come from Amazon S3.
  gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  flowLogs: { Rejected: { trafficType: ec2.FlowLogTrafficType.REJECT } },
});
const { ECR, ECR_DOCKER, CLOUDWATCH_LOGS } = ec2.InterfaceVpcEndpointAwsService;
const endpoints = Object.entries({ Ecr: ECR, EcrDocker: ECR_DOCKER, Logs: CLOUDWATCH_LOGS })
  .map(([id, service]) => vpc.addInterfaceEndpoint(id, { service, open: false }));

const efsAccessPoint = new efs.FileSystem(stack, 'Efs', {
  vpc, vpcSubnets: ISOLATED, encrypted: true, removalPolicy: RemovalPolicy.DESTROY,
}).addAccessPoint('AgentsOnEfs', { path: '/agents', posixUser: POSIX_USER, createAcl: { ownerUid: '1000', ownerGid: '1000', permissions: '750' } });

const bucket = new s3.Bucket(stack, 'Bucket', {
  versioned: true, // S3 Files requires it
  enforceSSL: true,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  serverAccessLogsPrefix: 'access-logs/',
  removalPolicy: RemovalPolicy.DESTROY,
});
const synchronization = new iam.Role(stack, 'Synchronization', { assumedBy: new iam.ServicePrincipal('elasticfilesystem.amazonaws.com') });
bucket.grantReadWrite(synchronization, 'agents/*');
const s3FileSystem = new s3files.CfnFileSystem(stack, 'S3Files', { bucket: bucket.bucketArn, prefix: 'agents/', roleArn: synchronization.roleArn });
s3FileSystem.node.addDependency(synchronization);
const mountTargetSecurityGroup = new ec2.SecurityGroup(stack, 'MountTargets', { vpc, allowAllOutbound: false });
vpc.isolatedSubnets.forEach(({ subnetId }, i) => new s3files.CfnMountTarget(stack, `MountTarget${i}`, {
  fileSystemId: s3FileSystem.attrFileSystemId, subnetId, securityGroups: [mountTargetSecurityGroup.securityGroupId],
}));
const s3AccessPoint = new s3files.CfnAccessPoint(stack, 'AgentsOnS3', { fileSystemId: s3FileSystem.attrFileSystemId, posixUser: POSIX_USER });

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  networkConfiguration: RuntimeNetworkConfiguration.usingVpc(stack, { vpc, vpcSubnets: ISOLATED }),
  mounts: [
    Mount.sessionStorage('/mnt/workspace'),
    Mount.fromEfsAccessPoint(efsAccessPoint, '/mnt/shared'),
    Mount.fromS3FilesAccessPoint(s3AccessPoint, '/mnt/data', { readOnly: true }),
  ],
  environmentVariables: { WORKSPACE: '/mnt/workspace' },
});
for (const endpoint of endpoints) endpoint.connections.allowDefaultPortFrom(runtime);

acknowledgeExecutionRole(runtime, runtimeName);
const ofGrant = 'Wildcards of `Bucket.grantReadWrite`, for the service that synchronizes this one bucket, and for objects under one prefix.';
acknowledge(synchronization, {
  ...Object.fromEntries(['GetObject*', 'GetBucket*', 'List*', 'DeleteObject*', 'Abort*'].map((action) => [`IAM5[Action::s3:${action}]`, ofGrant])),
  [`IAM5[Resource::<${stack.getLogicalId(bucket.node.defaultChild as s3.CfnBucket)}.Arn>/agents/*]`]: ofGrant,
});
synthAndCheck(app, stack);
