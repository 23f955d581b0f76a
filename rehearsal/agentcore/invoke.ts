import type { AgentResponse } from './agent';
import { DataPlane, sessionOf, strikeBeforeStart, strikeSession } from './data-plane';
import { agentFailed, ServiceError, StreamCut, validation } from './errors';
import { Exchange, noteTraceHeaders, SESSION_HEADER, USER_HEADER } from './exchange';
import type { FaultPoint } from './faults';
import { LIMITS } from './limits';
import type { Microvm, Session } from './session';

/** InvokeAgentRuntime. */
export async function invokeAgent(exchange: Exchange, plane: DataPlane): Promise<void> {
  const { call } = exchange;
  if (call.body.length > LIMITS.payload) {
    throw validation(`payload must have at most ${LIMITS.payload} bytes, not ${call.body.length}`);
  }
  noteTraceHeaders(exchange); // checked before there is a session
  const session = sessionOf(exchange, plane);
  const headers = { [SESSION_HEADER]: session.key.sessionId };
  await strikeBeforeStart(exchange, { session, beginReply: () => exchange.begin(200, { ...headers, 'content-type': 'application/json' }) });
  await session.use(microvm => new Invocation(exchange, plane, session, microvm).run(headers));
}

class Invocation {
  private readonly stopper = new AbortController();
  private timedOut = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly plane: DataPlane,
    private readonly session: Session,
    private readonly microvm: Microvm,
  ) {}

  async run(headers: Readonly<Record<string, string>>): Promise<void> {
    const { microvm, exchange, plane: { clock, sessions } } = this;
    if (!('invoke' in microvm.agent)) {
      throw microvm.agent;
    }
    sessions.invoked(this.session.key);
    microvm.signal.addEventListener('abort', this.stop);
    void exchange.closed.then(() => this.plane.unconfirmed.onDisconnect === 'kill' && this.stop());
    const limit = (seconds: number) => clock.setTimeout(() => {
      this.timedOut = true;
      this.stop();
    }, seconds * 1000);
    let cancelLimit = limit(LIMITS.syncInvoke);
    try {
      const response = await this.untilStopped(microvm.agent.invoke(this.request(), this.stopper.signal));
      const { statusCode = 200, contentType = 'application/json' } = response;
      if (statusCode >= 400) {
        throw agentFailed(statusCode);
      }
      if (contentType.startsWith('text/event-stream')) {
        cancelLimit();
        cancelLimit = limit(LIMITS.streamingInvoke);
      }
      exchange.begin(statusCode, { ...headers, 'content-type': contentType });
      await this.relay(response.body);
      await this.reach('beforeEnd');
      exchange.finish({ statusCode });
    } catch (error) {
      if (!(error instanceof StreamCut) && exchange.open) {
        await this.fail(error);
      }
    } finally {
      cancelLimit();
      microvm.signal.removeEventListener('abort', this.stop);
      exchange.settle({ cut: true });
    }
  }

  private request() {
    const { call } = this.exchange;
    return {
      sessionId: this.session.key.sessionId,
      payload: call.body,
      contentType: this.exchange.header('content-type') ?? 'application/json',
      accept: this.exchange.header('accept') ?? 'application/json',
      userId: this.exchange.header(USER_HEADER),
      traceHeaders: call.traceHeaders,
      json: () => JSON.parse(call.body.toString('utf8')) as unknown,
    };
  }

  private readonly stop = () => this.stopper.abort();

  private throwIfStopped(): void {
    if (this.stopper.signal.aborted) {
      throw new Error('stopped');
    }
  }

  /** A scripted agent may take no notice of the signal. */
  private untilStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.stopper;
    let stop: () => void;
    const stopped = new Promise<never>((_, reject) => {
      this.throwIfStopped();
      stop = () => reject(new Error('stopped'));
      signal.addEventListener('abort', stop);
    });
    // Each part of a reply waits in this way: a listener that stayed would be one more for each.
    return Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', stop));
  }

  private async fail(error: unknown): Promise<void> {
    const { exchange, microvm } = this;
    if (exchange.started) {
      // The microVM, the agent or a limit ended the stream: its client must not take it for complete.
      if (microvm.signal.aborted && this.plane.unconfirmed.onSessionEnd === 'end') {
        exchange.cut();
      } else {
        await exchange.reset();
      }
      return;
    }
    await exchange.error(error instanceof ServiceError ? error : agentFailed(this.timedOut ? 504 : 502));
  }

  private async relay(body: AgentResponse['body']): Promise<void> {
    const parts = typeof body === 'string' || Buffer.isBuffer(body) ? single(body) : body;
    const iterator = parts[Symbol.asyncIterator]();
    try {
      await this.relayParts(iterator);
    } finally {
      void iterator.return?.().catch(() => undefined);
    }
  }

  private async relayParts(iterator: AsyncIterator<string | Buffer>): Promise<void> {
    let first = true;
    for (let next = await this.untilStopped(iterator.next()); !next.done; next = await this.untilStopped(iterator.next())) {
      const chunk = typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
      if (first && this.exchange.awaits('firstByte')) {
        await this.send(chunk.subarray(0, 1));
        await this.reach('firstByte');
        await this.deliver(chunk.subarray(1));
      } else {
        await this.deliver(chunk);
      }
      first = false;
    }
  }

  private async deliver(chunk: Buffer): Promise<void> {
    const left = this.exchange.bytesLeft();
    if (left !== undefined && left <= chunk.length) {
      await this.send(chunk.subarray(0, left));
      await this.reach('midOutput');
      await this.send(chunk.subarray(left));
    } else {
      await this.send(chunk);
    }
  }

  /** The agent goes on when its client has gone, as long as nobody stops it: its reply is thrown away then. */
  private async send(chunk: Buffer): Promise<void> {
    this.exchange.call.bytes += chunk.length;
    if (this.exchange.open && chunk.length > 0) {
      await this.exchange.send(chunk);
    }
  }

  private async reach(at: FaultPoint): Promise<void> {
    const fault = this.exchange.open ? this.exchange.strike(at) : undefined;
    if (!fault) {
      return;
    }
    if (await strikeSession(fault, this.session)) {
      this.throwIfStopped();
      return;
    }
    if (fault.spec.kind === 'hang') {
      await this.exchange.hang();
    } else if (fault.spec.kind === 'reset') {
      await this.exchange.reset();
    } else {
      this.exchange.cut();
    }
    if ((fault.spec.then ?? this.plane.unconfirmed.onDisconnect) === 'kill') {
      this.stop();
    }
  }
}

async function* single(body: string | Buffer): AsyncIterable<string | Buffer> {
  yield body;
}
