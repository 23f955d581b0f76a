/** A loop that sets up and verifies the environment before it asks the agent for anything. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AgentImage, AgentRuntime, AgentTurn, CodingLoop, DevTool, Gate, GitRepository, Mount } from '../../src';

const app = new App();
const stack = new Stack(app, 'EnvironmentBootstrapping');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, {
    tools: [DevTool.GIT, DevTool.BUILD_ESSENTIAL, DevTool.awsCli(), DevTool.nodejs('22'), DevTool.python('3.12')],
  }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});

const fixtures = new s3.Bucket(stack, 'Fixtures', { enforceSSL: true });
fixtures.grantRead(runtime);

const loop = new CodingLoop(stack, 'Fix', {
  runtime,
  repository: GitRepository.fromUrl('https://git.example.com/forecast.git'),
  bootstrap: [
    'python3 -m venv .venv',
    '.venv/bin/pip install --quiet -r requirements.txt',
    'aws s3 sync --only-show-errors "s3://$FIXTURES" fixtures',
    // If the environment is incomplete, fails here and not in the agent's first attempt.
    '.venv/bin/python -c "import pandas, sklearn"',
  ],
  bootstrapTimeout: Duration.minutes(30),
  environment: { FIXTURES: fixtures.bucketName, VIRTUAL_ENV: '/mnt/workspace/repo/.venv' },
  turn: AgentTurn.invoke({ timeout: Duration.minutes(10) }),
  gates: [Gate.command('test', '.venv/bin/python -m pytest -q', { timeout: Duration.minutes(30) })],
});

new CfnOutput(stack, 'StateMachineArn', { value: loop.stateMachine.stateMachineArn });

app.synth();
