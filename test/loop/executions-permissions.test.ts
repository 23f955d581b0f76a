import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as kms from 'aws-cdk-lib/aws-kms';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount } from '../../src';

/** Returns an ARN as text, with the names of values that are unknown until deployment. */
function textOf(value: unknown): string {
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref } = value as { readonly 'Fn::Join'?: [string, unknown[]]; readonly 'Fn::GetAtt'?: [string]; readonly 'Ref'?: string };
  return typeof value === 'string' ? value : join?.[1].map(textOf).join('') ?? attribute?.[0] ?? Ref ?? '';
}

/** Returns the driver's Step Functions statements in a stack. */
function statementsOf(make: (stack: Stack, runtime: AgentRuntime) => Partial<CodingLoopProps>[]) {
  const stack = new Stack(new App(), 'Stack', { env: { region: 'us-east-1', account: '123456789012' } });
  const runtime = new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1'), mounts: [Mount.sessionStorage('/mnt/workspace')],
  });
  make(stack, runtime).forEach((props, index) => new CodingLoop(stack, `Loop${index}`, {
    runtime, repository: GitRepository.fromUrl('https://git.example.com/a.git'), gates: [Gate.command('test', 'true')], ...props,
  }));
  const roles = Template.fromStack(stack).findResources('AWS::IAM::Role');
  const [[, driver]] = Object.entries(roles).filter(([id]) => id.startsWith('AgentcoreWorkbenchSessionDriver'));
  const statements = driver.Properties.Policies[0].PolicyDocument.Statement as { readonly Action: string | string[]; readonly Resource: unknown }[];
  return statements.filter(({ Action }) => /^(states|kms):/.test([Action].flat()[0])).map(({ Action, Resource }) => [Action, textOf(Resource)]);
}

const EXECUTIONS = ['states:DescribeExecution', 'states:DescribeStateMachineForExecution'];

test('a named loop allows the driver to describe only its own executions', () => {
  expect(statementsOf(() => [{ stateMachineName: 'fix' }])).toEqual([
    [EXECUTIONS, 'arn:AWS::Partition:states:us-east-1:123456789012:execution:fix:*'],
    ['states:ListExecutions', 'arn:AWS::Partition:states:us-east-1:123456789012:stateMachine:fix'],
  ]);
});

test('loops without a name allow it to describe those of the account and region, with one statement', () => {
  expect(statementsOf(() => [{}, {}])).toEqual([
    [EXECUTIONS, 'arn:AWS::Partition:states:us-east-1:123456789012:execution:*:*'],
    ['states:ListExecutions', 'arn:AWS::Partition:states:us-east-1:123456789012:stateMachine:*'],
  ]);
});

test('a loop that encrypts its executions allows the driver to decrypt with that key', () => {
  expect(statementsOf((stack) => [{ stateMachineName: 'fix', encryptionKey: new kms.Key(stack, 'Key') }])[2]).toEqual(['kms:Decrypt', expect.stringContaining('Key')]);
});
