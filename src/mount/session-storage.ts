import { Mixin } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { configurationsOf, mountFaults, mountsOf } from './mount-rules';
import { throwOnFaults } from '../private/validation';

/**
 * Adds session storage to an official `Runtime` or to a `CfnRuntime`.
 *
 * Use this mixin where the runtime cannot be an `AgentRuntime`. It keeps the existing mounts of the runtime, and throws an error if the runtime
 * already has session storage or the mount path is already in use. It does not change an imported runtime.
 *
 * @example
 * declare const runtime: agentcore.Runtime;
 * runtime.with(new SessionStorage('/mnt/workspace'));
 */
export class SessionStorage extends Mixin {
  private readonly mountPath: string;

  /**
   * @param mountPath A directory under `/mnt`, such as `/mnt/workspace`, of 6 to 200 characters
   */
  public constructor(mountPath: string) {
    super();
    this.mountPath = mountPath;
  }

  /**
   * Determines whether the mixin can be applied to a construct, which must be the L1 resource of a runtime.
   *
   * @param construct The construct to check
   */
  public supports(construct: IConstruct): boolean {
    return CfnRuntime.isCfnRuntime(construct);
  }

  /**
   * Adds session storage to the L1 resource of a runtime.
   *
   * @param construct The L1 resource
   */
  public applyTo(construct: IConstruct): void {
    if (!CfnRuntime.isCfnRuntime(construct)) return;
    const added = { sessionStorage: { mountPath: this.mountPath } };
    // The existing mounts were already accepted with the network mode of their runtime.
    throwOnFaults(construct, mountFaults([...mountsOf(construct), added], 'filesystemConfigurations', undefined));
    construct.filesystemConfigurations = [...configurationsOf(construct), added];
  }
}
