import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { endpointFaults, sessionResources } from './endpoint';
import {
  INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, INVOKE_COMMAND_SHELL_ACTIONS, INVOKE_FOR_USER_ACTIONS, STOP_SESSION_ACTIONS,
} from './perms';
import { grantOrWarn } from '../private/grant';
import { throwOnFaults } from '../private/validation';

/** Options for the grants in `RuntimeGrants`. */
export interface RuntimeGrantOptions {
  /**
   * The endpoint through which the grantee can access the runtime.
   *
   * If its name is not known at synth, as with a `RuntimeRollout`, the grant covers all endpoints of the runtime: the name may change with
   * each deployment, while sessions stay on the endpoint that they started on.
   *
   * @default - all endpoints of the runtime
   */
  readonly endpoint?: IRuntimeEndpoint;
}

/**
 * Grants permission to use a runtime, with one method for each operation on it and its sessions.
 *
 * The runtime can be an `AgentRuntime`, an official `Runtime` or an imported one. The service authorizes each operation on both the runtime
 * and the endpoint, so every grant covers both ARNs. If this app cannot change the policy of the grantee, the warning
 * `cdk-agentcore-workbench:grantNotAdded` lists the permissions to add.
 *
 * @example
 * declare const runtime: agentcore.IBedrockAgentRuntime;
 * declare const endpoint: agentcore.IRuntimeEndpoint;
 * declare const driver: lambda.Function;
 * const grants = RuntimeGrants.fromRuntime(runtime);
 * grants.invokeCommand(driver, { endpoint });
 * grants.stopSession(driver, { endpoint });
 */
export class RuntimeGrants {
  /**
   * Returns the grants for a runtime.
   *
   * @param runtime The runtime, which can be imported
   */
  public static fromRuntime(runtime: IBedrockAgentRuntime): RuntimeGrants {
    return new RuntimeGrants(runtime);
  }

  private readonly runtime: IBedrockAgentRuntime;

  private constructor(runtime: IBedrockAgentRuntime) {
    this.runtime = runtime;
  }

  /**
   * Grants permission to invoke the runtime: `bedrock-agentcore:InvokeAgentRuntime`.
   *
   * @param grantee The principal to grant permission to
   * @param options Options for the grant
   */
  public invokeRuntime(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_ACTIONS, options);
  }

  /**
   * Grants permission to invoke the runtime on behalf of a user: `bedrock-agentcore:InvokeAgentRuntimeForUser`.
   *
   * Requests with the `X-Amzn-Bedrock-AgentCore-Runtime-User-Id` header require it in addition to `invokeRuntime`.
   *
   * @param grantee The principal to grant permission to
   * @param options Options for the grant
   */
  public invokeRuntimeForUser(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_FOR_USER_ACTIONS, options);
  }

  /**
   * Grants permission to run commands in sessions: `bedrock-agentcore:InvokeAgentRuntimeCommand`.
   *
   * A command runs with the credentials of the execution role, and is not subject to the agent's own restrictions.
   *
   * @param grantee The principal to grant permission to
   * @param options Options for the grant
   */
  public invokeCommand(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_COMMAND_ACTIONS, options);
  }

  /**
   * Grants permission to open interactive shells in sessions: `bedrock-agentcore:InvokeAgentRuntimeCommandShell`.
   *
   * A shell runs with the credentials of the execution role, and is not subject to the agent's own restrictions.
   *
   * @param grantee The principal to grant permission to
   * @param options Options for the grant
   */
  public invokeCommandShell(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_COMMAND_SHELL_ACTIONS, options);
  }

  /**
   * Grants permission to stop sessions: `bedrock-agentcore:StopRuntimeSession`. A stopped session can be resumed.
   *
   * @param grantee The principal to grant permission to
   * @param options Options for the grant
   */
  public stopSession(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, STOP_SESSION_ACTIONS, options);
  }

  private grant(grantee: iam.IGrantable, actions: string[], { endpoint }: RuntimeGrantOptions): iam.Grant {
    throwOnFaults(this.runtime, endpointFaults(endpoint));
    return grantOrWarn(this.runtime, { grantee, actions, resourceArns: sessionResources(this.runtime, endpoint) });
  }
}
