import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentImage, DevTool } from '../../src';

describe('AgentImage.fromDirectory', () => {
  test('is an artifact for the official runtime', () => {
    const directory = mkdtempSync(join(tmpdir(), 'agent-'));
    writeFileSync(join(directory, 'agent.js'), '');
    const stack = new Stack(new App(), 'Stack');
    new Runtime(stack, 'Runtime', {
      agentRuntimeArtifact: AgentImage.fromDirectory(directory, { tools: [DevTool.nodejs('22')], command: ['node', 'agent.js'] }),
    });
    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', {});
  });
});
