import { CfnResource, Fn, Stack, Validations } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3files from 'aws-cdk-lib/aws-s3files';
import { IConstruct, IDependable } from 'constructs';
import { mountTargetsOf, securityGroupsOf } from './mount-targets';
import {
  EFS_READ_ACTIONS, EFS_READ_WRITE_ACTIONS, EFS_WRITE_ACTIONS, S3_FILES_ACCESS_POINT_ACTIONS, S3_FILES_MOUNT_TARGETS_ACTIONS, S3_FILES_READ_ACTIONS,
  S3_FILES_READ_WRITE_ACTIONS, S3_FILES_WRITE_ACTIONS,
} from './perms';

/** What a runtime needs for a mount. */
export interface MountConfig {
  /** The entry of `FilesystemConfigurations`. */
  readonly configuration: CfnRuntime.FilesystemConfigurationProperty;

  /**
   * Statements for the policy of the execution role, which gets them as they are: what it is allowed, and what it is denied.
   *
   * @default - nothing; session storage needs no permissions
   */
  readonly statements?: iam.PolicyStatement[];

  /**
   * Whose security groups have to let the runtime in on TCP 2049.
   *
   * @default - nothing is reached over the VPC
   */
  readonly mountTargets?: ec2.IConnectable[];

  /**
   * What has to exist before the runtime does, so that its first session can mount.
   *
   * @default - nothing
   */
  readonly dependencies?: IDependable[];
}

/** Options of `Mount.fromEfsAccessPoint`. */
export interface EfsAccessPointOptions {
  /**
   * Whether the runtime may only read through this access point.
   *
   * The execution role is then denied to write, whatever the policy of the file system allows; the mount itself looks the same.
   *
   * A file system **without a policy** grants full access to everyone who reaches a mount target, without looking at IAM, so that the denial
   * probably does nothing there: give it a policy, by `allowAnonymousAccess: false` on the `efs.FileSystem`. A file system of this app that
   * has none gets a warning with the id `cdk-agentcore-workbench:readOnlyWithoutPolicy`.
   *
   * @see https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
   *
   * @default false
   */
  readonly readOnly?: boolean;
}

/** Options of `Mount.fromS3FilesAccessPoint`. */
export interface S3FilesAccessPointOptions {
  /**
   * Whether the runtime may only read through this access point.
   *
   * The execution role is then denied to write, whatever the policy of the file system allows; the mount itself looks the same.
   *
   * @default false
   */
  readonly readOnly?: boolean;

  /**
   * Mount targets of the file system, which the runtime waits for when it is deployed.
   * S3 Files needs one in each availability zone of the runtime.
   *
   * @default - those of the file system that are in this app, or in this stage of it, when the runtime is made
   */
  readonly mountTargets?: s3files.IMountTargetRef[];

  /**
   * Security groups of the mount targets. Each gets a rule that lets the runtime in on TCP 2049.
   *
   * Without any, given or found, there is a warning with the id `cdk-agentcore-workbench:mountTargetsNotOpened`.
   *
   * @default - those of the mount targets that are given or found
   */
  readonly securityGroups?: ec2.ISecurityGroup[];
}

/**
 * A filesystem that a runtime mounts into each of its sessions.
 *
 * At most 5 of them, of which 1 session storage, 2 EFS access points and 2 S3 Files access points. All are mounted in
 * parallel when a session starts, within 30 seconds; one that fails makes the invocation fail with HTTP 424.
 * None is there while the container starts: the paths appear with the first invocation.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-filesystem-configurations.html
 */
export abstract class Mount {
  /**
   * Storage that the service keeps for each session by itself: it outlives a stop, and comes back when the session resumes.
   *
   * Holds 1 GB and some 100,000 files for each session. It is emptied when a session was not invoked for 14 days, and
   * **when the endpoint that the session uses moves to another version of the runtime**. Needs no VPC and no permissions.
   * In VPC mode the data goes through your VPC to Amazon S3, which has to be reachable.
   *
   * @param mountPath one folder under `/mnt`, such as `/mnt/workspace`; 6 to 200 characters
   */
  public static sessionStorage(mountPath: string): Mount {
    return new SessionStorageMount(mountPath);
  }

  /**
   * An access point of an Amazon EFS file system, shared by all sessions. It outlives new versions of the runtime.
   *
   * Needs VPC mode. The execution role is allowed to mount this access point and no other, the security groups are opened
   * on TCP 2049, and the runtime waits for the mount targets. The POSIX user of the access point has to be the container's.
   *
   * @param accessPoint one that knows its file system: imported ones by `AccessPoint.fromAccessPointAttributes` with `fileSystem`
   * @param mountPath one folder under `/mnt`, such as `/mnt/shared`; 6 to 200 characters
   * @param options what else to know about the mount
   */
  public static fromEfsAccessPoint(accessPoint: efs.IAccessPoint, mountPath: string, options: EfsAccessPointOptions = {}): Mount {
    return new EfsMount(mountPath, accessPoint, options);
  }

