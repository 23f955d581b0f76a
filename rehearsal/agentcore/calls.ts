import { EventEmitter, once } from 'node:events';

/**
 * - `received`: the request has arrived, and nothing is done yet
 * - `responding`: the reply has started
 * - `finished`: the reply has ended, in any way
 */
export type CallEvent = 'received' | 'responding' | 'finished';

export interface CallOutcome {
  /** The HTTP status; absent if the connection was cut before a reply. */
  readonly statusCode?: number;
  /** The error's name, of the reply or in its stream. */
  readonly error?: string;
  readonly exitCode?: number;
  readonly status?: string;
  /** The reply was cut: by a fault, by the client, or with the microVM. */
  readonly cut?: boolean;
}

/** One request, from the server's side. */
export class Call {
  /** The command of an InvokeAgentRuntimeCommand call. */
  command?: string;
  /** The timeout of an InvokeAgentRuntimeCommand call, in seconds. */
  timeout?: number;
  sessionId?: string;
  /** The headers for distributed tracing. */
  traceHeaders: Readonly<Record<string, string>> = {};
  /** Since the first call of a session that has no microVM yet; negative while that starts. */
  sessionSeconds?: number;
  finishedAt?: number;
  outcome?: CallOutcome;
  /** Kinds of the faults that were injected. */
  readonly faults: string[] = [];
  /** Bytes of output, or of the agent's reply, that were sent. */
  bytes = 0;

  constructor(
    readonly operation: string,
    /** ARN or id, as the client gave it. */
    readonly runtime: string | undefined,
    readonly qualifier: string,
    readonly body: Buffer,
    readonly receivedAt: number,
  ) {}
}

export interface CallFilter {
  readonly operation?: string;
  readonly sessionId?: string;
}

/** Everything the server was asked, in order; tests wait for its events instead of sleeping. */
export class CallLog {
  private readonly calls: Call[] = [];
  private readonly events = new EventEmitter().setMaxListeners(0);

  get all(): readonly Call[] {
    return this.calls;
  }

  of(operation: string): readonly Call[] {
    return this.calls.filter(call => call.operation === operation);
  }

  /** The next call that fits and gets to `event` from now on. */
  async next(filter: CallFilter = {}, event: CallEvent = 'received'): Promise<Call> {
    for (;;) {
      const [call] = await once(this.events, event) as [Call];
      if ((filter.operation ?? call.operation) === call.operation && (filter.sessionId ?? call.sessionId) === call.sessionId) {
        return call;
      }
    }
  }

  /** @internal */
  record(event: CallEvent, call: Call): void {
    if (event === 'received') {
      this.calls.push(call);
    }
    this.events.emit(event, call);
  }
}
