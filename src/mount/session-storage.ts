import { Mixin } from 'aws-cdk-lib';
import { CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { IConstruct } from 'constructs';
import { configurationsOf, mountFaults, mountsOf } from './configurations';
import { throwOnFaults } from '../private/validation';

/**
 * Puts session storage on an official `Runtime`, or on a bare `CfnRuntime`, for those who keep their class.
 *
 * It adds to the mounts that are there, and refuses what the service would: a second session storage, a mount path twice.
 * An imported runtime cannot be changed, and is left alone.
 *
 * @example
 * declare const runtime: agentcore.Runtime;
 * runtime.with(new SessionStorage('/mnt/workspace'));
 */
export class SessionStorage extends Mixin {
  private readonly mountPath: string;

  /**
   * @param mountPath one folder under `/mnt`, such as `/mnt/workspace`; 6 to 200 characters
   */
  public constructor(mountPath: string) {
    super();
    this.mountPath = mountPath;
  }

  /** Whether the construct is the resource of a runtime. */
  public supports(construct: IConstruct): boolean {
    return CfnRuntime.isCfnRuntime(construct);
  }

  /** Adds session storage to the resource. */
  public applyTo(construct: IConstruct): void {
    if (!CfnRuntime.isCfnRuntime(construct)) return;
    const added = [...mountsOf(construct), { kind: 'sessionStorage' as const, mountPath: this.mountPath }];
    // Mounts that are there already were accepted with the network mode that they were given.
    throwOnFaults(construct, mountFaults(added, 'filesystemConfigurations', undefined));
    construct.filesystemConfigurations = [...configurationsOf(construct), { sessionStorage: { mountPath: this.mountPath } }];
  }
}
