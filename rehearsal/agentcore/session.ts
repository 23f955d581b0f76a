import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Sandbox, SandboxDriver, SandboxMount } from '../sandbox';
import type { Agent, RunningAgent } from './agent';
import type { Clock } from './clock';
import { agentFailed, inTransition, notFound, ServiceError } from './errors';
import { LIMITS } from './limits';
import type { RuntimeVersion } from './registry';
import { collect } from './session-exec';
import { startAgent } from './start-agent';
import { StartError, StartFailure } from './start-failure';
import { reportUnsupported } from './workspace-scan';
import type { WorkspaceKey, Workspaces } from './workspaces';
import { normalizeMountPath } from '../../src/mount/constants';

const NO_AGENT = 'there is no agent for this runtime: its image is not built from the app, or has no CMD in JSON form; '
  + 'give a program that serves /ping and /invocations with "agent" (--agent)';

/** Characters of what an agent prints that are kept in case it does not start. */
const START_OUTPUT = 4_096;

export type SessionState = 'stopped' | 'starting' | 'active' | 'stopping';

export interface SessionContext {
  readonly driver: SandboxDriver;
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  readonly stateDirectory: string;
  readonly environment: (key: WorkspaceKey) => Readonly<Record<string, string>>;
  readonly shared: readonly SandboxMount[];
  readonly agent: (key: WorkspaceKey, version: RuntimeVersion) => Agent | undefined;
  readonly log: (key: WorkspaceKey, text: string) => void;
  readonly warn: (key: WorkspaceKey, text: string) => void;
  readonly notStarted: (failure: StartFailure) => void;
}

/** The resources of a session until it is stopped or replaced, or reaches its maximum lifetime. */
export interface Microvm {
  readonly sandbox: Sandbox;
  readonly version: string;
  /** Aborted when the microVM ends. */
  readonly signal: AbortSignal;
  /** Rejects as long as there is no agent to invoke. */
  readonly agent: RunningAgent | ServiceError;
}

interface LiveMicrovm extends Microvm {
  readonly controller: AbortController;
  readonly cancelLifetime: () => void;
  readonly idleSeconds: number;
}

/** One session of one endpoint: at most one microVM at a time, and a workspace that outlives it. */
export class Session {
  private current: SessionState = 'stopped';
  private microvm?: LiveMicrovm;
  private starting?: Promise<LiveMicrovm>;
  private inspection: Promise<void> = Promise.resolve();
  private operations = 0;
  private firstCallAt?: number;
  private cancelIdle?: () => void;

  /** `version` tells what the endpoint serves now. */
  constructor(readonly key: WorkspaceKey, private readonly version: () => RuntimeVersion, private readonly context: SessionContext) {}

  get state(): SessionState {
    return this.current;
  }

  /** Since the first call of those that found no microVM; negative while one starts; undefined when there is one. Counts as a call. */
  beginningSeconds(): number | undefined {
    if (this.current !== 'stopped') {
      return this.current === 'starting' ? -1 : undefined;
    }
    const now = this.context.clock.now();
    this.firstCallAt ??= now;
    return (now - this.firstCallAt) / 1_000;
  }

  /** Writes to the runtime's log group. */
  log(text: string): void {
    this.context.log(this.key, text);
  }

  /** Does something in the session's microVM, which is provisioned if there is none, and counts it as activity until it ends. */
  async use<T>(operation: (microvm: Microvm) => Promise<T>): Promise<T> {
    if (this.current === 'stopping') {
      throw inTransition();
    }
    this.operations += 1;
    this.cancelIdle?.();
    try {
      return await operation(this.microvm ?? await (this.starting ??= this.start()));
    } finally {
      this.operations -= 1;
      this.awaitIdle();
    }
  }

  async stop(): Promise<void> {
    if (this.current === 'stopped') {
      throw notFound(`Session '${this.key.sessionId}' was not found or has already been terminated`);
    }
    if (this.current !== 'active') {
      throw inTransition();
    }
    await this.end();
  }

  /** Ends the session in whatever state it is. */
  async close(): Promise<void> {
    await this.starting?.catch(() => undefined);
    await this.end();
    await this.inspected();
  }

  /** Settles when the workspace has been looked through since the last stop. */
  async inspected(): Promise<void> {
    await this.inspection;
  }

  /** A new microVM at once, as after a failure of the host: only the workspace stays. */
  async replaceMicrovm(): Promise<void> {
    if (this.microvm) {
      await this.end();
      await (this.starting ??= this.start());
      this.awaitIdle();
    }
  }

  async wipeWorkspace(): Promise<void> {
    await this.context.workspaces.wipe(this.key);
  }

