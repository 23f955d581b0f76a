import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AgentRuntime } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

function findingsOf(make: typeof agentcore.Runtime | typeof AgentRuntime): string[] {
  const stack = newStack();
  new make(stack, 'Agent', { runtimeName: 'coder', agentRuntimeArtifact: IMAGE });
  return new AwsSolutionsChecks(stack).validateScope(stack).violations.map(({ ruleName }) => ruleName.replace(/<AWS::\w+>/g, ''));
}

test('cdk-nag reports less than for the official runtime, and only what the service does not let us scope further', () => {
  expect(findingsOf(agentcore.Runtime)).toHaveLength(5);
  expect(findingsOf(AgentRuntime)).toEqual([
    'AwsSolutions-IAM5[Resource::arn::logs:::log-group:/aws/bedrock-agentcore/runtimes/coder-*]',
    'AwsSolutions-IAM5[Resource::*]',
    'AwsSolutions-IAM5[Resource::arn::bedrock-agentcore:::workload-identity-directory/default/workload-identity/coder-*]',
  ]);
});
