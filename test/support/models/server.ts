import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { answerOf, End } from './answer';
import { anthropic } from './anthropic';
import { bedrockConverse } from './bedrock-converse';
import { bedrockInvoke } from './bedrock-invoke';
import { answerBeside } from './beside';
import { openAiChat } from './openai-chat';
import { openAiResponses } from './openai-responses';
import { Conversation, say, Script, Turn, turnOf, Wire } from './script';
import { Received, sendJson, WireError, WireFormat } from './wire';

const WIRES: readonly WireFormat[] = [anthropic, bedrockInvoke, bedrockConverse, openAiResponses, openAiChat];

export interface ModelServerOptions {
  /** Answers the calls of conversations: requests that offer tools. */
  readonly script: Script;
  /** Answers calls without tools, such as those for titles. Programs that need no tools take the script itself. @default - a short text */
  readonly sideScript?: Script;
  /** The models that exist. @default - all */
  readonly models?: readonly string[];
  /** The API keys, access key IDs and bearer tokens that are good. @default - all */
  readonly credentials?: readonly string[];
  /** The models that exist and may not be used. @default - none */
  readonly forbiddenModels?: readonly string[];
}

/** A request as the server saw it. */
export interface SeenRequest extends Received {
  /** The kind: of a conversation, beside one, another request of the provider's API, or one that nobody knows. */
  readonly kind: 'main' | 'side' | 'other' | 'unknown';
  readonly wire?: Wire;
  readonly credential?: string;
  readonly turn?: Turn;
  /** The status and the message if the request was refused before the script saw it. */
  readonly refused?: string;
}

/** A server that speaks the wire formats of providers of models, and whose answers come from a script. */
export class ModelServer {
  static async start(options: ModelServerOptions): Promise<ModelServer> {
    const server = new ModelServer(options);
    await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  readonly requests: SeenRequest[] = [];
  /** Errors of the script. A test that forgets to look sees them in the answer too. */
  readonly scriptErrors: unknown[] = [];
  private current: Script;
  private readonly http: Server;
  private readonly calls = { main: 0, side: 0 };
  private readonly watchers = new Set<() => void>();

  private constructor(private readonly options: ModelServerOptions) {
    this.current = options.script;
    this.http = createServer((request, response) => {
      this.serve(request, response).catch((error) => {
        this.scriptErrors.push(error);
        response.headersSent ? response.destroy() : sendJson(response, 500, { error: { message: `the script failed: ${error}` } });
      });
    });
    this.http.keepAliveTimeout = 0;
  }

  get script(): Script {
    return this.current;
  }

  /** Replaces the script. The numbers of calls start again. */
  set script(script: Script) {
    this.current = script;
    Object.assign(this.calls, { main: 0, side: 0 });
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** The address, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The turns of conversations that the script saw. */
  get turns(): Turn[] {
    return this.seen('main');
  }

  /** The turns without tools. */
  get sideTurns(): Turn[] {
    return this.seen('side');
  }

  /** The credentials of all requests, each once. */
  get credentials(): string[] {
    return [...new Set(this.requests.flatMap(({ credential }) => credential ?? []))];
  }

  /** Waits until a request like this was seen. */
  async waitFor(condition: (request: SeenRequest) => boolean): Promise<SeenRequest> {
    for (;;) {
      const found = this.requests.find(condition);
      if (found) {
        return found;
      }
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private seen(kind: SeenRequest['kind']): Turn[] {
    return this.requests.filter((request) => request.kind === kind).flatMap(({ turn }) => turn ?? []);
  }

  private record(request: SeenRequest): void {
    this.requests.push(request);
    const watchers = [...this.watchers];
    this.watchers.clear();
    watchers.forEach((watcher) => watcher());
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(incoming);
    const wire = WIRES.find((candidate) => candidate.matches(received));
    if (!wire) {
      const { known, ...answer } = answerBeside(received, this.options.models);
      this.record({ ...received, kind: known ? 'other' : 'unknown' });
      answer.body === undefined ? response.writeHead(answer.status).end() : sendJson(response, answer.status, answer.body);
      return;
    }
    let credential: string | undefined;
    let conversation: Conversation;
    try {
      credential = wire.credential(received);
      conversation = wire.parse(received);
      this.check(credential, conversation);
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.record({ ...received, kind: 'unknown', wire: wire.wire, credential, refused: `${error.failure}: ${error.message}` });
      wire.sendError(response, error, received);
      return;
    }
    const kind = conversation.tools.length > 0 ? 'main' : 'side';
    this.calls[kind] += 1;
    const turn = turnOf(wire.wire, conversation, this.calls[kind], received.body);
    this.record({ ...received, kind, wire: wire.wire, credential, turn });
    const script = kind === 'main' ? this.current : this.options.sideScript ?? answerSideCall;
    await respond(wire, response, received, turn, script);
  }

  private check(credential: string, { model }: Conversation): void {
    if (this.options.credentials && !this.options.credentials.includes(credential)) {
      throw new WireError('unauthorized');
    }
    if (this.options.forbiddenModels?.includes(model)) {
      throw new WireError('modelNotAllowed');
    }
    if (this.options.models && !this.options.models.includes(model)) {
      throw new WireError('modelUnknown', model);
    }
  }
}

async function respond(wire: WireFormat, response: ServerResponse, received: Received, turn: Turn, script: Script): Promise<void> {
  const answer = answerOf(await script(turn));
  const { end } = answer;
  if (answer.blocks.length === 0 && isInterruption(end)) {
    interrupt(end, response, () => wire.sendError(response, errorOf(end), received));
  } else if (turn.stream) {
    wire.streamBlocks(response, answer, turn);
    isInterruption(end)
      ? interrupt(end, response, () => wire.streamError(response, errorOf(end), answer))
      : wire.streamEnd(response, answer, turn);
  } else {
    isInterruption(end)
      ? interrupt(end, response, () => wire.sendError(response, errorOf(end), received))
      : wire.send(response, answer, turn);
  }
}

type Interruption = Exclude<End, { type: 'complete' | 'refuse' }> | { readonly type: 'hang' | 'cut' };

function isInterruption(end: End): end is Interruption {
  return end.type !== 'complete' && end.type !== 'refuse';
}

function errorOf(end: Interruption): WireError {
  return end.type === 'fail' ? new WireError(end.failure, undefined, end.retryAfter) : new WireError('internal');
}

function interrupt(end: Interruption, response: ServerResponse, sendError: () => void): void {
  if (end.type === 'fail') {
    sendError();
  } else if (end.type === 'cut') {
    // What was written before must arrive first: an empty write ends after it.
    response.headersSent ? response.write('', () => response.destroy()) : response.destroy();
  }
}

/** Answers calls for titles and topics: with JSON where the request speaks of it. */
function answerSideCall({ system, lastUserText }: Turn) {
  return say(/json/i.test(system + lastUserText) ? '{"title": "A task", "isNewTopic": false}' : 'A task');
}

async function receive(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(chunk as Buffer);
  }
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  return { method: incoming.method ?? 'GET', path: pathname, query: searchParams, headers: incoming.headers, body: parsed(Buffer.concat(chunks).toString('utf8')) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text;
  }
}
