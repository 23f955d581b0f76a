import { notFound } from './errors';
import type { Registry } from './registry';
import { Session, SessionContext } from './session';
import type { WorkspaceKey } from './workspaces';

/** All sessions that the server has heard of, by runtime, endpoint and id. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly registry: Registry, private readonly context: SessionContext) {}

  get(runtimeIdOrArn: string, endpointName: string, sessionId: string): Session {
    const runtime = this.registry.find(runtimeIdOrArn);
    const endpoint = this.registry.endpoint(runtime, endpointName);
    if (endpoint.liveVersion === undefined) {
      throw notFound(`Endpoint '${endpointName}' of agent '${runtime.arn}' is not ready`);
    }
    const name = [runtime.id, endpointName, sessionId].join('\0');
    let session = this.sessions.get(name);
    if (!session) {
      const key = { runtimeId: runtime.id, endpoint: endpointName, sessionId };
      session = new Session(key, () => this.registry.version(runtime, endpoint.liveVersion!), this.context);
      this.sessions.set(name, session);
    }
    return session;
  }

  /** Starts the 14 days of a session's workspace anew. */
  invoked(key: WorkspaceKey): void {
    this.context.workspaces.invoked(key);
  }

  get all(): readonly Session[] {
    return [...this.sessions.values()];
  }

  /** Ends the sessions of a runtime, or of one endpoint of it, or all. */
  async close(runtimeId?: string, endpointName?: string): Promise<void> {
    const ending = [...this.sessions].filter(([, { key }]) =>
      (runtimeId ?? key.runtimeId) === key.runtimeId && (endpointName ?? key.endpoint) === key.endpoint);
    await Promise.all(ending.map(async ([name, session]) => {
      await session.close();
      this.sessions.delete(name);
    }));
  }
}
