/** Claude Code on a repository: its image, its permission for one model, and a loop that commits only what passes the tests. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { BedrockModel, CodingAgent, CodingWorkspace, DevTool, Gate, GitRepository, ProtectedPaths, ProtectedPathsAction } from '../../src';

const app = new App();
const stack = new Stack(app, 'ClaudeCode');

const workspace = new CodingWorkspace(stack, 'Basket', {
  agent: CodingAgent.claudeCode({
    // The only model that the runtime's role may invoke.
    model: BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'),
    maxTurns: 100,
    instructions: 'Prices are in cents. Never use floating point for money.',
  }),
  tools: [DevTool.nodejs('22')],
  // Each run names its repository.
  repository: GitRepository.fromInput({ allow: ['https://example.com/your/*'] }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  protectedPaths: ProtectedPaths.of(['*.test.mjs'], { onChange: ProtectedPathsAction.RESTORE }),
});

new CfnOutput(stack, 'StateMachineArn', { value: workspace.loop.stateMachine.stateMachineArn });

app.synth();
