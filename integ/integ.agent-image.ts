/** A runtime whose image has developer tools, from a directory without a Dockerfile. */
import { join } from 'path';
import { Stack } from 'aws-cdk-lib';
import { acknowledgeExecutionRole, portableApp, synthAndCheck } from './app';
import { AgentImage, AgentRuntime, DevTool } from '../src';

const app = portableApp();
const stack = new Stack(app, 'AgentImageIntegStack');
const runtimeName = 'integ_agent_image';

const runtime = new AgentRuntime(stack, 'Agent', {
  runtimeName,
  agentRuntimeArtifact: AgentImage.fromDirectory(join(__dirname, '../examples/node-and-python/agent'), {
    tools: [DevTool.JQ, DevTool.nodejs('22'), DevTool.python('3.12')],
    command: ['node', 'server.mjs'],
  }),
});

acknowledgeExecutionRole(runtime, runtimeName);
synthAndCheck(app, stack);
