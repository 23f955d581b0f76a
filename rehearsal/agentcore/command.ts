import { DataPlane, sessionOf, strikeBeforeStart, strikeSession } from './data-plane';
import { ServiceError, StreamCut, validation } from './errors';
import { encodeException, encodeStart, encodeStop, EVENT_STREAM, OutputEncoder, OutputName } from './event-stream';
import { Exchange, noteTraceHeaders, SESSION_HEADER } from './exchange';
import type { Fault, FaultPoint } from './faults';
import { LIMITS } from './limits';
import type { Microvm, Session } from './session';
import { commandLine } from './session-log';
import { wordsOf } from './words';

/** InvokeAgentRuntimeCommand. */
export async function invokeCommand(exchange: Exchange, plane: DataPlane): Promise<void> {
  const { command, timeout } = parse(exchange.call.body);
  Object.assign(exchange.call, { command, timeout });
  noteTraceHeaders(exchange); // the service checks and logs them; a command does not see them
  const session = sessionOf(exchange, plane);
  const words = wordsOf(command, plane.unconfirmed.commandMode);
  const headers = { 'content-type': EVENT_STREAM, [SESSION_HEADER]: session.key.sessionId };
  await strikeBeforeStart(exchange, { session, beginReply: () => exchange.begin(200, headers) });
  await session.use(async microvm => {
    // The service logs the text of every command, too.
    session.log(commandLine({ command, timeout }));
    exchange.begin(200, headers);
    await new CommandCall(exchange, plane, session, microvm).run(words, timeout);
  });
}

function parse(body: Buffer): { command: string; timeout: number } {
  const { min, max, default: byDefault } = LIMITS.commandTimeout;
  let input: { command?: unknown; timeout?: unknown };
  try {
    input = JSON.parse(body.toString('utf8')) as typeof input;
  } catch {
    throw validation('the body is not JSON');
  }
  const { command, timeout = byDefault } = input ?? {};
  if (typeof command !== 'string' || command === '' || Buffer.byteLength(command) > LIMITS.command.max) {
    throw validation(`command must have ${LIMITS.command.min} to ${LIMITS.command.max} bytes`);
  }
  if (typeof timeout !== 'number' || !Number.isInteger(timeout) || timeout < min || timeout > max) {
    throw validation(`timeout must be a whole number of ${min} to ${max} seconds, not ${JSON.stringify(timeout)}`);
  }
  if (command.includes('\0')) {
    throw validation('command must not contain NUL');
  }
  return { command, timeout };
}

/** One run of a command, with its stream. The command may outlive the stream, and the stream the command. */
class CommandCall {
  private readonly killer = new AbortController();
  private readonly encoders = { stdout: new OutputEncoder('stdout'), stderr: new OutputEncoder('stderr') };
  /** Determines whether anything may still be sent. */
  private streaming = true;
  private timedOut = false;
  private sent: Promise<void> = Promise.resolve();

  constructor(
    private readonly exchange: Exchange,
    private readonly plane: DataPlane,
    private readonly session: Session,
    private readonly microvm: Microvm,
  ) {}

  async run(words: readonly string[], timeout: number): Promise<void> {
    const { clock, unconfirmed } = this.plane;
    void this.exchange.closed.then(() => this.stopStreaming(unconfirmed.onDisconnect));
    await this.attempt(async () => {
      await this.exchange.send(encodeStart());
      await this.reach('firstByte');
    });
    const cancelTimeout = clock.setTimeout(() => {
      this.timedOut = true;
      this.killer.abort();
    }, timeout * 1000);
    const { exitCode, sandboxKilled } = await this.microvm.sandbox.exec({
      command: words,
      onStdout: chunk => this.output('stdout', chunk),
      onStderr: chunk => this.output('stderr', chunk),
      signal: this.killer.signal,
      leftovers: unconfirmed.leftovers,
    });
    cancelTimeout();
    await this.attempt(async () => {
      await this.sent;
      if (sandboxKilled || this.gone) {
        return this.endWithMicrovm();
      }
      for (const encoder of Object.values(this.encoders)) {
        await this.sendAll(encoder.end());
      }
      await this.reach('beforeEnd');
      if (this.gone) {
        return this.endWithMicrovm();
      }
      const outcome = this.timedOut
        ? { exitCode: unconfirmed.timedOutExitCode, status: 'TIMED_OUT' as const }
        : { exitCode, status: 'COMPLETED' as const };
      await this.exchange.send(encodeStop(outcome.exitCode, outcome.status));
      this.exchange.finish({ statusCode: 200, ...outcome });
    });
  }

