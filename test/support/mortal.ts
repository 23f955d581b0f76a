import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { BedrockAgentCoreControlClient } from '@aws-sdk/client-bedrock-agentcore-control';
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

/** Runs a handler until it returns or is killed. */
export async function mortal<T>(run: (kill: () => void) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    run(() => reject(new LambdaDied('RequestId: 1 Error: Runtime exited with error: signal: killed'))).then(resolve, reject);
  });
}

/** Adds a watch to a client of a handler. It sees only the requests that the handler's own middleware lets through. */
export function watched<T extends BedrockAgentCoreClient | BedrockAgentCoreControlClient>(client: T, kill: () => void, watch: Watch): T {
  const { middlewareStack } = client as BedrockAgentCoreClient; // the stacks of both clients take it
  middlewareStack.add((next, { commandName }) => (args) => observed(commandName!, args.input, () => next(args), kill, watch), {
    step: 'initialize', priority: 'low', name: 'watch',
  });
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
