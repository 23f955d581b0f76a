import { CfnResource, Fn, Stack, Validations } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { IConstruct, IDependable } from 'constructs';
import { mountTargetsOf, securityGroupsOf } from './mount-targets';

/** Configuration of a mount, returned by `Mount.bind()`. */
export interface MountConfig {
  /** The entry in the `FilesystemConfigurations` of the runtime. */
  readonly configuration: CfnRuntime.FilesystemConfigurationProperty;

  /**
   * Policy statements to add to the execution role. They may allow or deny.
   *
   * @default - no statements
   */
  readonly statements?: iam.PolicyStatement[];

  /**
   * Mount targets, or their security groups, that must accept connections from the runtime on TCP port 2049.
   *
   * @default - none; the runtime does not reach the file system through the VPC
   */
  readonly mountTargets?: ec2.IConnectable[];

  /**
   * Resources that must exist before the runtime is created, so that its first session can mount the file system.
   *
   * @default - no dependencies
   */
  readonly dependencies?: IDependable[];
}

/** Options for `Mount.fromEfsAccessPoint`. */
export interface EfsAccessPointOptions {
  /**
   * Determines whether the runtime is denied permission to write through this access point.
   *
   * If `true`, a deny statement in the policy of the execution role overrides whatever the file system policy allows. The mount options stay
   * the same.
   *
   * A file system **without a policy** grants full access to every client that can connect to a mount target, without evaluating IAM
   * policies, so the deny statement probably has no effect. Attach a policy, for example with `allowAnonymousAccess: false` on the
   * `efs.FileSystem`. A file system of this app without a policy causes the warning `cdk-agentcore-workbench:readOnlyWithoutPolicy`.
   *
   * @see https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
   *
   * @default false
   */
  readonly readOnly?: boolean;
}

/** Options for `Mount.fromS3FilesAccessPoint`. */
export interface S3FilesAccessPointOptions {
  /**
   * Determines whether the runtime is denied permission to write through this access point.
   *
   * If `true`, a deny statement in the policy of the execution role overrides whatever the file system policy allows. The mount options stay
   * the same.
   *
   * @default false
   */
  readonly readOnly?: boolean;

  /**
   * The mount targets of the file system. The runtime depends on them.
   *
   * S3 Files requires a mount target in each Availability Zone of the runtime.
   *
   * @default - the mount targets of the file system that are in the same app or stage when the runtime is created
   */
  readonly mountTargets?: s3files.IMountTargetRef[];

  /**
   * The security groups of the mount targets. Each gets an ingress rule for the runtime on TCP port 2049.
   *
   * If the list is empty, or no security group is found, synthesis emits the warning `cdk-agentcore-workbench:mountTargetsNotOpened`.
   *
   * @default - the security groups of the mount targets
   */
  readonly securityGroups?: ec2.ISecurityGroup[];
}

/**
 * A file system that a runtime mounts into each session.
 *
 * A runtime can have at most 5 mounts: 1 session storage, 2 EFS access points and 2 S3 Files access points. The service mounts them in
 * parallel when a session starts, and allows 30 seconds for it. If a mount fails, the invocation fails with HTTP 424. The mount paths do not
 * exist while the container starts; they appear with the first invocation.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-filesystem-configurations.html
 */
export abstract class Mount {
  /**
   * Mounts storage that the service manages for each session. It persists when the session stops, and is mounted again when the session resumes.
   *
   * The storage of each session is limited to 1 GB and about 100,000 files. The service deletes it when the session has not been invoked for
   * 14 days, and **when the endpoint of the session is updated to another version of the runtime**.
   *
   * Session storage requires neither VPC mode nor permissions. In VPC mode, the data passes through your VPC, which must provide access to
   * Amazon S3.
   *
   * @param mountPath A directory under `/mnt`, such as `/mnt/workspace`, of 6 to 200 characters
   */
  public static sessionStorage(mountPath: string): Mount {
    return new SessionStorageMount(mountPath);
  }

  /**
   * Mounts an access point of an Amazon EFS file system. All sessions share it, and new versions of the runtime keep it.
   *
   * Requires VPC mode. The execution role gets permission to mount the file system through this access point only, the security groups of the
   * file system get an ingress rule for the runtime on TCP port 2049, and the runtime depends on the mount targets. The POSIX user of the access
   * point must be the user of the container.
   *
   * @param accessPoint The access point. Import one with `AccessPoint.fromAccessPointAttributes` and `fileSystem`, so that its file system is known
   * @param mountPath A directory under `/mnt`, such as `/mnt/shared`, of 6 to 200 characters
   * @param options Options for the mount
   */
  public static fromEfsAccessPoint(accessPoint: efs.IAccessPoint, mountPath: string, options: EfsAccessPointOptions = {}): Mount {
    return new EfsMount(mountPath, accessPoint, options);
  }

  /**
   * Mounts an access point of an Amazon S3 Files file system. All sessions share it, and new versions of the runtime keep it.
   *
   * Requires VPC mode. The execution role gets permission to mount the file system through this access point only, the security groups of the
   * mount targets get an ingress rule for the runtime on TCP port 2049, and the runtime depends on the mount targets. Pass mount targets of
   * another app in the options. Hard links are not supported.
   *
   * @param accessPoint The access point
   * @param mountPath A directory under `/mnt`, such as `/mnt/data`, of 6 to 200 characters
   * @param options Options for the mount
   */
  public static fromS3FilesAccessPoint(
    accessPoint: s3files.IAccessPointRef, mountPath: string, options: S3FilesAccessPointOptions = {},
  ): Mount {
    return new S3FilesMount(mountPath, accessPoint, options);
  }

