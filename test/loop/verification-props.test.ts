import { Size, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, AgentRuntime, ProtectedPaths, ProtectedPathsAction, Verification } from '../../src';
import { endpointNamed, IMAGE, newStack } from '../support/stacks';

function runtimeIn(stack: Stack, id: string): AgentRuntime {
  return new AgentRuntime(stack, id, { runtimeName: id, agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
}

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}): CodingLoop {
  return new CodingLoop(stack, 'Loop', {
    runtime: runtimeIn(stack, 'agent'), repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'npm test')], ...props,
  });
}

const definitionOf = (stack: Stack) => JSON.stringify(Object.values(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'))[0]);

test.each<[string, Partial<CodingLoopProps>, RegExp]>([
  ['an endpoint without its runtime', { verification: Verification.inFreshSession({ endpoint: endpointNamed('v1') }) }, /verification: "endpoint" must come with "runtime"/],
  ['a pack of nothing', { verification: Verification.inFreshSession({ maxPackSize: Size.bytes(0) }) }, /verification: "maxPackSize" must be 1 byte to 64 MiB, not 0 bytes/],
  ['a pack that is too large', { verification: Verification.inFreshSession({ maxPackSize: Size.mebibytes(65) }) }, /"maxPackSize" must be 1 byte to 64 MiB, not 68157440 bytes/],
  ['a pack of unknown size', { verification: Verification.inFreshSession({ maxPackSize: Size.bytes(Token.asNumber({ Ref: 'Size' })) }) }, /"maxPackSize" must be known at synth/],
  ['no protected path', { protectedPaths: ProtectedPaths.of([]) }, /"protectedPaths" must have 1 to 100 paths, not 0/],
  ['an absolute protected path', { protectedPaths: ProtectedPaths.of(['test/**', '/etc']) }, /"protectedPaths" must be pathspecs .* not "\/etc": change it/],
  ['a protected path out of the repository', { protectedPaths: ProtectedPaths.of(['../x']) }, /not "\.\.\/x"/],
  ['a protected path of two lines', { protectedPaths: ProtectedPaths.of(['a\nb']) }, /not "a\\nb"/],
])('a loop refuses %s', (_, props, message) => {
  expect(() => loopIn(newStack(), props)).toThrow(message);
});

test('the driver may run commands in, and stop, sessions of the verification\'s own runtime, and may not invoke its agent', () => {
  const stack = newStack();
  const other = runtimeIn(stack, 'judge');
  loopIn(stack, { verification: Verification.inFreshSession({ runtime: other }) });
  const [role] = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role')).filter(([id]) => id.includes('SessionDriver')).map(([, resource]) => resource);
  const statements: { readonly Action: string | string[]; readonly Resource: unknown }[] = role.Properties.Policies[0].PolicyDocument.Statement;
  const arn = JSON.stringify(stack.resolve(other.agentRuntimeArn));
  const actions = statements.filter(({ Resource }) => JSON.stringify(Resource).includes(arn)).flatMap(({ Action }) => Action).sort();
  expect(actions).toEqual(['bedrock-agentcore:InvokeAgentRuntimeCommand', 'bedrock-agentcore:StopRuntimeSession']);
});

test('a loop without a verification has no state for it', () => {
  const stack = newStack();
  loopIn(stack, { verification: Verification.none() });
  expect(definitionOf(stack)).not.toMatch(/verif/i);
});

test('protected paths reach the states that record and verify', () => {
  const stack = newStack();
  loopIn(stack, { protectedPaths: ProtectedPaths.of(['test/**'], { onChange: ProtectedPathsAction.RESTORE }) });
  expect(definitionOf(stack).match(/protect\\*":\{\\*"paths\\*":\[\\*"test\/\*\*\\*"\],\\*"onChange\\*":\\*"RESTORE/g)).toHaveLength(2);
});
