/** An agent of your own, written with Strands Agents, in a loop that commits only what passes the tests. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { AgentImage, AgentRuntime, BedrockModel, CodingAgent, CodingLoop, DevTool, Gate, GitRepository, Mount, RuntimeRollout } from '../../src';

const app = new App();
const stack = new Stack(app, 'Strands');

// The model overrides the one in agent.py, and the runtime may invoke no other.
const agent = CodingAgent.strands(`${__dirname}/agent`, {
  model: BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'),
  maxTurns: 100,
});

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.forAgent(agent, { tools: [DevTool.nodejs('22')] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(20), maxLifetime: Duration.hours(4) },
});

const rollout = new RuntimeRollout(stack, 'Rollout', { runtime });

const loop = new CodingLoop(stack, 'Loop', {
  runtime,
  endpoint: rollout.endpoint,
  repository: GitRepository.fromInput({ allow: ['https://example.com/your/*'] }),
  turn: agent.turn({ timeout: Duration.minutes(30) }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  maxRepairs: 2,
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });

app.synth();
