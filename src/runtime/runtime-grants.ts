import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { endpointFaults, sessionResources } from './endpoint';
import {
  INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, INVOKE_COMMAND_SHELL_ACTIONS, INVOKE_FOR_USER_ACTIONS, STOP_SESSION_ACTIONS,
} from './perms';
import { grantOrWarn } from '../private/grant';
import { throwOnFaults } from '../private/validation';

/** Options of the grants in `RuntimeGrants`. */
export interface RuntimeGrantOptions {
  /**
   * The endpoint through which the grantee can access the runtime.
   *
   * An endpoint whose name is not known at synth, such as that of a `RuntimeRollout`, grants access through all endpoints of the runtime:
   * its name may change with each deployment, while sessions stay on the endpoint that they started on.
   *
   * @default - all endpoints of the runtime
   */
  readonly endpoint?: IRuntimeEndpoint;
}

/**
 * Grants for a runtime: one for each operation on it and its sessions.
 *
 * The runtime can be an `AgentRuntime`, an official `Runtime` or an imported one. The service authorizes each operation on the runtime
 * and on the endpoint, so every grant covers both ARNs. If the grantee's policy cannot be changed from this app, a warning with the id
 * `cdk-agentcore-workbench:grantNotAdded` says which permissions to add.
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
   * Creates grants for a runtime.
   *
   * @param runtime the runtime; can be imported
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
   * @param grantee the principal to grant permission to
   * @param options options of the grant
   */
  public invokeRuntime(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_ACTIONS, options);
  }

  /**
   * Grants permission to invoke the runtime on behalf of a user: `bedrock-agentcore:InvokeAgentRuntimeForUser`. The grantee also needs
   * `invokeRuntime`.
   *
   * @param grantee the principal to grant permission to
   * @param options options of the grant
   */
  public invokeRuntimeForUser(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_FOR_USER_ACTIONS, options);
  }

  /**
   * Grants permission to run commands in sessions: `bedrock-agentcore:InvokeAgentRuntimeCommand`.
   *
   * A command has the credentials of the execution role and is not subject to the agent's own restrictions.
   *
   * @param grantee the principal to grant permission to
   * @param options options of the grant
   */
  public invokeCommand(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_COMMAND_ACTIONS, options);
  }

  /**
   * Grants permission to open interactive shells in sessions: `bedrock-agentcore:InvokeAgentRuntimeCommandShell`.
   *
   * A shell has the credentials of the execution role and is not subject to the agent's own restrictions.
   *
   * @param grantee the principal to grant permission to
   * @param options options of the grant
   */
  public invokeCommandShell(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, INVOKE_COMMAND_SHELL_ACTIONS, options);
  }

  /**
   * Grants permission to stop sessions: `bedrock-agentcore:StopRuntimeSession`. A stopped session can be resumed.
   *
   * @param grantee the principal to grant permission to
   * @param options options of the grant
   */
  public stopSession(grantee: iam.IGrantable, options: RuntimeGrantOptions = {}): iam.Grant {
    return this.grant(grantee, STOP_SESSION_ACTIONS, options);
  }

  private grant(grantee: iam.IGrantable, actions: string[], { endpoint }: RuntimeGrantOptions): iam.Grant {
    throwOnFaults(this.runtime, endpointFaults(endpoint));
    return grantOrWarn(this.runtime, { grantee, actions, resourceArns: sessionResources(this.runtime, endpoint) });
  }
}
