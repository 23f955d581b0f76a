/** A coding agent that may commit to a repository, but only changes that pass the tests. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { AgentRuntime, BedrockModel, CodingLoop, Gate, GitRepository, Mount, RuntimeRollout } from '../../src';

const app = new App();
const stack = new Stack(app, 'FirstLoop');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(`${__dirname}/agent`, { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  // Must be longer than the longest turn and the longest gate.
  lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(20), maxLifetime: Duration.hours(4) },
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

// Tests each version on its own endpoint, so that a deployment neither breaks new runs nor empties existing workspaces.
const rollout = new RuntimeRollout(stack, 'Rollout', { runtime });

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  endpoint: rollout.endpoint,
  // Each run names its repository.
  repository: GitRepository.fromInput({ allow: ['https://example.com/your/*'] }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  maxRepairs: 2,
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });

app.synth();
