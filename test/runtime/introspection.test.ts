import { CfnParameter, Duration, Lazy, Stack } from 'aws-cdk-lib';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import { AgentRuntime, Mount, SessionStorage } from '../../src';
import { environmentOf, lifecycleOf, networkModeOf, runtimeResourceOf, sessionStorageMountOf } from '../../src/runtime/introspection';
import { Network } from '../support/file-systems';
import { IMAGE, newStack } from '../support/stacks';

const official = (props: Partial<agentcore.RuntimeProps> = {}, stack = newStack()) =>
  new agentcore.Runtime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, ...props });
const ours = (mountPath: string, stack = newStack()) =>
  new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage(mountPath)] });

const imported = () => agentcore.Runtime.fromAgentRuntimeAttributes(newStack(), 'Agent', {
  agentRuntimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789',
  agentRuntimeId: 'agent-0123456789',
  agentRuntimeName: 'agent',
  roleArn: 'arn:aws:iam::123456789012:role/agent',
});

test('nothing is known of an imported runtime', () => {
  const runtime = imported();

  for (const of of [runtimeResourceOf, sessionStorageMountOf, lifecycleOf, environmentOf, networkModeOf]) {
    expect(of(runtime)).toBeUndefined();
  }
});

test('the resource of a runtime is found from the runtime and from itself', () => {
  const runtime = official();

  expect(runtimeResourceOf(runtime)).toBe(runtime.node.findChild('Resource'));
  expect(runtimeResourceOf(runtimeResourceOf(runtime)!)).toBe(runtime.node.findChild('Resource'));
});

describe('the mount of session storage', () => {
  test.each([
    ['ours', () => ours('/mnt/workspace'), '/mnt/workspace'],
    ['AgentRuntime, without its trailing slash', () => ours('/mnt/workspace/'), '/mnt/workspace'],
    ['official, with the mixin', () => official().with(new SessionStorage('/mnt/workspace')) as agentcore.Runtime, '/mnt/workspace'],
    ['official, without a mount', () => official(), undefined],
  ])('of a runtime that is %s', (_, make, mount) => {
    expect(sessionStorageMountOf(make())).toBe(mount);
  });

  test('is found if it was set on the resource, beside others and lazily', () => {
    const runtime = official();
    (runtime.node.defaultChild as agentcore.CfnRuntime).filesystemConfigurations = Lazy.any({
      produce: () => [
        { efsAccessPoint: { accessPointArn: 'arn', mountPath: '/mnt/efs' } },
        { sessionStorage: Lazy.any({ produce: () => ({ mountPath: '/mnt/workspace' }) }) },
      ],
    });

    expect(sessionStorageMountOf(runtime)).toBe('/mnt/workspace');
  });

  test('stays a token if it is one', () => {
    const stack = newStack();
    const { valueAsString } = new CfnParameter(stack, 'Path');

    expect(stack.resolve(sessionStorageMountOf(ours(valueAsString, stack)))).toEqual({ Ref: 'Path' });
  });
});

describe('the lifecycle', () => {
  test('is in seconds', () => {
    const runtime = official({ lifecycleConfiguration: { idleRuntimeSessionTimeout: Duration.minutes(5), maxLifetime: Duration.hours(1) } });

    expect(lifecycleOf(runtime)).toEqual({ idleRuntimeSessionTimeout: 300, maxLifetime: 3600 });
  });

  test('is left to the service if it is not given', () => {
    const runtime = official();
    expect(lifecycleOf(runtime)).toEqual({});

    runtimeResourceOf(runtime)!.lifecycleConfiguration = undefined;
    expect(lifecycleOf(runtime)).toEqual({});
  });
});

test('the environment is that of the runtime, or empty', () => {
  expect(environmentOf(official({ environmentVariables: { MODE: 'fix' } }))).toEqual({ MODE: 'fix' });
  const bare = official();
  runtimeResourceOf(bare)!.environmentVariables = undefined;
  expect(environmentOf(bare)).toEqual({});
  expect(environmentOf(official())).toEqual({});
});

test('the network mode is known unless it is a token', () => {
  const stack = new Stack();
  const runtime = official({ networkConfiguration: new Network(stack, 'Network').configuration }, stack);
  expect([networkModeOf(official()), networkModeOf(runtime)]).toEqual(['PUBLIC', 'VPC']);

  const mode = new CfnParameter(stack, 'Mode').valueAsString;
  runtimeResourceOf(runtime)!.networkConfiguration = Lazy.any({ produce: () => ({ networkMode: mode }) });
  expect(networkModeOf(runtime)).toBeUndefined();
});
