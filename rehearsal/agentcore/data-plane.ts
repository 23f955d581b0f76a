import { randomUUID } from 'node:crypto';
import type { Leftovers } from '../sandbox';
import type { Clock } from './clock';
import { inTransition, notReady, ServiceError, StreamCut, validation } from './errors';
import { encodeStop } from './event-stream';
import { Exchange, SESSION_HEADER } from './exchange';
import type { Fault } from './faults';
import { LIMITS } from './limits';
import type { Registry } from './registry';
import type { Session } from './session';
import type { Sessions } from './sessions';
import type { CommandMode } from './words';

/** Behavior of the service that its documentation does not define. Tests try each variant. */
export interface Unconfirmed {
  /**
   * The way in which a command is parsed: by a shell; split into words as a POSIX shell does; or split at spaces, with quotes only around whole
   * words, in which case all other syntax fails with a `ValidationException` that names the position.
   */
  readonly commandMode: CommandMode;
  /** Determines whether processes that a command leaves behind are killed when it ends. */
  readonly leftovers: Leftovers;
  /** Determines whether a running command or invocation continues when the connection of its client breaks. */
  readonly onDisconnect: 'continue' | 'kill';
  /** The end of a reply whose microVM ends: a clean one, a reset, or an exception in the stream. */
  readonly onSessionEnd: 'end' | 'reset' | 'exception';
  /** Exit code that goes with `TIMED_OUT`. */
  readonly timedOutExitCode: number;
}

export interface DataPlane {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly unconfirmed: Unconfirmed;
}

/** The session of a request; its id is made up when there is none, as the SDKs do. */
export function sessionOf(exchange: Exchange, { sessions }: DataPlane, required = false): Session {
  const id = exchange.header(SESSION_HEADER);
  if (id === undefined && required) {
    throw validation('runtimeSessionId is required');
  }
  const sessionId = id ?? randomUUID();
  if (sessionId.length < LIMITS.sessionId.min || sessionId.length > LIMITS.sessionId.max) {
    throw validation(`runtimeSessionId must have ${LIMITS.sessionId.min} to ${LIMITS.sessionId.max} characters, not ${sessionId.length}`);
  }
  exchange.call.sessionId = sessionId;
  const session = sessions.get(exchange.call.runtime!, exchange.call.qualifier, sessionId);
  if (!required) {
    exchange.call.sessionSeconds = session.beginningSeconds(); // a stop begins none
  }
  return session;
}

/** Carries out what a fault does to a session; the rest, which cuts the reply, is the caller's. */
export async function strikeSession(fault: Fault, session: Session): Promise<boolean> {
  switch (fault.spec.kind) {
    case 'replaceMicrovm':
      await session.replaceMicrovm();
      return true;
    case 'wipeWorkspace':
      await session.wipeWorkspace();
      return true;
    default:
      return false;
  }
}

/** The targets of a fault other than the reply. */
export interface FaultTargets {
  readonly session?: Session;
  readonly registry?: Registry;
  /** Begins a reply of the operation's kind, for faults that are an end of one. */
  readonly beginReply?: () => void;
}

/** A fault before anything has been started. */
export async function strikeBeforeStart(exchange: Exchange, { session, registry, beginReply }: FaultTargets = {}): Promise<void> {
  const fault = exchange.strike('beforeStart');
  if (!fault || (session && await strikeSession(fault, session))) {
    return;
  }
  if (fault.spec.kind === 'failTransition') {
    registry?.failNext(`injected: ${fault.spec.kind}`);
    return;
  }
  if (fault.spec.kind === 'coldStart') {
    throw session!.state === 'starting' ? inTransition() : fault.fired % 2 === 1 ? notReady() : new ServiceError('InternalServerException', `injected: ${fault.spec.kind}`);
  }
  if (fault.error) {
    throw new ServiceError(fault.error, `injected: ${fault.spec.kind}`);
  }
  if (fault.spec.kind === 'hang') {
    await exchange.hang();
  } else if (fault.spec.kind === 'reset') {
    await exchange.reset();
  } else if (fault.spec.kind === 'platformExit') {
    beginReply?.();
    await exchange.send(encodeStop(-1, 'COMPLETED'));
    exchange.finish({ statusCode: 200, exitCode: -1, status: 'COMPLETED' });
  } else {
    beginReply?.();
    exchange.cut();
  }
  throw new StreamCut();
}
