/** A coding agent whose deployments are tested before use and never empty the workspace of a run. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentImage, AgentRuntime, BedrockModel, DevTool, Mount, RuntimeRollout, SmokeTest } from '../../src';

const WORKSPACE = '/mnt/workspace';

const app = new App();
const stack = new Stack(app, 'SafeRollout');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/../persistent-workspace/agent`, { tools: [DevTool.GIT] }),
  mounts: [Mount.sessionStorage(WORKSPACE)],
  environmentVariables: { WORKSPACE },
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

const rollout = new RuntimeRollout(stack, 'Rollout', {
  runtime,
  smokeTests: [
    SmokeTest.tools(),
    SmokeTest.writable(WORKSPACE),
    SmokeTest.command('node --check /app/server.mjs', { timeout: Duration.seconds(30) }),
    SmokeTest.invoke({ prompt: 'hello' }, { expect: 'notes' }),
  ],
  // Sessions can be resumed for a month instead of the default two weeks.
  retention: Duration.days(30),
});

const operator = new iam.Role(stack, 'Operator', { assumedBy: new iam.AccountPrincipal(stack.account) });
runtime.grantInvokeRuntime(operator);
// These grants cover all endpoints of the runtime, since a session stays on the endpoint that it started on.
runtime.grantInvokeCommand(operator);
runtime.grantStopSession(operator);

new CfnOutput(stack, 'RuntimeArn', { value: runtime.agentRuntimeArn });
new CfnOutput(stack, 'EndpointName', { value: rollout.endpoint.endpointName });
new CfnOutput(stack, 'Version', { value: rollout.version });

app.synth();
