import { Lazy, Mixins } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import { Construct } from 'constructs';
import { AgentRuntime, Mount, SessionStorage } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const WORKSPACE = { SessionStorage: { MountPath: '/mnt/workspace' } };

function bare(scope: Construct, props: Partial<agentcore.CfnRuntimeProps> = {}): agentcore.CfnRuntime {
  return new agentcore.CfnRuntime(scope, 'Runtime', {
    agentRuntimeName: 'bare',
    agentRuntimeArtifact: { containerConfiguration: { containerUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:1' } },
    networkConfiguration: { networkMode: 'PUBLIC' },
    roleArn: 'arn:aws:iam::123456789012:role/agent',
    ...props,
  });
}

const mountsIn = (stack: ReturnType<typeof newStack>) =>
  Object.values(Template.fromStack(stack).findResources('AWS::BedrockAgentCore::Runtime')).map(({ Properties }) => Properties.FilesystemConfigurations);

test('adds session storage to an official runtime, and returns the same runtime', () => {
  const stack = newStack();
  const runtime = new agentcore.Runtime(stack, 'Agent', { agentRuntimeArtifact: IMAGE });

  expect(runtime.with(new SessionStorage('/mnt/workspace'))).toBe(runtime);
  expect(mountsIn(stack)).toEqual([[WORKSPACE]]);
});

test('adds session storage to an L1 resource', () => {
  const stack = newStack();
  bare(stack).with(new SessionStorage('/mnt/workspace'));

  expect(mountsIn(stack)).toEqual([[WORKSPACE]]);
});

test('can be applied to all runtimes of a stack, and changes nothing else', () => {
  const stack = newStack();
  new agentcore.Runtime(stack, 'Agent', { agentRuntimeArtifact: IMAGE });
  bare(stack);
  Mixins.of(stack).apply(new SessionStorage('/mnt/workspace'));

  expect(mountsIn(stack)).toEqual([[WORKSPACE], [WORKSPACE]]);
});

test('supports the resource of a runtime only', () => {
  const mixin = new SessionStorage('/mnt/workspace');
  const stack = newStack();

  expect([mixin.supports(bare(stack)), mixin.supports(stack)]).toEqual([true, false]);
  expect(() => mixin.applyTo(stack)).not.toThrow();
});

test('keeps existing mounts, including lazy ones and those of an unknown kind', () => {
  const stack = newStack();
  const efs = { efsAccessPoint: { accessPointArn: 'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-01234567', mountPath: '/mnt/efs' } };
  bare(stack, { filesystemConfigurations: Lazy.any({ produce: () => [efs, Lazy.any({ produce: () => ({}) })] }) }).with(new SessionStorage('/mnt/workspace'));

  expect(mountsIn(stack)).toEqual([[
    { EfsAccessPoint: { AccessPointArn: efs.efsAccessPoint.accessPointArn, MountPath: '/mnt/efs' } }, {}, WORKSPACE,
  ]]);
});

test.each([
  ['a bad path', [], '/data', '"filesystemConfigurations[0].mountPath" must be under "/mnt/", not "/data": use a path such as "/mnt/workspace"'],
  ['a second session storage', ['/mnt/a'], '/mnt/b', '"filesystemConfigurations" must have at most 1 session storage, not 2: remove 1'],
  ['a path that is taken', ['/mnt/a'], '/mnt/a/',
    '"filesystemConfigurations[1].mountPath" must differ from "filesystemConfigurations[0].mountPath": use another directory than "/mnt/a/"'],
])('fails on %s', (_, present, path, message) => {
  const runtime = new AgentRuntime(newStack(), 'Agent', {
    agentRuntimeArtifact: IMAGE, mounts: present.map((mountPath) => Mount.sessionStorage(mountPath)),
  });

  expect(messageOf(() => runtime.with(new SessionStorage(path)))).toContain(message);
});

test('does not change an imported runtime', () => {
  const stack = newStack();
  const runtime = agentcore.Runtime.fromAgentRuntimeAttributes(stack, 'Agent', {
    agentRuntimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789',
    agentRuntimeId: 'agent-0123456789',
    agentRuntimeName: 'agent',
    roleArn: 'arn:aws:iam::123456789012:role/agent',
  });

  expect(() => runtime.with(new SessionStorage('/mnt/workspace'))).not.toThrow();
  expect(Template.fromStack(stack).toJSON().Resources).toBeUndefined();
});
