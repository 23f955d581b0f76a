/**
 * Finds what an S3 Files access point does not refer to: the mount targets of its file system and their security groups.
 *
 * The CDK does the same for functions, but its reflection is not public.
 */
// These modules load on first use when they are imported from the root: most runtimes mount nothing that needs them.
import { aws_ec2 as ec2, aws_s3files as s3files, Stage } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Returns the mount targets of the access point's file system in the same app or stage; none if the file system is not known here. */
export function mountTargetsOf(accessPoint: s3files.IAccessPointRef): s3files.CfnMountTarget[] {
  const constructs = constructsAround(accessPoint);
  const { accessPointId, accessPointArn } = accessPoint.accessPointRef;
  const resource = constructs.find((construct) => s3files.CfnAccessPoint.isCfnAccessPoint(construct)
    && (construct === accessPoint || construct.attrAccessPointId === accessPointId));
  // The ARN of an imported access point names its file system, if the ARN is known at synth.
  const fileSystemId = s3files.CfnAccessPoint.isCfnAccessPoint(resource) ? resource.fileSystemId : /:file-system\/(fs-[0-9a-f]+)\//.exec(accessPointArn)?.[1];
  if (fileSystemId === undefined) return [];
  const fileSystem = constructs.find((construct) => s3files.CfnFileSystem.isCfnFileSystem(construct) && idsOf(construct).includes(fileSystemId));
  const ids = s3files.CfnFileSystem.isCfnFileSystem(fileSystem) ? idsOf(fileSystem) : [fileSystemId];
  return constructs.filter((construct) => s3files.CfnMountTarget.isCfnMountTarget(construct)).filter((target) => ids.includes(target.fileSystemId));
}

/**
 * Returns the security groups of the mount targets, without duplicates.
 *
 * @param mountTargets The mount targets
 * @param scope The scope in which groups without an L2 construct in this app are imported
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

/** Recognizes a security group by its members: the class of an imported group is not public. */
function isSecurityGroup(construct: IConstruct): construct is ec2.ISecurityGroup {
  return 'securityGroupId' in construct && 'addIngressRule' in construct && 'connections' in construct;
}
