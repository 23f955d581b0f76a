import type { Sandbox } from '../sandbox';
import type { Clock } from './clock';

export interface AgentRequest {
  readonly sessionId: string;
  readonly payload: Buffer;
  readonly contentType: string;
  readonly accept: string;
  readonly userId?: string;
  /** The headers for distributed tracing: `traceparent`, `tracestate` and `baggage`, as far as they were sent. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** The payload, parsed as JSON. */
  json(): unknown;
}

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The session of a scripted agent. */
export interface AgentSession {
  readonly id: string;
  readonly runtimeVersion: string;
  /** Aborted when the microVM ends, or the client has gone and the server kills what it had asked for. */
  readonly signal: AbortSignal;
  /** Runs a shell line, or words as they are, in the session's sandbox. */
  exec(command: string | readonly string[], options?: { workingDirectory?: string; environment?: Record<string, string> }): Promise<CommandOutput>;
  /** Sets the answer to `/ping`: a session whose agent is busy outlives the idle timeout. */
  setBusy(busy: boolean): void;
}

export interface AgentResponse {
  /** @default 200 */
  readonly statusCode?: number;
  /** @default 'application/json' */
  readonly contentType?: string;
  readonly body: string | Buffer | AsyncIterable<string | Buffer>;
}

/** Answers an invocation with a response, or with a value that is sent as JSON. To throw is to answer 500. */
export type AgentHandler = (request: AgentRequest, session: AgentSession) => unknown;

/** A scripted agent, in the test's own process. */
export interface HandlerAgent {
  readonly handler: AgentHandler;
}

/**
 * A program with the container contract, started in the session's sandbox. Sandboxes share the host's network, so it must listen
 * on the port that `PORT` names, not on 8080.
 */
export interface CommandAgent {
  readonly command: readonly string[];
  /** @default '/' */
  readonly workingDirectory?: string;
}

export type Agent = HandlerAgent | CommandAgent;

/** An agent in one microVM. */
export interface RunningAgent {
  invoke(request: AgentRequest, signal: AbortSignal): Promise<AgentResponse>;
  /** Determines whether the agent answers `HealthyBusy`. */
  busy(): Promise<boolean>;
}

export interface AgentContext {
  readonly sandbox: Sandbox;
  readonly session: Omit<AgentSession, 'signal' | 'setBusy'>;
  readonly clock: Clock;
  readonly log: (text: string) => void;
}
