/** An agent for repositories whose tests need Node and Python. The agent's directory has no Dockerfile. */
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { AgentImage, AgentRuntime, DevTool, Mount } from '../../src';

const app = new App();
const stack = new Stack(app, 'NodeAndPython');

const runtime = new AgentRuntime(stack, 'Agent', {
  agentRuntimeArtifact: AgentImage.fromDirectory(`${__dirname}/agent`, {
    tools: [
      DevTool.nodejs('22'),
      DevTool.python('3.12'),
      DevTool.uv(),
      DevTool.npm('pnpm', '10.15.0'),
      DevTool.RIPGREP,
      DevTool.JQ,
      DevTool.BUILD_ESSENTIAL, // compiles native modules of npm and pip
    ],
    command: ['node', 'server.mjs'],
  }),
  mounts: [Mount.sessionStorage('/mnt/workspace')],
});

new CfnOutput(stack, 'RuntimeArn', { value: runtime.agentRuntimeArn });

app.synth();