  /** Determines whether the microVM has ended, and the rest of the command's output with it. */
  private get gone(): boolean {
    return this.microvm.signal.aborted;
  }

  /** One after the other: a fault in one output must not be overtaken by the other output. */
  private output(name: OutputName, chunk: Buffer): Promise<void> | undefined {
    if (!this.streaming) {
      return undefined;
    }
    const sending = this.sent.then(() => this.attempt(() => this.deliver(name, chunk)));
    this.sent = sending;
    return sending;
  }

  private async deliver(name: OutputName, chunk: Buffer): Promise<void> {
    const left = this.exchange.bytesLeft();
    if (left !== undefined && left <= chunk.length) {
      await this.deliverWhole(name, chunk.subarray(0, left));
      await this.reach('midOutput');
      await this.deliverWhole(name, chunk.subarray(left));
      return;
    }
    await this.deliverWhole(name, chunk);
  }

  private async deliverWhole(name: OutputName, chunk: Buffer): Promise<void> {
    if (!this.streaming || this.gone) {
      return;
    }
    this.exchange.call.bytes += chunk.length;
    if (this.exchange.call.bytes > LIMITS.commandOutput) {
      await this.endWithException('ServiceQuotaExceededException', `The response is larger than ${LIMITS.commandOutput} bytes`, 'kill');
    }
    await this.sendAll(this.encoders[name].encode(chunk));
  }

  private async sendAll(messages: readonly Uint8Array[]): Promise<void> {
    for (const message of messages) {
      await this.exchange.send(message);
    }
  }

  /** Does a part of the stream unless it has ended; its end on the way is no error of the command. */
  private async attempt(part: () => Promise<void>): Promise<void> {
    if (!this.streaming) {
      return;
    }
    try {
      await part();
    } catch (error) {
      if (!(error instanceof StreamCut)) {
        throw error;
      }
      this.stopStreaming(this.plane.unconfirmed.onDisconnect);
    }
  }

  private stopStreaming(then: 'continue' | 'kill'): void {
    if (this.streaming) {
      this.streaming = false;
      this.exchange.settle({ statusCode: 200, cut: true });
      if (then === 'kill') {
        this.killer.abort();
      }
    }
  }

  private async reach(at: FaultPoint): Promise<void> {
    const fault = this.exchange.strike(at);
    if (fault && !await strikeSession(fault, this.session)) {
      await this.cutStream(fault);
    }
  }

  private async cutStream(fault: Fault): Promise<never> {
    const { kind, then = this.plane.unconfirmed.onDisconnect } = fault.spec;
    if (fault.error) {
      return this.endWithException(fault.error, `injected: ${kind}`, then);
    }
    if (kind === 'platformExit') {
      await this.exchange.send(encodeStop(-1, 'COMPLETED'));
      this.exchange.finish({ statusCode: 200, exitCode: -1, status: 'COMPLETED' });
    } else if (kind === 'reset') {
      await this.exchange.reset();
    } else if (kind === 'end') {
      this.exchange.cut();
    }
    // The connection hangs; the command itself continues.
    this.stopStreaming(then);
    throw new StreamCut();
  }

  private async endWithException(code: ServiceError['code'], message: string, then: 'continue' | 'kill'): Promise<never> {
    await this.exchange.send(encodeException(code, message));
    this.exchange.finish({ statusCode: 200, error: code });
    this.stopStreaming(then);
    throw new StreamCut();
  }

  private async endWithMicrovm(): Promise<void> {
    switch (this.plane.unconfirmed.onSessionEnd) {
      case 'exception':
        return this.endWithException('RuntimeClientError', 'The session has ended', 'kill');
      case 'reset':
        return this.exchange.reset();
      case 'end':
        return this.exchange.cut();
    }
  }
}
