/** A runtime whose versions are tested before use, by commands and by an invocation. */
import { join } from 'path';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, CfnRuntime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentRuntime, Mount, RuntimeRollout, SmokeTest } from '../src';

const app = portableApp();
const stack = new Stack(app, 'RuntimeRolloutIntegStack');
const runtimeName = 'integ_runtime_rollout';
const WORKSPACE = '/mnt/workspace';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage(WORKSPACE)],
  environmentVariables: { WORKSPACE },
});
const rollout = new RuntimeRollout(stack, 'Rollout', {
  runtime,
  smokeTests: [SmokeTest.command('bash --version'), SmokeTest.writable(WORKSPACE), SmokeTest.invoke({ prompt: 'note' }, { expect: 'note' })],
});
new CfnOutput(stack, 'EndpointName', { value: rollout.endpoint.endpointName });
new CfnOutput(stack, 'Version', { value: rollout.version });

acknowledgeExecutionRole(runtime, runtimeName);
const runtimeId = stack.getLogicalId(runtime.node.defaultChild as CfnRuntime);
const functions = rollout.node.findAll().filter((child) => child instanceof CfnFunction).map((child) => stack.getLogicalId(child));
acknowledge(rollout, {
  [`IAM5[Resource::<${runtimeId}.AgentRuntimeArn>/*]`]: 'The endpoints of this one runtime: their names are made as its versions are.',
  ...Object.fromEntries(functions.map((logicalId) => [`IAM5[Resource::<${logicalId}.Arn>:*]`, 'Versions and aliases of this one function, as the CDK grants them.'])),
  'IAM5[Resource::*]': 'AgentCore knows no resource for ListAgentRuntimeEndpoints.',
  'L1': 'The provider framework of the CDK chooses the runtime of its own functions; ours are on the newest.',
  'SF1': 'The input of the provider framework\'s state machine holds CloudFormation\'s response URL, which is as good as a password: it is not logged.',
  'SF2': 'The provider framework of the CDK has no tracing.',
});
synthAndCheck(app, stack);
