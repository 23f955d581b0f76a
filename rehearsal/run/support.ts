import { unknownValues } from './unknown-values';
import type { Agent } from '../agentcore';
import { NotEmulatedError } from '../assembly';
import type { LocalDeployment, LoopDescription } from '../deployment';
import { isRolloutAttribute } from '../rollout/rollout';
import type { SandboxDriver } from '../sandbox';
import type { Definition } from '../stepfunctions';
import { unsupported } from '../stepfunctions/definition';

export interface SupportOptions {
  readonly agent?: Agent;
  readonly sandbox?: SandboxDriver;
}

/** Fails before anything is started if the loop uses what a rehearsal does not have: a run would show what will not happen. */
export function checkSupport(deployment: LocalDeployment, loop: LoopDescription, { agent, sandbox }: SupportOptions): void {
  const isHeard = sandbox?.ownNetwork !== true || (agent !== undefined && 'handler' in agent);
  const complaints = [
    ...unsupported(loop.definition),
    ...unknownValues(deployment, loop),
    ...tasksOf(loop.definition).flatMap(([name, resource]) => complaintAbout(deployment, name, resource) ?? []),
    ...(isHeard ? [] : tasksOf(loop.definition).flatMap(([name, resource]) => resource.endsWith('.waitForTaskToken') ? [silent(name)] : [])),
    ...(loop.publisher !== undefined && sandbox?.ownNetwork === true ? [UNREACHABLE] : []),
    ...(loop.endpointName === undefined || loop.endpointName === 'DEFAULT' || isRolloutAttribute(deployment, loop.endpointName) ? []
      : [`it uses the endpoint "${loop.endpointName}", and only DEFAULT and those of a RuntimeRollout exist in a rehearsal`]),
  ];
  if (complaints.length > 0) throw new NotEmulatedError(`${loop.path} cannot be rehearsed: ${complaints.join('; ')}`);
}

function tasksOf({ States }: Definition): [name: string, resource: string][] {
  return Object.entries(States).flatMap(([name, { Type, Resource }]) => Type === 'Task' && Resource !== undefined ? [[name, Resource]] : []);
}

const UNREACHABLE = 'its sessions clone from a forge on this machine, which a container that has its own network does not reach: '
  + 'rehearse with namespaces (--sandbox namespace), or with "network" host of chooseSandbox';

function silent(state: string): string {
  return `state "${state}" waits for a callback, which cannot leave a container that has its own network: `
    + 'rehearse with namespaces (--sandbox namespace), or with "network" host of chooseSandbox';
}

interface FunctionProperties {
  readonly Runtime?: string;
  readonly Code?: { readonly S3Key?: unknown };
}

function complaintAbout(deployment: LocalDeployment, state: string, resource: string): string | undefined {
  const [, name] = /:function:([^:]+)/.exec(resource) ?? [];
  if (resource.startsWith('arn:aws:states:::lambda:invoke')) return undefined;
  if (name === undefined) return `state "${state}" needs ${resource}, which is not emulated`;
  const properties = deployment.stack.resource(name)?.Properties as FunctionProperties | undefined;
  if (properties === undefined) return `state "${state}" needs the function ${name}, which is not in this stack`;
  const runs = properties.Runtime?.startsWith('nodejs') && properties.Code?.S3Key !== undefined;
  return runs ? undefined : `state "${state}" needs the function ${name}, which is not Node.js code in an asset`;
}
