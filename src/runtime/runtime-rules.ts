import { Token } from 'aws-cdk-lib';
import type { IBedrockAgentRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { SessionLifecycle } from './introspection';
import { faultsOf, Rule } from '../private/validation';

/**
 * The service's pattern for the names of runtimes and endpoints.
 *
 * @see https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_CreateAgentRuntimeEndpoint.html
 */
export const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/;

export const NAME_FORMAT = 'of 1 to 48 letters, digits and "_" that starts with a letter';

/** Returns the faults of the runtime name that a role is for. A wildcard or a hyphen would make the role's patterns match other runtimes. */
export function runtimeNameFaults(runtimeName: string): string[] {
  if (Token.isUnresolved(runtimeName) || NAME.test(runtimeName)) return [];
  return [`"runtimeName" must be a name ${NAME_FORMAT}, not "${runtimeName}": use the name of the runtime that the role is for`];
}

/** Returns the faults of a session lifecycle. The service has the same rule, but applies it only when the stack is deployed. */
export function lifecycleFaults({ idleRuntimeSessionTimeout: idle, maxLifetime: max }: SessionLifecycle): string[] {
  // If one is left out, the service chooses a value that fits the other.
  if (idle === undefined || max === undefined || Token.isUnresolved(idle) || Token.isUnresolved(max) || idle <= max) return [];
  return [`"idleRuntimeSessionTimeout" must be at most "maxLifetime" (${max} seconds), not ${idle} seconds: lower the one or raise the other`];
}

/** A runtime and the `AgentExecutionRole` that it is given. */
interface RoleOfRuntime {
  readonly role: iam.Role & { readonly runtimeName: string };
  readonly runtime: IBedrockAgentRuntime;
}

const differ = (one: string, other: string) => !Token.isUnresolved(one) && !Token.isUnresolved(other) && one !== other;

const ROLE_RULES: readonly Rule<RoleOfRuntime>[] = [
  {
    broken: ({ role, runtime }) => differ(role.runtimeName, runtime.agentRuntimeName),
    message: ({ role, runtime }) =>
      `"executionRole" must be for the runtime "${runtime.agentRuntimeName}", not "${role.runtimeName}": use the same "runtimeName" for both`,
  },
  // The trust policy names the account and the Region, so the service could not assume the role.
  ...(['account', 'region'] as const).map((place): Rule<RoleOfRuntime> => ({
    broken: ({ role, runtime }) => differ(role.stack[place], runtime.stack[place]),
    message: ({ role, runtime }) => `"executionRole" must be for the ${place} "${runtime.stack[place]}", not "${role.stack[place]}": `
      + `create the role in a stack of the runtime's ${place}`,
  })),
];

/** Returns the faults of a runtime's `AgentExecutionRole`. */
export function roleFaults(role: RoleOfRuntime['role'], runtime: IBedrockAgentRuntime): string[] {
  return faultsOf({ role, runtime }, ROLE_RULES);
}
