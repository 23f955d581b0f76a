/** Runs a build in a session step by step, without an agent, in the environment that the agent works in. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentImage, AgentRuntime, Command, DevTool, Mount, RunCommand, RunCommandProps, StopSession } from '../../src';

const WORKSPACE = '/mnt/workspace';

const app = new App();
const stack = new Stack(app, 'BuildPipeline');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, {
    tools: [DevTool.GIT, DevTool.BUILD_ESSENTIAL, DevTool.awsCli(), DevTool.go('1.24')],
  }),
  mounts: [Mount.sessionStorage(WORKSPACE)],
});
const artifacts = new s3.Bucket(stack, 'Artifacts', { enforceSSL: true, versioned: true });
artifacts.grantPut(runtime);

const sessionId = sfn.JsonPath.stringAt('$.sessionId');
const stop = (id: string, stateName: string) =>
  new StopSession(stack, id, { runtime, sessionId, stateName, resultPath: sfn.JsonPath.DISCARD });

const failed = stop('StopAfterFailure', 'Stop the session after a failure').next(new sfn.Fail(stack, 'Failed', {
  stateName: 'Not built', error: 'BuildPipeline.Failed', cause: 'see the state before this one for the step, its verdict and its output',
}));

/** Returns a step that must pass. Any other verdict, known or unknown, ends the build. */
const step = (id: string, { directory, ...what }: Pick<RunCommandProps, 'command' | 'timeout'> & { directory?: string }) => {
  const resultPath = `$.${id.toLowerCase()}`;
  const run = new RunCommand(stack, id, { runtime, sessionId, workingDirectory: directory ?? `${WORKSPACE}/source`, resultPath, ...what });
  run.addCatch(failed, { resultPath: '$.error' });
  const passed = new sfn.Choice(stack, `${id}Passed`, { stateName: `Did it pass: ${id}?` });
  return { run, passed, resultPath };
};

const steps = [
  // Words are passed to git unchanged, so no shell interprets what is in the state.
  step('Clone', {
    command: Command.exec([
      'git', 'clone', '--quiet', '--depth', '1', '--branch', sfn.JsonPath.stringAt('$.tag'), '--', 'https://git.example.com/tool.git', 'source',
    ]),
    directory: WORKSPACE,
    timeout: Duration.minutes(10),
  }),
  step('Build', { command: Command.shell('go build -trimpath -o dist/ ./...'), timeout: Duration.minutes(30) }),
  step('Test', { command: Command.shell('go test ./...'), timeout: Duration.minutes(30) }),
  step('Upload', { command: Command.shell(`aws s3 cp --only-show-errors --recursive dist/ "s3://${artifacts.bucketName}/"`), timeout: Duration.minutes(10) }),
];
const done = stop('Stop', 'Stop the session');
steps.forEach(({ run, passed, resultPath }, index) => {
  run.next(passed
    .when(sfn.Condition.stringEquals(`${resultPath}.verdict`, 'PASSED'), steps[index + 1]?.run.startState ?? done)
    .otherwise(failed));
});

const stateMachine = new sfn.StateMachine(stack, 'Builds', {
  definitionBody: sfn.DefinitionBody.fromChainable(steps[0].run),
  timeout: Duration.hours(2),
});
new CfnOutput(stack, 'StateMachineArn', { value: stateMachine.stateMachineArn });

app.synth();
