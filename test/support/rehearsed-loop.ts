import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { WorkingCopy } from './command-line';
import type { Agent, AgentHandler } from '../../rehearsal/agentcore';
import { Rehearsal, RehearsalProps } from '../../rehearsal/rehearsal';
import type { DefinedAgent } from '../../rehearsal/run/local-agent';
import { AgentRuntime, AgentRuntimeProps, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, Verification } from '../../src';

/** The variable parts of the stack. */
export interface RehearsedStack {
  readonly runtime?: (stack: Stack) => Partial<AgentRuntimeProps>;
  readonly loop?: Partial<CodingLoopProps> | ((stack: Stack) => Partial<CodingLoopProps>);
  readonly then?: (loop: CodingLoop, runtime: AgentRuntime) => void;
}

/** A stack and a repository for one test each; the repository's test expects to read 42. */
export class RehearsedLoop {
  readonly copy = new WorkingCopy({ 'answer': '41\n', 'test.sh': '#!/bin/bash\necho "the answer is $(cat answer)"\n[[ $(cat answer) == 42 ]]\n' });
  private readonly directory = mkdtempSync(join(tmpdir(), 'rehearsal-test-'));
  private rehearsal?: Rehearsal;

  /** Returns the cloud assembly. */
  synth(change: RehearsedStack = {}): string {
    const app = new App({ outdir: join(this.directory, 'cdk.out'), analyticsReporting: false });
    const stack = new Stack(app, 'Stack');
    const runtime = new AgentRuntime(stack, 'Agent', {
      agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'),
      mounts: [Mount.sessionStorage('/mnt/workspace')],
      ...change.runtime?.(stack),
    });
    const loop = new CodingLoop(stack, 'Loop', {
      runtime,
      repository: GitRepository.fromInput(),
      gates: [Gate.command('test', './test.sh')],
      verification: Verification.none(),
      ...typeof change.loop === 'function' ? change.loop(stack) : change.loop,
    });
    change.then?.(loop, runtime);
    return app.synth().directory;
  }

  /** Synthesizes the assembly unless one is given. */
  async start(agent: AgentHandler | Agent | DefinedAgent, props: Partial<RehearsalProps> = {}): Promise<Rehearsal> {
    const { assembly = this.synth(), ...more } = props;
    this.rehearsal = await Rehearsal.start({ assembly, repository: this.copy.directory, agent: typeof agent === 'function' ? { handler: agent } : agent, ...more });
    return this.rehearsal;
  }

  async close(): Promise<void> {
    await this.rehearsal?.close();
    this.copy.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Returns an agent that writes the next of these answers in each turn. */
export function writes(...answers: string[]): AgentHandler {
  return async (request, session) => {
    const { workspace, round } = request.json() as { workspace: string; round: number };
    await session.exec(`echo ${answers[round]} > answer`, { workingDirectory: workspace });
    return { done: true };
  };
}
