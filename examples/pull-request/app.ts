/** A loop on a private repository at GitHub. Its runs end as pull requests, and no session ever has a credential that can push. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import {
  AgentImage, AgentRuntime, BedrockModel, CodingLoop, Commit, DevTool, Gate, GitHubApp, GitRepository, Mount, ProtectedPaths, ProtectedPathsAction,
} from '../../src';

const app = new App();
const stack = new Stack(app, 'PullRequest');

const runtime = new AgentRuntime(stack, 'Agent', {
  // Adds what a clone by HTTPS needs: git, certificates, and openssl, which decrypts the token to read with.
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../first-loop/agent`, { tools: [DevTool.GIT] }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

// CloudFormation fills it with a random text. The private key of the app takes its place after the deployment.
const key = new secretsmanager.Secret(stack, 'AppKey', { description: 'Private key of the GitHub App that opens pull requests' });

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromGitHub('octo/shop', { app: GitHubApp.fromSecret(key, { appId: '123456' }) }),
  gates: [
    Gate.command('syntax', 'node --check prices.mjs', { timeout: Duration.minutes(1) }),
    Gate.command('test', 'npm test', { timeout: Duration.minutes(10) }),
  ],
  // A change to these files is named at the top of the pull request.
  protectedPaths: ProtectedPaths.of(['*.test.mjs', '.github/**'], { onChange: ProtectedPathsAction.REVIEW }),
  commit: Commit.pullRequest({
    title: '{taskId}: {prompt}',
    body: 'Made by the coding agent. Comments are welcome; it does not read them.',
    labels: ['coding-agent'],
    teamReviewers: ['shop-owners'],
  }),
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });
new CfnOutput(stack, 'AppKeyArn', { value: key.secretArn });

app.synth();
