/** A runtime with session storage, and a caller that may use every channel into its sessions. */
import { join } from 'path';
import { Stack } from 'aws-cdk-lib';
import { AgentRuntimeArtifact, CfnRuntime, RuntimeEndpoint } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { acknowledge, acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentRuntime, Mount, RuntimeGrants } from '../src';

const app = portableApp();
const stack = new Stack(app, 'SessionStorageIntegStack');
const runtimeName = 'integ_session_storage';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentRuntimeArtifact.fromAsset(join(__dirname, '../examples/persistent-workspace/agent'), { platform: Platform.LINUX_ARM64 }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
  environmentVariables: { WORKSPACE: '/mnt/workspace' },
});

const endpoint = RuntimeEndpoint.fromRuntimeEndpointAttributes(stack, 'Endpoint', {
  agentRuntimeArn: runtime.agentRuntimeArn,
  agentRuntimeEndpointArn: `${runtime.agentRuntimeArn}/runtime-endpoint/DEFAULT`,
  endpointName: 'DEFAULT',
});
const caller = new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountPrincipal(stack.account) });
runtime.grantInvokeRuntime(caller);
const grants = RuntimeGrants.fromRuntime(runtime);
grants.invokeCommand(caller, { endpoint });
grants.invokeCommandShell(caller, { endpoint });
grants.stopSession(caller, { endpoint });

acknowledgeExecutionRole(runtime, runtimeName);
acknowledge(caller, {
  [`IAM5[Resource::<${stack.getLogicalId(runtime.node.defaultChild as CfnRuntime)}.AgentRuntimeArn>/*]`]:
    'Invoking is granted on every endpoint of this one runtime, which is what the official grant does; the other grants are for one endpoint.',
});
synthAndCheck(app, stack);