  /**
   * An access point of an Amazon S3 Files file system, shared by all sessions. It outlives new versions of the runtime.
   *
   * Needs VPC mode. The execution role is allowed to mount this access point and no other. The mount targets of its file system that are in this
   * app are waited for, and their security groups opened on TCP 2049; those of another app have to be given. Hard links do not work.
   *
   * @param accessPoint the access point
   * @param mountPath one folder under `/mnt`, such as `/mnt/data`; 6 to 200 characters
   * @param options what else to know about the mount
   */
  public static fromS3FilesAccessPoint(
    accessPoint: s3files.IAccessPointRef, mountPath: string, options: S3FilesAccessPointOptions = {},
  ): Mount {
    return new S3FilesMount(mountPath, accessPoint, options);
  }

  /** Where it is mounted, as given: a trailing slash is allowed and says nothing. */
  public readonly mountPath: string;

  protected constructor(mountPath: string) {
    this.mountPath = mountPath;
  }

  /**
   * What a runtime needs for this mount. Called by the runtime, once for each that mounts it.
   *
   * @param scope the runtime
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

class EfsMount extends Mount {
  constructor(mountPath: string, private readonly accessPoint: efs.IAccessPoint, private readonly options: EfsAccessPointOptions) {
    super(mountPath);
  }

  public bind(scope: IConstruct): MountConfig {
    const { accessPointArn, fileSystem } = this.accessPoint;
    if (this.options.readOnly) warnWithoutPolicy(scope, fileSystem);
    const conditions = { ArnEquals: { 'elasticfilesystem:AccessPointArn': accessPointArn } };
    return {
      configuration: { efsAccessPoint: { accessPointArn, mountPath: this.mountPath } },
      statements: [
        new iam.PolicyStatement({
          actions: this.options.readOnly ? EFS_READ_ACTIONS : EFS_READ_WRITE_ACTIONS,
          resources: [fileSystem.fileSystemArn],
          conditions,
        }),
        ...this.options.readOnly ? [denial(EFS_WRITE_ACTIONS, fileSystem.fileSystemArn, conditions)] : [],
      ],
      mountTargets: [fileSystem],
      dependencies: [fileSystem.mountTargetsAvailable],
    };
  }
}

class S3FilesMount extends Mount {
  constructor(mountPath: string, private readonly accessPoint: s3files.IAccessPointRef, private readonly options: S3FilesAccessPointOptions) {
    super(mountPath);
  }

  public bind(scope: IConstruct): MountConfig {
    const { accessPointArn } = this.accessPoint.accessPointRef;
    const mountTargets = this.options.mountTargets ?? mountTargetsOf(this.accessPoint);
    // The ARN of an access point begins with the one of its file system, so that the two cannot be given in disagreement.
    const fileSystemArn = Fn.select(0, Fn.split('/access-point/', accessPointArn));
    const conditions = { ArnEquals: { 's3files:AccessPointArn': accessPointArn } };
    return {
      configuration: { s3FilesAccessPoint: { accessPointArn, mountPath: this.mountPath } },
      statements: [
        new iam.PolicyStatement({
          actions: this.options.readOnly ? S3_FILES_READ_ACTIONS : S3_FILES_READ_WRITE_ACTIONS,
          resources: [fileSystemArn],
          conditions,
        }),
        ...this.options.readOnly ? [denial(S3_FILES_WRITE_ACTIONS, fileSystemArn, conditions)] : [],
        new iam.PolicyStatement({ actions: S3_FILES_ACCESS_POINT_ACTIONS, resources: [accessPointArn] }),
        new iam.PolicyStatement({ actions: S3_FILES_MOUNT_TARGETS_ACTIONS, resources: [fileSystemArn] }),
      ],
      mountTargets: this.options.securityGroups ?? securityGroupsOf(mountTargets, scope),
      dependencies: mountTargets,
    };
  }
}

/**
 * What makes a mount read-only. Not to allow writing is not enough: an allow in the policy of the file system would do, and the one that an
 * `efs.FileSystem` gets from `allowAnonymousAccess: false`, or from `grantRead`, allows everyone to write.
 */
function denial(actions: string[], fileSystemArn: string, conditions: { [operator: string]: unknown }): iam.PolicyStatement {
  return new iam.PolicyStatement({ effect: iam.Effect.DENY, actions, resources: [fileSystemArn], conditions });
}

/** Id of the warning for a denial that nobody looks at. Stable, since users acknowledge it by this name. */
const READ_ONLY_WITHOUT_POLICY = 'cdk-agentcore-workbench:readOnlyWithoutPolicy';

/** When all is made, since a policy may come later. What policy an imported file system has is not known. */
function warnWithoutPolicy(scope: IConstruct, fileSystem: efs.IFileSystem): void {
  scope.node.addValidation({
    validate: () => {
      const resource = fileSystem.node.defaultChild;
      // By its type, so that Amazon EFS is loaded only by those who use it.
      if (!CfnResource.isCfnResource(resource) || resource.cfnResourceType !== 'AWS::EFS::FileSystem') return [];
      if (Stack.of(resource).resolve((resource as efs.CfnFileSystem).fileSystemPolicy) === undefined) {
        Validations.of(scope).addWarning(READ_ONLY_WITHOUT_POLICY, `the file system "${fileSystem.node.path}" is mounted read-only, but has no policy: without `
          + 'one IAM is probably not asked, and the runtime can write. Give it "allowAnonymousAccess: false"');
      }
      return [];
    },
  });
}
