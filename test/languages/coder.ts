import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { AgentImage, AgentRuntime, BedrockModel, CodingLoop, DevTool, Gate, GitRepository, Mount, RuntimeRollout, SmokeTest } from '../../src';

/** Synthesizes the app of docs/python.md in TypeScript, and returns the directory of its assembly. */
export function synthesizeCoder(home: string, outdir: string): string {
  const app = new App({ outdir });
  const stack = new Stack(app, 'Coder');

  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: AgentImage.fromDirectory(join(home, 'agent'), { command: ['python3', 'agent.py'], tools: [DevTool.PYTHON3] }),
    mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

  const rollout = new RuntimeRollout(stack, 'Rollout', {
    runtime,
    smokeTests: [SmokeTest.command('git --version', { timeout: Duration.seconds(30) }), SmokeTest.writable('/mnt/workspace')],
  });
  new CodingLoop(stack, 'Fix', {
    runtime,
    endpoint: rollout.endpoint,
    repository: GitRepository.fromInput({ allow: ['https://git.example.com/*'] }),
    gates: [
      Gate.command('syntax', 'python3 -m py_compile prices.py'),
      Gate.command('test', 'python3 -m unittest', { timeout: Duration.minutes(10) }),
    ],
    maxRepairs: 2,
  });
  return app.synth().directory;
}
