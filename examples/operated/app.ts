/** A loop in production: limits for its runs, a brake, alarms with a runbook, a dashboard, events, and the files of each run in a bucket. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import {
  AgentImage, AgentRuntime, BedrockModel, CodingLoop, DevTool, Gate, GitRepository, LoopDashboard, Mount, RunArtifacts, RunBrake, RunBudget,
  RunEvents,
} from '../../src';

const app = new App();
const stack = new Stack(app, 'Operated');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../first-loop/agent`, { tools: [DevTool.GIT] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

// Pulled by hand or by the alarm on the cost, and released by hand.
const brake = new RunBrake(stack, 'Brake');

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromInput({ allow: ['https://example.com/your/*'] }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  budget: RunBudget.of({ turns: 4, agentMinutes: 90, usd: 20 }),
  brake,
  maxConcurrentRuns: 5,
  artifacts: RunArtifacts.inBucket(),
  events: RunEvents.onDefaultBus(),
});

// For the subscription of a chat channel. Email subscriptions receive the same messages, as JSON.
const people = new sns.Topic(stack, 'People', { enforceSSL: true });
loop.notifyOnFinished(people);

// The topic has a policy, which replaces the default one, and SnsAction does not add to it.
people.grantPublish(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
const notify = new actions.SnsAction(people);
const alarms = loop.alarms.addAll({ actions: [notify] });
const expensive = loop.alarms.costPerDay(50, { actions: [notify, brake] });
new LoopDashboard(stack, 'Dashboard', { loops: [loop], alarms: [...alarms, expensive] });

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });
new CfnOutput(stack, 'BrakeParameter', { value: brake.parameter.parameterName });
new CfnOutput(stack, 'TopicArn', { value: people.topicArn });

app.synth();
