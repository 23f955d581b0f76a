/** An agent whose workspace survives until its session resumes, and a role that may run commands in it. */
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentRuntime, BedrockModel, Mount } from '../../src';

const WORKSPACE = '/mnt/workspace';

const app = new App();
const stack = new Stack(app, 'PersistentWorkspace');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(`${__dirname}/agent`, { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage(WORKSPACE)],
  environmentVariables: { WORKSPACE },
  // A microVM costs money while it waits. The workspace is kept either way.
  lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(5), maxLifetime: Duration.hours(2) },
});
runtime.grantInvokeModel(BedrockModel.inferenceProfile('global.anthropic.claude-sonnet-4-20250514-v1:0'));

const operator = new iam.Role(stack, 'Operator', { assumedBy: new iam.AccountPrincipal(stack.account) });
runtime.grantInvokeRuntime(operator);
runtime.grantInvokeCommand(operator);
runtime.grantStopSession(operator);

new CfnOutput(stack, 'RuntimeArn', { value: runtime.agentRuntimeArn });
new CfnOutput(stack, 'OperatorRoleArn', { value: operator.roleArn });

app.synth();
