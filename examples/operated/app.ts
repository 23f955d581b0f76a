/** A loop that somebody is responsible for: what it does is seen, alarms go off before the bill does, and each has an entry in a runbook. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AgentImage, AgentRuntime, BedrockModel, CodingLoop, DevTool, Gate, GitRepository, LoopDashboard, Mount, RunEvents } from '../../src';

const app = new App();
const stack = new Stack(app, 'Operated');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../first-loop/agent`, { tools: [DevTool.GIT] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromInput({ allow: ['https://example.com/your/*'] }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  events: RunEvents.onDefaultBus(),
});

// People subscribe to it, or a channel of a chat.
const people = new sns.Topic(stack, 'People', { enforceSSL: true });
loop.notifyOnFinished(people);

new LoopDashboard(stack, 'Dashboard', {
  loops: [loop],
  alarms: loop.alarms.addAll({ usdPerDay: 50, actions: [new actions.SnsAction(people)] }),
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });
new CfnOutput(stack, 'TopicArn', { value: people.topicArn });

app.synth();