  /** The file systems of the version that its endpoint serves, and where they are on the host. */
  get filesystems(): SandboxMount[] {
    const { workspaces, stateDirectory } = this.context;
    return (this.version().configuration.filesystemConfigurations ?? []).map(({ sessionStorage, efsAccessPoint, s3FilesAccessPoint }) => {
      const accessPoint = efsAccessPoint ?? s3FilesAccessPoint;
      return sessionStorage !== undefined
        ? { source: workspaces.data(this.key), target: normalizeMountPath(sessionStorage.mountPath) }
        : { source: workspaces.shared(join(stateDirectory, 'filesystems'), accessPoint!.accessPointArn), target: normalizeMountPath(accessPoint!.mountPath) };
    });
  }

  private async start(): Promise<LiveMicrovm> {
    this.current = 'starting';
    try {
      this.microvm = await this.provision(this.version());
      this.current = 'active';
      return this.microvm;
    } catch (error) {
      this.current = 'stopped';
      throw error instanceof ServiceError ? error : agentFailed(error instanceof Error ? error.message : String(error));
    } finally {
      this.starting = undefined;
    }
  }

  private async provision(version: RuntimeVersion): Promise<LiveMicrovm> {
    const { driver, clock, stateDirectory, environment } = this.context;
    let output = '';
    const log = (text: string) => {
      output = `${output}${text}`.slice(-START_OUTPUT);
      this.log(text);
    };
    const sandbox = await driver.start({
      disk: join(stateDirectory, 'microvms', randomUUID()),
      mounts: this.mounts(version),
      environment: { ...environment(this.key), ...version.configuration.environmentVariables },
      hidden: [stateDirectory],
    });
    sandbox.warnings.forEach(warning => this.context.warn(this.key, warning));
    const definition = this.context.agent(this.key, version);
    let agent: RunningAgent | ServiceError = agentFailed(NO_AGENT);
    if (definition) {
      const session = { id: this.key.sessionId, runtimeVersion: version.version, exec: collect(sandbox) };
      try {
        agent = await startAgent(definition, { sandbox, session, clock, log });
      } catch (error) {
        await sandbox.kill();
        if (error instanceof StartError && 'command' in definition) {
          this.context.notStarted({ key: this.key, agent: definition, reason: error.reason, output });
        }
        throw error;
      }
    }
    const controller = new AbortController();
    const { idle, max } = lifecycle(version);
    return {
      sandbox,
      version: version.version,
      agent,
      controller,
      signal: controller.signal,
      idleSeconds: idle,
      cancelLifetime: clock.setTimeout(() => this.end(), max * 1000),
    };
  }

  private mounts({ version, configuration }: RuntimeVersion): SandboxMount[] {
    const { workspaces, shared } = this.context;
    if (configuration.filesystemConfigurations?.some(({ sessionStorage }) => sessionStorage !== undefined)) {
      const { wiped } = workspaces.open(this.key, version);
      if (wiped) {
        this.context.warn(this.key, `the workspace was emptied before version ${version}: ${wiped}`);
      }
    }
    return [...shared, ...this.filesystems];
  }

  private async end(): Promise<void> {
    const { microvm } = this;
    if (!microvm) {
      return;
    }
    this.microvm = undefined;
    this.firstCallAt = undefined;
    this.current = 'stopping';
    this.cancelIdle?.();
    microvm.cancelLifetime();
    microvm.controller.abort();
    await microvm.sandbox.kill();
    this.current = 'stopped';
    // Not waited for by the stop: it reads the whole workspace.
    const directory = this.context.workspaces.data(this.key);
    this.inspection = this.inspection.then(() => reportUnsupported(directory, warning => this.context.warn(this.key, warning)));
  }

  private awaitIdle(): void {
    const { microvm } = this;
    this.cancelIdle?.();
    if (!microvm || this.operations > 0) {
      return;
    }
    this.cancelIdle = this.context.clock.setTimeout(async () => {
      const busy = 'busy' in microvm.agent && await microvm.agent.busy();
      if (this.microvm === microvm && this.operations === 0) {
        await (busy ? this.awaitIdle() : this.end());
      }
    }, microvm.idleSeconds * 1000);
  }
}

/** Seconds. A maximum alone that is shorter than the default idle timeout counts for both. */
function lifecycle({ configuration }: RuntimeVersion): { idle: number; max: number } {
  const max = configuration.lifecycleConfiguration?.maxLifetime ?? LIMITS.maxLifetime.default;
  return { idle: configuration.lifecycleConfiguration?.idleRuntimeSessionTimeout ?? Math.min(LIMITS.idleTimeout.default, max), max };
}
