import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { ServerFixture } from './agentcore';
import { AgentCoreServerProps } from '../../rehearsal/agentcore';
import { LocalDeployment, LocalDeploymentProps } from '../../rehearsal/deployment';

/** A stack that is synthesized and runs on this machine, with its own server. */
export class DeploymentFixture {
  static async start(
    build: (app: App) => Stack, props: Partial<LocalDeploymentProps> = {}, serverProps: Partial<AgentCoreServerProps> = {},
  ): Promise<DeploymentFixture> {
    const outdir = mkdtempSync(join(tmpdir(), 'assembly-'));
    const app = new App({ outdir });
    const { stackName } = build(app);
    app.synth();
    const fixture = await ServerFixture.start({}, serverProps);
    const logs: string[] = [];
    const deployment = LocalDeployment.start({
      assembly: outdir,
      stack: stackName,
      server: fixture.server,
      environment: { WORKBENCH_BACKOFF_SECONDS: '0' },
      onLog: (_, line) => logs.push(line),
      ...props,
    });
    return new DeploymentFixture(fixture, deployment, logs, outdir);
  }

  private constructor(
    readonly fixture: ServerFixture, readonly deployment: LocalDeployment, readonly logs: string[], private readonly outdir: string,
  ) {}

  get server() {
    return this.fixture.server;
  }

  async close(): Promise<void> {
    await this.deployment.close();
    await this.fixture.close();
    rmSync(this.outdir, { recursive: true });
  }
}
