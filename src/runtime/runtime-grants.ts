import { IBedrockAgentRuntime, IRuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { endpointFaults, sessionResources } from './endpoint';
import {
  INVOKE_ACTIONS, INVOKE_COMMAND_ACTIONS, INVOKE_COMMAND_SHELL_ACTIONS, INVOKE_FOR_USER_ACTIONS, STOP_SESSION_ACTIONS,
} from './perms';
import { grantOrWarn } from '../private/grant';
import { throwOnFaults } from '../private/validation';

/** Options of every grant on a runtime. */
export interface RuntimeGrantOptions {
  /**
   * The endpoint through which the grantee may reach the runtime.
   *
   * An endpoint whose name is only known after synth, such as that of a `RuntimeRollout`, stands for every endpoint of the runtime:
   * its name may change with each deployment, while sessions stay on the endpoint that they began on.
   *
   * @default - every endpoint of the runtime
   */
  readonly endpoint?: IRuntimeEndpoint;
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
 * declare const endpoint: agentcore.IRuntimeEndpoint;
 * declare const driver: lambda.Function;
 * const grants = RuntimeGrants.fromRuntime(runtime);
 * grants.invokeCommand(driver, { endpoint });
 * grants.stopSession(driver, { endpoint });
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

  private allow(grantee: iam.IGrantable, actions: string[], { endpoint }: RuntimeGrantOptions): iam.Grant {
    throwOnFaults(this.runtime, endpointFaults(endpoint));
    return grantOrWarn(this.runtime, { grantee, actions, resourceArns: sessionResources(this.runtime, endpoint) });
  }
}
