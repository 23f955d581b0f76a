import { Token } from 'aws-cdk-lib';
import { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import {
  INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, INVOKE_COMMAND_SHELL_ACTIONS, INVOKE_FOR_USER_ACTIONS, STOP_SESSION_ACTIONS,
} from './perms';
import { grantOrWarn } from '../private/grant';
import { isRolloutEndpoint } from '../private/rollout-endpoint';
import { throwOnFaults } from '../private/validation';

/** Options of every grant on a runtime. */
export interface RuntimeGrantOptions {
  /**
   * Name of the one endpoint through which the grantee may reach the runtime. `DEFAULT` is the endpoint that every runtime has.
   *
   * The name of a `RuntimeRollout` stands for every endpoint of the runtime, since it changes with each version while
   * sessions stay on the endpoint that they began on.
   *
   * @default - every endpoint of the runtime
   */
  readonly endpointName?: string;
}

/**
 * Grants on a runtime, one for each channel into its sessions: official, ours, or imported.
 *
 * The service asks for each action twice, on the runtime and on the endpoint, so every grant covers both ARNs. When the
 * grantee's policy cannot be changed from this app, a warning with the id `cdk-agentcore-workbench:grantNotAdded` says what
 * to allow there.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * declare const driver: lambda.Function;
 * const grants = RuntimeGrants.fromRuntime(runtime);
 * grants.invokeCommand(driver, { endpointName: 'live' });
 * grants.stopSession(driver, { endpointName: 'live' });
 */
export class RuntimeGrants {
  /** Grants on any runtime, an imported one included. */
  public static fromRuntime(runtime: IBedrockAgentRuntime): RuntimeGrants {
    return new RuntimeGrants(runtime);
  }

  private readonly runtime: IBedrockAgentRuntime;

  private constructor(runtime: IBedrockAgentRuntime) {
    this.runtime = runtime;
  }

  /** Allows to invoke the agent: `InvokeAgentRuntime`. */
  public invokeRuntime(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.allow(grantee, INVOKE_ACTIONS, options);
  }

  /** Allows to invoke the agent in the name of a user, beside `invokeRuntime`: `InvokeAgentRuntimeForUser`. */
  public invokeRuntimeForUser(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.allow(grantee, INVOKE_FOR_USER_ACTIONS, options);
  }

  /**
   * Allows to run commands in sessions: `InvokeAgentRuntimeCommand`.
   *
   * A command has the credentials of the execution role, and none of the agent's own restrictions apply to it.
   */
  public invokeCommand(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.allow(grantee, INVOKE_COMMAND_ACTIONS, options);
  }

  /**
   * Allows to open an interactive shell in sessions: `InvokeAgentRuntimeCommandShell`.
   *
   * A shell has the credentials of the execution role, and none of the agent's own restrictions apply to it.
   */
  public invokeCommandShell(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.allow(grantee, INVOKE_COMMAND_SHELL_ACTIONS, options);
  }

  /** Allows to stop sessions: `StopRuntimeSession`. The session can be resumed later. */
  public stopSession(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.allow(grantee, STOP_SESSION_ACTIONS, options);
  }

  private allow(grantee: iam.IGrantable, actions: string[], { endpointName }: RuntimeGrantOptions): iam.Grant {
    if (endpointName !== undefined) throwOnFaults(this.runtime, endpointNameFaults(endpointName));
    const { agentRuntimeArn } = this.runtime;
    const every = endpointName === undefined || isRolloutEndpoint(endpointName);
    const endpoints = every ? '*' : `runtime-endpoint/${endpointName}`;
    return grantOrWarn(this.runtime, { grantee, actions, resourceArns: [agentRuntimeArn, `${agentRuntimeArn}/${endpoints}`] });
  }
}

/** A wildcard here would silently widen what the user meant to narrow. */
export function endpointNameFaults(endpointName: string): string[] {
  if (Token.isUnresolved(endpointName) || /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/.test(endpointName)) return [];
  return [
    `"endpointName" is "${endpointName}", must start with a letter and have 1 to 48 of a-z, A-Z, 0-9 and "_": ` +
    'give the name of an endpoint, or leave it out for all of them',
  ];
}
