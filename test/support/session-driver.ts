import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { newSessionId, ServerFixture } from './agentcore';
import { AgentCoreServerProps } from '../../rehearsal/agentcore';
import type { handler } from '../../src/driver/session-driver.lambda';
import type { Job, JobResult } from '../../src/jobs/job';

/** The outcome of a call: a result, or an error's name and message. */
export type Outcome = JobResult | { readonly error: string; readonly message: string };

/** Returns the verdict, `RUNNING` or the error's name. */
export function summary(outcome: Outcome): string {
  if ('error' in outcome) return outcome.error;
  return outcome.lostReason === undefined ? outcome.verdict ?? outcome.status : `${outcome.verdict} ${outcome.lostReason}`;
}

/** The driver's real handler in this process, and an AgentCore that it reaches over HTTP. */
export class DriverFixture {
  static async start(props: Partial<AgentCoreServerProps> = {}): Promise<DriverFixture> {
    const shared = mkdtempSync(join(tmpdir(), 'shared-'));
    const fixture = await ServerFixture.start({}, { ...props, sharedDirectories: [shared] });
    const driver = new DriverFixture(fixture, shared, loadHandler(fixture.server.endpoint));
    // The client reads the endpoint on first use: use it before another server replaces the endpoint.
    await driver.call({ operation: 'stop', runtimeArn: fixture.arn, sessionId: newSessionId() });
    return driver;
  }

  private constructor(readonly fixture: ServerFixture, readonly shared: string, private readonly invoke: typeof handler) {}

  get server() {
    return this.fixture.server;
  }

  async close(): Promise<void> {
    await this.fixture.close();
    rmSync(this.shared, { recursive: true });
  }

  /** Returns a session whose microVM is running. */
  async session(): Promise<string> {
    const sessionId = newSessionId();
    await this.fixture.command('true', { runtimeSessionId: sessionId });
    return sessionId;
  }

  request(sessionId: string, request: Partial<Job>): Job & { operation: 'run' } {
    return {
      operation: 'run', runtimeArn: this.fixture.arn, sessionId, run: 'run', name: 'job', mount: '/mnt/workspace', timeoutSeconds: 30, ...request,
    };
  }

  /** Invokes the function once. */
  async call(request: object, remainingMilliseconds = 900_000): Promise<Outcome> {
    try {
      return await this.invoke(request as never, { getRemainingTimeInMillis: () => remainingMilliseconds }) as JobResult;
    } catch (error) {
      return { error: (error as Error).name, message: (error as Error).message };
    }
  }

  /** Calls the function as the states of `RunCommand` do, without their retries: reattaches to a running job. */
  async run(request: Job): Promise<Outcome> {
    let outcome = await this.call(request);
    while (!('error' in outcome) && outcome.status === 'RUNNING') outcome = await this.call({ ...request, mode: 'attach' });
    return outcome;
  }

  /** Resolves once a fault has struck a call of the session. */
  async struck(sessionId: string): Promise<void> {
    while (!this.server.calls.all.some((call) => call.sessionId === sessionId && call.faults.length > 0)) await setImmediate();
  }

  /** Resolves once a command that writes to this file has been started this many times. */
  async started(file: string, times: number): Promise<void> {
    while (this.starts(file) < times) await setImmediate();
  }

  /** Returns how many times a command that writes a line to this file of the shared directory was started. */
  starts(file: string): number {
    const path = join(this.shared, file);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  }
}

/** Loads the handler with its own clients, which read the endpoint on first use. */
export function loadHandler(endpoint: string, path = 'driver/session-driver.lambda'): typeof handler {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: endpoint,
    AWS_ENDPOINT_URL_SFN: endpoint,
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SSM: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'local',
    WORKBENCH_BACKOFF_SECONDS: '0',
    POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? 'SILENT',
    POWERTOOLS_METRICS_DISABLED: process.env.POWERTOOLS_METRICS_DISABLED ?? 'true',
  });
  let loaded!: { handler: typeof handler };
  jest.isolateModules(() => {
    loaded = jest.requireActual(`../../src/${path}`);
  });
  return loaded.handler;
}