  /** The path where the file system is mounted in a session, as it was passed in. A trailing slash is ignored. */
  public readonly mountPath: string;

  protected constructor(mountPath: string) {
    this.mountPath = mountPath;
  }

  /**
   * Returns the configuration of the mount. Each runtime that has the mount calls this method once.
   *
   * @param scope The runtime
   */
  public abstract bind(scope: IConstruct): MountConfig;
}

class SessionStorageMount extends Mount {
  constructor(mountPath: string) {
    super(mountPath);
  }

  public bind(_scope: IConstruct): MountConfig {
    return { configuration: { sessionStorage: { mountPath: this.mountPath } } };
  }
}

/** The ID of the warning about a deny that is probably not evaluated. Users acknowledge it by this ID: do not change it. */
const READ_ONLY_WITHOUT_POLICY = 'cdk-agentcore-workbench:readOnlyWithoutPolicy';

class EfsMount extends Mount {
  constructor(mountPath: string, private readonly accessPoint: efs.IAccessPoint, private readonly options: EfsAccessPointOptions) {
    super(mountPath);
  }

  public bind(scope: IConstruct): MountConfig {
    const { accessPointArn, fileSystem } = this.accessPoint;
    const { readOnly = false } = this.options;
    if (readOnly) warnWithoutPolicy(scope, fileSystem);
    return {
      configuration: { efsAccessPoint: { accessPointArn, mountPath: this.mountPath } },
      statements: clientAccess('elasticfilesystem', fileSystem.fileSystemArn, accessPointArn, readOnly),
      mountTargets: [fileSystem],
      dependencies: [fileSystem.mountTargetsAvailable],
    };
  }
}

/** Validates at synth, since a policy may be added later. The policy of an imported file system is not known. */
function warnWithoutPolicy(scope: IConstruct, fileSystem: efs.IFileSystem): void {
  scope.node.addValidation({
    validate: () => {
      const resource = fileSystem.node.defaultChild;
      // Compares the type, since `CfnFileSystem.isCfnFileSystem` would load the EFS module.
      if (!CfnResource.isCfnResource(resource) || resource.cfnResourceType !== 'AWS::EFS::FileSystem') return [];
      if (Stack.of(resource).resolve((resource as efs.CfnFileSystem).fileSystemPolicy) === undefined) {
        Validations.of(scope).addWarning(READ_ONLY_WITHOUT_POLICY, `the file system "${fileSystem.node.path}" is mounted read-only but has no policy, `
          + 'so Amazon EFS probably does not evaluate IAM policies and the runtime can write: set "allowAnonymousAccess" to false');
      }
      return [];
    },
  });
}

/** The ID of the warning about mount targets without security groups. Users acknowledge it by this ID: do not change it. */
const MOUNT_TARGETS_NOT_OPENED = 'cdk-agentcore-workbench:mountTargetsNotOpened';

class S3FilesMount extends Mount {
  constructor(mountPath: string, private readonly accessPoint: s3files.IAccessPointRef, private readonly options: S3FilesAccessPointOptions) {
    super(mountPath);
  }

  public bind(scope: IConstruct): MountConfig {
    const { accessPointArn } = this.accessPoint.accessPointRef;
    const { readOnly = false, mountTargets = mountTargetsOf(this.accessPoint) } = this.options;
    const securityGroups = this.options.securityGroups ?? securityGroupsOf(mountTargets, scope);
    if (securityGroups.length === 0) {
      Validations.of(scope).addWarning(MOUNT_TARGETS_NOT_OPENED, 'no "securityGroups" are given for an S3 Files file system, and none of its mount targets '
        + 'in this app has any: allow the runtime on TCP 2049 in the security groups of the mount targets, or every invocation fails with HTTP 424');
    }
    // The ARN of an access point starts with the ARN of its file system.
    const fileSystemArn = Fn.select(0, Fn.split('/access-point/', accessPointArn));
    return {
      configuration: { s3FilesAccessPoint: { accessPointArn, mountPath: this.mountPath } },
      statements: [
        ...clientAccess('s3files', fileSystemArn, accessPointArn, readOnly),
        // The service reads the access point and its mount targets when a runtime is created. These actions do not support the condition key.
        new iam.PolicyStatement({ actions: ['s3files:GetAccessPoint'], resources: [accessPointArn] }),
        new iam.PolicyStatement({ actions: ['s3files:ListMountTargets'], resources: [fileSystemArn] }),
      ],
      mountTargets: securityGroups,
      dependencies: mountTargets,
    };
  }
}

/**
 * Returns the statements for an NFS client that connects through one access point. Both services have the same actions and condition key.
 *
 * A read-only client needs a deny: an allow in the file system policy is enough to write, and the policy that `allowAnonymousAccess: false` or
 * `grantRead` gives an `efs.FileSystem` allows everyone to write. The deny leaves out `ClientRootAccess`, without which a container that runs
 * as root could not read files that only root can read.
 */
function clientAccess(service: 'elasticfilesystem' | 's3files', fileSystemArn: string, accessPointArn: string, readOnly: boolean): iam.PolicyStatement[] {
  const [mount, write] = [`${service}:ClientMount`, `${service}:ClientWrite`];
  const resources = [fileSystemArn];
  const conditions = { ArnEquals: { [`${service}:AccessPointArn`]: accessPointArn } };
  if (!readOnly) return [new iam.PolicyStatement({ actions: [mount, write], resources, conditions })];
  return [
    new iam.PolicyStatement({ actions: [mount], resources, conditions }),
    new iam.PolicyStatement({ effect: iam.Effect.DENY, actions: [write], resources, conditions }),
  ];
}
