/** One loop for many repositories: each run names its repository and gets its own branch there. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AgentImage, AgentRuntime, CodingLoop, Commit, DevTool, Gate, GitRepository, Mount } from '../../src';

const app = new App();
const stack = new Stack(app, 'GitWorkflow');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, {
    // The credential helper in the README needs the AWS CLI.
    tools: [DevTool.GIT, DevTool.JQ, DevTool.nodejs('22'), DevTool.awsCli()],
  }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});

// Only the session can read the token. It appears in no command, state or template.
const token = new secretsmanager.Secret(stack, 'GitToken', { description: 'Access token for the git host' });
token.grantRead(runtime);

const loop = new CodingLoop(stack, 'Change', {
  runtime,
  repository: GitRepository.fromInput({ depth: 50, allow: ['https://git.example.com/*'] }),
  gates: [Gate.command('build', 'make build', { timeout: Duration.minutes(10) }), Gate.command('test', 'make test')],
  commit: Commit.push({
    branchPrefix: 'agent/',
    message: '{prompt}\n\nTask: {taskId}',
    authorName: 'Coding agent',
    authorEmail: 'coding-agent@example.com',
  }),
});

const developers = new iam.Role(stack, 'Developers', { assumedBy: new iam.AccountPrincipal(stack.account) });
loop.grantStartExecution(developers);

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });
new CfnOutput(stack, 'SecretArn', { value: token.secretArn });

app.synth();
