/** An agent that gets the output of the tests until they pass or no repairs are left. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { AgentImage, AgentRuntime, BedrockModel, CodingLoop, DevTool, Gate, GitRepository, Mount } from '../../src';

const app = new App();
const stack = new Stack(app, 'TestAutomation');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, { tools: [DevTool.GIT, DevTool.nodejs('22')] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromUrl('https://git.example.com/shop.git'),
  bootstrap: ['npm ci'],
  gates: [
    Gate.command('test', 'npm test', {
      timeout: Duration.minutes(20),
      // Ends a test run early once it cannot pass any more.
      failFast: ['^not ok ', 'FATAL ERROR: .* heap out of memory'],
    }),
  ],
  maxRepairs: 4,
});

// Runs that end red need attention.
loop.metricRuns('CodingLoop.Red').createAlarm(stack, 'StaysRed', { threshold: 3, evaluationPeriods: 1 });

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });

app.synth();
