import { BedrockAgentCoreControlClient } from '@aws-sdk/client-bedrock-agentcore-control';
import { AgentCoreServer } from '../../rehearsal/agentcore';
import { Call } from '../../rehearsal/agentcore/calls';
import { controlPlane } from '../../rehearsal/agentcore/control-plane';
import { ServiceError, StreamCut } from '../../rehearsal/agentcore/errors';
import type { Exchange } from '../../rehearsal/agentcore/exchange';
import type { Plane } from '../../rehearsal/agentcore/plane';

interface Input { readonly [name: string]: unknown }

/**
 * Lets a client call the operations of the emulated control plane in this process, thirty times as fast as over HTTP. This makes a thousand
 * schedules bearable. Validation, states, quotas and faults are those of the server. Middleware of the step `initialize` comes first.
 */
export function directControlPlane(server: AgentCoreServer, client: BedrockAgentCoreControlClient): BedrockAgentCoreControlClient {
  client.middlewareStack.add((_, { commandName }) => async (args) => {
    const input = args.input as unknown as Input;
    const name = commandName!.replace(/Command$/, '') as keyof typeof controlPlane;
    const body = Buffer.from(JSON.stringify(input));
    const call = new Call(name, input.agentRuntimeId as string, (input.endpointName ?? 'DEFAULT') as string, body, server.clock.now());
    let reply: unknown;
    const exchange = {
      call,
      strike: (at: 'beforeStart' | 'beforeEnd') => server.faults.strike(call, at),
      json: (_status: number, result?: unknown) => { reply = result; },
      reset: () => {},
    };
    try {
      await controlPlane[name](exchange as unknown as Exchange, server as unknown as Plane, parametersOf(input));
    } catch (error) {
      throw clientError(error);
    }
    return { output: (reply === undefined ? {} : JSON.parse(JSON.stringify(reply))) as never, response: undefined };
  }, { step: 'serialize', priority: 'high', name: 'directControlPlane' });
  return client;
}

/** Returns the path and query parameters that the service's model defines. */
function parametersOf(input: Input): Record<string, string> {
  const { agentRuntimeId: runtime, endpointName: endpoint, agentRuntimeVersion: version, resourceArn: resource, tagKeys, nextToken } = input;
  const all = { runtime, endpoint, version, resource, tagKeys: (tagKeys as string[] | undefined)?.join(','), nextToken };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>;
}

/** Returns the error that the SDK would throw. */
function clientError(error: unknown): Error {
  if (error instanceof StreamCut) return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const { code, status, message } = error as ServiceError;
  return Object.assign(new Error(message), { name: code, $metadata: { httpStatusCode: status } });
}
