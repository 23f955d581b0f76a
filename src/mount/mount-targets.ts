/**
 * Finds what an access point of S3 Files does not know: the mount targets of its file system, and their security groups.
 *
 * The CDK's own reflection does the same for functions; it is not public.
 */
// Amazon EC2 and S3 Files through here, where they are loaded when they are used: most runtimes mount nothing of theirs.
import { aws_ec2 as ec2, aws_s3files as s3files, Stage } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Mount targets of the access point's file system in the same app or stage. None for a file system that nothing here knows. */
export function mountTargetsOf(accessPoint: s3files.IAccessPointRef): s3files.CfnMountTarget[] {
  const constructs = constructsAround(accessPoint);
  const { accessPointId, accessPointArn } = accessPoint.accessPointRef;
  const resource = constructs.find((construct) => s3files.CfnAccessPoint.isCfnAccessPoint(construct)
    && (construct === accessPoint || construct.attrAccessPointId === accessPointId));
  // An imported one says whose it is by its ARN, if that is known at synth.
  const fileSystemId = s3files.CfnAccessPoint.isCfnAccessPoint(resource) ? resource.fileSystemId : /:file-system\/(fs-[0-9a-f]+)\//.exec(accessPointArn)?.[1];
  if (fileSystemId === undefined) return [];
  const fileSystem = constructs.find((construct) => s3files.CfnFileSystem.isCfnFileSystem(construct) && idsOf(construct).includes(fileSystemId));
  const ids = s3files.CfnFileSystem.isCfnFileSystem(fileSystem) ? idsOf(fileSystem) : [fileSystemId];
  return constructs.filter((construct) => s3files.CfnMountTarget.isCfnMountTarget(construct)).filter((target) => ids.includes(target.fileSystemId));
}

/**
 * Security groups of the mount targets, each once.
 *
 * @param scope for groups that are no construct of the second level here
 */
export function securityGroupsOf(mountTargets: readonly s3files.IMountTargetRef[], scope: IConstruct): ec2.ISecurityGroup[] {
  const ids = mountTargets.flatMap((target) => s3files.CfnMountTarget.isCfnMountTarget(target)
    ? (target.securityGroups ?? []).map((id, i) => [id, `SecurityGroup${i}Of${target.node.addr}`] as const)
    : []);
  const groups = mountTargets.flatMap((target) => constructsAround(target)).filter(isSecurityGroup);
  return [...new Map([...ids].reverse()).entries()].reverse().map(([id, constructId]) => {
    const known = groups.find(({ securityGroupId, node: { defaultChild } }) =>
      securityGroupId === id || (ec2.CfnSecurityGroup.isCfnSecurityGroup(defaultChild) && defaultChild.ref === id));
    return known
      ?? scope.node.tryFindChild(constructId) as ec2.ISecurityGroup | undefined
      ?? ec2.SecurityGroup.fromSecurityGroupId(scope as never, constructId, id);
  });
}

function constructsAround(construct: IConstruct): IConstruct[] {
  return (Stage.of(construct) ?? construct.node.root).node.findAll();
}

function idsOf(fileSystem: s3files.CfnFileSystem): string[] {
  return [fileSystem.ref, fileSystem.attrFileSystemId];
}

/** By its form: an imported group has no class that is public. */
function isSecurityGroup(construct: IConstruct): construct is ec2.ISecurityGroup {
  return 'securityGroupId' in construct && 'addIngressRule' in construct && 'connections' in construct;
}
