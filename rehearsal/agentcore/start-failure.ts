import type { CommandAgent } from './agent';
import { agentFailed, ServiceError } from './errors';
import type { WorkspaceKey } from './workspaces';

/** An agent that never became healthy. The message has the service's words; the reason is for the person who rehearses. */
export class StartError extends ServiceError {
  constructor(readonly reason: string) {
    super('RuntimeClientError', agentFailed(reason).message);
  }
}

/** One try to start an agent that is a program. */
export interface StartFailure {
  readonly key: WorkspaceKey;
  readonly agent: CommandAgent;
  /** Such as "the agent ended with exit code 1 before it was healthy". */
  readonly reason: string;
  /** The end of what it printed. */
  readonly output: string;
}

/** Agents that did not start, in the order in which they failed. */
export class StartFailures {
  private readonly all: StartFailure[] = [];
  private readonly listeners = new Set<() => void>();

  add(failure: StartFailure): void {
    this.all.push(failure);
    this.listeners.forEach((listener) => listener());
  }

  /** Those of one session. */
  of(sessionId: string): readonly StartFailure[] {
    return this.all.filter(({ key }) => key.sessionId === sessionId);
  }

  get count(): number {
    return this.all.length;
  }

  since(count: number): readonly StartFailure[] {
    return this.all.slice(count);
  }

  /** Returns what ends it. */
  onFailure(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Returns whether the last attempts in one session failed in the same way, apart from numbers such as process ids and line numbers. */
export function failsAlike(failures: readonly StartFailure[], tries: number): boolean {
  const words = failures.slice(-tries).map(({ key, reason, output }) => `${key.sessionId} ${`${reason} ${output}`.replace(/\d+/g, '0')}`);
  return words.length === tries && new Set(words).size === 1;
}
