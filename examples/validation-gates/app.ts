/** Gates for lint, types, secrets, dependencies and tests, the fastest first, each with its own timeout. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { AgentImage, AgentRuntime, AgentTurn, CodingLoop, Commit, DevTool, Gate, GitRepository, Mount } from '../../src';

const app = new App();
const stack = new Stack(app, 'ValidationGates');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, {
    tools: [DevTool.GIT, DevTool.nodejs('22'), DevTool.mise('gitleaks', '8.28.0')],
  }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});

const loop = new CodingLoop(stack, 'Change', {
  runtime,
  repository: GitRepository.fromUrl('https://git.example.com/platform.git'),
  bootstrap: ['npm ci'],
  turn: AgentTurn.invoke(),
  gates: [
    Gate.command('lint', 'npx eslint --max-warnings 0 .', { timeout: Duration.minutes(5) }),
    Gate.command('types', 'npx tsc --noEmit', { timeout: Duration.minutes(5) }),
    Gate.command('secrets', 'gitleaks dir --no-banner --redact .', { timeout: Duration.minutes(5) }),
    Gate.command('audit', 'npm audit --audit-level=high', { timeout: Duration.minutes(5) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(30), environment: { CI: 'true' } }),
    Gate.command('test of the web app', 'npm test', { workingDirectory: 'packages/web', timeout: Duration.minutes(30) }),
  ],
  commit: Commit.push({ message: '{taskId}: {prompt}' }),
  encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });

app.synth();
