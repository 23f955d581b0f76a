import type { Call } from './calls';
import type { ErrorCode } from './errors';
import type { OperationName, OtherOperationName } from './operations';

/**
 * The point in a call at which a fault strikes.
 * - `beforeStart`: the request has arrived, and nothing has been started
 * - `firstByte`: the reply has started (`contentStart`, or the agent's first byte)
 * - `midOutput`: after `afterBytes` bytes of output
 * - `beforeEnd`: the work is done (the command has exited, the change is made), but the end of the reply is not sent
 */
export type FaultPoint = 'beforeStart' | 'firstByte' | 'midOutput' | 'beforeEnd';

const ERRORS = {
  throttle: 'ThrottlingException',
  conflict: 'RetryableConflictException',
  agentError: 'RuntimeClientError',
  internal: 'InternalServerException',
  quota: 'ServiceQuotaExceededException',
  accessDenied: 'AccessDeniedException',
  notFound: 'ResourceNotFoundException',
  validation: 'ValidationException',
} as const satisfies Record<string, ErrorCode>;

/** A fault that is an error of the service: an HTTP status before the reply has begun, an exception in the stream after. */
export type ErrorFault = keyof typeof ERRORS;

/**
 * - `reset`: the connection is reset
 * - `end`: the reply ends cleanly, but without its last event
 * - `hang`: nothing more is sent, and the connection stays open
 * - `platformExit`: `contentStop` with exit code -1
 * - `replaceMicrovm`: the session continues in a new microVM, as after a failure of the host
 * - `wipeWorkspace`: the session's storage is emptied while the session runs
 * - `coldStart`: while a session has no microVM, its first calls fail alternately with a container that does not start and with an error of the
 *   service; a call during the start of the microVM fails with a conflict. Only for commands and invocations, with `beforeStart`
 * - `failTransition`: the runtime or endpoint that is created, updated or deleted ends in CREATE_FAILED, UPDATE_FAILED or DELETE_FAILED
 */
export type FaultKind = ErrorFault | 'reset' | 'end' | 'hang' | 'platformExit' | 'replaceMicrovm' | 'wipeWorkspace' | 'coldStart' | 'failTransition';

export interface FaultSpec {
  readonly operation: OperationName | OtherOperationName;
  readonly at: FaultPoint;
  readonly kind: FaultKind;
  /** @default 1; for `coldStart` as often as it takes */
  readonly times?: number;
  /** Seconds that a `coldStart` lasts after the session's first call, by the server's clock. @default 120 */
  readonly seconds?: number;
  /** @default - every call of the operation */
  readonly match?: (call: Call) => boolean;
  /** Bytes that the call sends before a `midOutput` fault strikes. @default 1 */
  readonly afterBytes?: number;
  /**
   * Determines whether a running command or invocation continues when its reply is cut.
   * @default - the server's `onDisconnect`
   */
  readonly then?: 'continue' | 'kill';
}

export class Fault {
  fired = 0;

  constructor(readonly spec: FaultSpec) {}

  get error(): ErrorCode | undefined {
    return isError(this.spec.kind) ? ERRORS[this.spec.kind] : undefined;
  }
}

/** Faults that wait for their call. */
export class Faults {
  private readonly waiting: Fault[] = [];

  /** Returns the fault, which counts how often it struck. */
  add(spec: FaultSpec): Fault {
    const reason = refusal(spec);
    if (reason) {
      throw new Error(`fault '${spec.kind}' at '${spec.at}' of ${spec.operation} cannot happen: ${reason}`);
    }
    const fault = new Fault(spec);
    this.waiting.push(fault);
    return fault;
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /** The fault that strikes a call now, if any; it is used up by this. */
  strike(call: Call, at: FaultPoint): Fault | undefined {
    const fault = this.find(call, at);
    if (fault) {
      fault.fired += 1;
      call.faults.push(fault.spec.kind);
    }
    return fault;
  }

  /** Returns the number of bytes that a call may still send before a `midOutput` fault strikes it. */
  bytesLeft(call: Call): number | undefined {
    const fault = this.find(call, 'midOutput');
    return fault && Math.max(0, (fault.spec.afterBytes ?? 1) - call.bytes);
  }

  /** Determines whether a fault would strike a call at that point. */
  awaits(call: Call, at: FaultPoint): boolean {
    return this.find(call, at) !== undefined;
  }

  private find(call: Call, at: FaultPoint): Fault | undefined {
    return this.waiting.find(({ spec, fired }) => spec.operation === call.operation && spec.at === at
      && fired < (spec.times ?? (spec.kind === 'coldStart' ? Infinity : 1))
      && (spec.kind !== 'coldStart' || (call.sessionSeconds ?? Infinity) < (spec.seconds ?? 120)) && (spec.match?.(call) ?? true));
  }
}

function isError(kind: FaultKind): kind is ErrorFault {
  return kind in ERRORS;
}

function refusal({ operation, at, kind }: FaultSpec): string | undefined {
  const started = at !== 'beforeStart';
  if (kind === 'coldStart') {
    const begins = operation === 'InvokeAgentRuntimeCommand' || operation === 'InvokeAgentRuntime';
    return begins && !started ? undefined : 'only a command or an invocation begins a session, and fails before it has started';
  }
  switch (operation) {
    case 'InvokeAgentRuntimeCommand':
      return kind === 'failTransition' || (started && kind === 'conflict') ? 'its stream has no such end' : undefined;
    case 'InvokeAgentRuntime':
      return kind === 'platformExit' || kind === 'failTransition' || (started && isError(kind)) ? 'the reply is the agent\'s own, and has begun' : undefined;
    default:
      if (at === 'firstByte' || at === 'midOutput') {
        return 'its reply is not a stream';
      }
      if (kind === 'failTransition') {
        return !started && /^(Create|Update|Delete)/.test(operation) ? undefined : 'it begins no transition; those that do fail from \'beforeStart\'';
      }
      return isError(kind) || kind === 'reset' || kind === 'hang' ? undefined : 'it has neither a stream nor a microVM';
  }
}
