import { BedrockAgentCoreClient, InvokeAgentRuntimeCommand } from '@aws-sdk/client-bedrock-agentcore';
import { ERRORS, LIMITS } from './constants';
import { SessionError, typedError } from './errors';
import { checkAddress, SessionAddress } from './session-address';
import { Tail } from './tail';

/** The request of `InvokeAgent` to the driver: one turn of the agent. */
export interface InvokeRequest extends SessionAddress {
  /** Sent as JSON. */
  readonly payload: unknown;
  readonly timeoutSeconds: number;
  /** The run that the call belongs to, as W3C Baggage. The agent receives it as a header. */
  readonly baggage?: string;
  /** The session is known to have answered, so that a container that fails is broken. */
  readonly answered?: boolean;
}

/**
 * The service's message about a container that was never ready. Its other messages for 424 may be the answer of an agent that had begun.
 */
const NOT_READY = /^Runtime initialization time exceeded/;

export interface InvokeResult {
  /** The JSON of the reply, or of its last event; its text if it is no JSON; null if it is larger than a state takes. */
  readonly reply: unknown;
  /** The reply's end, as text, if `reply` could not hold all of it. */
  readonly tail?: string;
  readonly replyBytes: number;
  /** The number of events, for an event stream. */
  readonly events?: number;
  readonly seconds: number;
}

/**
 * Invokes the agent and reads all of its answer, holding on to no more of it than a state takes.
 *
 * Errors tell who failed: the service (throttled, in transition, broken), the container (of a new session not ready yet; 4xx, 5xx, no start)
 * or the agent, which answered in order that its turn failed: JSON with `error`, or an event of that name.
 */
export async function invokeAgent(client: BedrockAgentCoreClient, request: InvokeRequest): Promise<InvokeResult> {
  checkAddress(request);
  if (!(request.timeoutSeconds > 0)) throw new SessionError(ERRORS.VALIDATION, `"timeoutSeconds" must be more than 0, not ${request.timeoutSeconds}`);
  const began = Date.now();
  const timeout = AbortSignal.timeout(request.timeoutSeconds * 1_000);
  const response = await client.send(new InvokeAgentRuntimeCommand({
    agentRuntimeArn: request.runtimeArn,
    qualifier: request.qualifier,
    runtimeSessionId: request.sessionId,
    baggage: request.baggage,
    contentType: 'application/json',
    accept: 'application/json, text/event-stream',
    payload: Buffer.from(JSON.stringify(request.payload)),
  }), { abortSignal: timeout }).catch((error) => {
    throw timeout.aborted ? timedOut(request) : failed(request, error);
  });

  const reader = response.contentType?.startsWith('text/event-stream') ? new EventReader() : new JsonReader();
  try {
    for await (const piece of response.response as AsyncIterable<Uint8Array>) reader.push(Buffer.from(piece));
  } catch (error) {
    if (timeout.aborted) throw timedOut(request);
    throw new SessionError(ERRORS.STREAM_CUT, `the agent's answer broke off after ${reader.bytes} bytes`, { cause: error, quote: (error as Error).message });
  }
  const answer = reader.answer();
  const failure = failureOf(answer.reply);
  if (failure !== undefined) throw new SessionError(ERRORS.AGENT, 'the agent says that its turn failed', { quote: failure });
  return { ...fitted(answer), replyBytes: reader.bytes, seconds: Math.round((Date.now() - began) / 1_000) };
}

/** The answer of an agent. */
interface Answer {
  /** Null if it was too large to be held. */
  readonly reply: unknown;
  readonly tooLarge: boolean;
  readonly tail: Tail;
  readonly events?: number;
}

/** The answer as far as a state takes it. By its size in there: a text full of quotes, or `1e20`, takes more room than it came in. */
function fitted({ reply, tooLarge, tail, ...rest }: Answer) {
  const fits = !tooLarge && Buffer.byteLength(JSON.stringify(reply)) <= LIMITS.replyBytes;
  return fits ? { reply, ...rest } : { reply: null, tail: tail.text(), ...rest };
}

