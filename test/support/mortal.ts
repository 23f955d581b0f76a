import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { LambdaDied } from './cloudformation';

/** A request from a handler to the service. */
export interface HandlerCall {
  readonly operation: string;
  readonly input: {
    readonly agentRuntimeId?: string;
    readonly agentRuntimeArn?: string;
    readonly endpointName?: string;
    readonly qualifier?: string;
    readonly runtimeSessionId?: string;
    readonly resourceArn?: string;
  };
}

/** Hooks around each request of a handler. */
export interface Watch {
  /** Called before the request; a rejection means that the function dies. */
  before(call: HandlerCall): Promise<void> | void;
  /** Called once the service has responded, whatever the response. */
  arrived(call: HandlerCall): Promise<void>;
  /** Called after the service has handled the request; a rejection means that the function dies. */
  after(call: HandlerCall): Promise<void> | void;
}

type Send = (command: object, ...rest: unknown[]) => Promise<unknown>;

/** Runs a handler until it returns or is killed. */
export async function mortal<T>(run: (kill: () => void) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    run(() => reject(new LambdaDied('RequestId: 1 Error: Runtime exited with error: signal: killed'))).then(resolve, reject);
  });
}

/** Returns a client that a handler can be given, whose requests are watched. */
export function watched<T extends { send: unknown }>(client: T, kill: () => void, watch: Watch): T {
  const send = (client.send as Send).bind(client);
  return Object.assign(Object.create(client) as T, {
    send: (command: { readonly input: object }, ...rest: unknown[]) => (
      observed(command.constructor.name, command.input, () => send(command, ...rest), kill, watch)),
  });
}

/** Adds a watch to a client of a handler. It sees only the requests that the handler's own middleware lets through. */
export function watchedSessions(client: BedrockAgentCoreClient, kill: () => void, watch: Watch): BedrockAgentCoreClient {
  client.middlewareStack.add((next, { commandName }) => (args) => observed(commandName!, args.input, () => next(args), kill, watch), { step: 'build', name: 'watch' });
  return client;
}

async function observed<T>(command: string, input: object, send: () => Promise<T>, kill: () => void, watch: Watch): Promise<T> {
  const orDie = async (hook: () => Promise<void> | void) => {
    try {
      await hook();
    } catch {
      kill();
      await new Promise(() => {}); // a dead function does nothing
    }
  };
  const call = { operation: command.replace(/Command$/, ''), input };
  await orDie(() => watch.before(call));
  const output = await send().finally(() => watch.arrived(call));
  await orDie(() => watch.after(call));
  return output;
}
