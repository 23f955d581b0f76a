import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { WorkingCopy } from './command-line';
import type { AgentHandler } from '../../rehearsal/agentcore';
import { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import { AgentRuntime, CodingLoop, Filesystem, Gate, GitRepository } from '../../src';

/** A stack of one's own and a repository whose test wants to read 42, each for one test. */
export class RehearsedLoop {
  readonly copy = new WorkingCopy({ 'answer': '41\n', 'test.sh': '#!/bin/bash\necho "the answer is $(cat answer)"\n[[ $(cat answer) == 42 ]]\n' });
  private readonly directory = mkdtempSync(join(tmpdir(), 'rehearsal-test-'));
  private rehearsal?: Rehearsal;

  /** Returns the cloud assembly. */
  synth(): string {
    const app = new App({ outdir: join(this.directory, 'cdk.out'), analyticsReporting: false });
    const stack = new Stack(app, 'Stack');
    const runtime = new AgentRuntime(stack, 'Agent', {
      agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
      filesystems: [Filesystem.sessionStorage('/mnt/workspace')],
    });
    new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromInput(), gates: [Gate.command('test', './test.sh')] });
    return app.synth().directory;
  }

  /** The assembly is synthesized, unless one is given. */
  async start(handler: AgentHandler, props: Partial<RehearsalProps> = {}): Promise<Rehearsal> {
    const { assembly = this.synth(), ...more } = props;
    this.rehearsal = await Rehearsal.start({ assembly, repository: this.copy.directory, agent: { handler }, ...more });
    return this.rehearsal;
  }

  async close(): Promise<void> {
    await this.rehearsal?.close();
    this.copy.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Answers each turn with the next of these. */
export function writes(...answers: string[]): AgentHandler {
  return async (request, session) => {
    const { workspace, round } = request.json() as { workspace: string; round: number };
    await session.exec(`echo ${answers[round]} > answer`, { workingDirectory: workspace });
    return { done: true };
  };
}