function failed({ answered = false }: InvokeRequest, error: Error): SessionError {
  const known = typedError(error);
  if (answered || known.name !== ERRORS.CONTAINER || !NOT_READY.test(error.message)) return known;
  return new SessionError(ERRORS.STARTING, known.summary, { cause: error, quote: error.message });
}

function timedOut(request: InvokeRequest): SessionError {
  return new SessionError(ERRORS.INVOKE_TIMEOUT,
    `the agent did not answer in ${request.timeoutSeconds} seconds; it may still be running until its session is stopped`);
}

/** Returns the agent's description of its own failure, bounded, since it becomes an error's message. */
function failureOf(reply: unknown): string | undefined {
  if (typeof reply !== 'object' || reply === null || !('error' in reply) || !reply.error) return undefined;
  const { error } = reply;
  const text = typeof error === 'string' ? error : (error as { message?: unknown }).message ?? error;
  return (typeof text === 'string' ? text : JSON.stringify(text)).slice(0, 4_000);
}

/** Collects one JSON document, or the end of what is too large. */
class JsonReader {
  public bytes = 0;
  private readonly tail = new Tail(LIMITS.tailBytes.default);
  private pieces: Buffer[] = [];

  public push(piece: Buffer): void {
    this.bytes += piece.length;
    this.tail.push(piece);
    if (this.bytes <= LIMITS.replyBytes) this.pieces.push(piece);
    else this.pieces = [];
  }

  public answer(): Answer {
    const tooLarge = this.bytes > LIMITS.replyBytes;
    return { reply: tooLarge ? null : jsonOrText(Buffer.concat(this.pieces).toString('utf8')), tooLarge, tail: this.tail };
  }
}

/** Reads server-sent events and keeps the last one's data: an agent's conclusion comes last. */
class EventReader {
  public bytes = 0;
  private events = 0;
  private readonly tail = new Tail(LIMITS.tailBytes.default);
  private pending = Buffer.alloc(0);
  private skipping = false;
  private data: string[] = [];
  private size = 0;
  private name = '';
  /** Null for an event that was larger than a state takes. */
  private last: unknown = null;
  private lastIsLarge = false;

  public push(piece: Buffer): void {
    this.bytes += piece.length;
    this.tail.push(piece);
    let rest = Buffer.concat([this.pending, piece]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      if (!this.skipping) this.line(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      this.skipping = false;
    }
    if (rest.length > LIMITS.replyBytes) {
      // A line that exceeds the limit of a state is not kept in memory.
      this.skipping = true;
      this.size = Infinity;
    }
    this.pending = Buffer.from(this.skipping ? Buffer.alloc(0) : rest);
  }

  public answer(): Answer {
    // The end of the stream also ends a line and an event, because some agents omit that.
    if (this.pending.length > 0) this.line(this.pending);
    this.endEvent();
    return { reply: this.last, tooLarge: this.lastIsLarge, tail: this.tail, events: this.events };
  }

  private line(bytes: Buffer): void {
    const line = bytes.toString('utf8').replace(/\r$/, '');
    if (line.startsWith('data:')) {
      this.size += line.length;
      if (this.size <= LIMITS.replyBytes) this.data.push(line.slice(5).replace(/^ /, ''));
    } else if (line.startsWith('event:')) {
      this.name = line.slice(6).trim();
    } else if (line === '') {
      this.endEvent();
    }
  }

  private endEvent(): void {
    if (this.size > 0) {
      const large = this.size > LIMITS.replyBytes;
      const value = large ? null : jsonOrText(this.data.join('\n'));
      this.events++;
      // An error is the outcome, whatever follows it.
      if (failureOf(this.last) === undefined) {
        this.last = this.name === 'error' && failureOf(value) === undefined ? { error: value ?? 'of more than can be held' } : value;
        this.lastIsLarge = large;
      }
    }
    this.data = [];
    this.size = 0;
    this.name = '';
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
