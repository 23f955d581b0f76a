import { Duration, Size, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Baseline, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, AgentRuntime, ProtectedPaths, ProtectedPathsAction, Verification } from '../../src';
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
  ['a negative number of retries', { gates: [Gate.command('a', 'x', { retries: -1 })] }, /gate "a": "retries" must be a whole number from 0 to 5, not -1/],
  ['too many retries', { gates: [Gate.command('a', 'x', { retries: 6 })] }, /"retries" must be a whole number from 0 to 5, not 6/],
  ['half a test', { gates: [Gate.command('a', 'x', { report: 'r.xml', minTests: 0.5 })] }, /"minTests" must be a whole number from 0 to 1000000, not 0.5/],
  ['an absolute report', { gates: [Gate.command('a', 'x', { report: '/tmp/r.xml' })] }, /"report" must be the path of files below "workingDirectory", not "\/tmp\/r.xml"/],
  ['a report outside the repository', { gates: [Gate.command('a', 'x', { report: '../r.xml' })] }, /"report" must be .* not "\.\.\/r.xml"/],
  ['an empty report', { gates: [Gate.command('a', 'x', { report: ' ' })] }, /"report" must be/],
  ['a number of tests without a report', { gates: [Gate.command('a', 'x', { minTests: 1 })] }, /"minTests" must come with "report"/],
  ['a comparison of tests without a report', { gates: [Gate.command('a', 'x', { failOnFewerTests: true })], checkBase: true }, /"failOnFewerTests" must come with "report"/],
  ['a comparison with tests of a base that is not checked', { gates: [Gate.command('a', 'x', { failOnFewerTests: true, report: 'r.xml' })] },
    /gate "a": "failOnFewerTests" must come with "checkBase" or "baseline" of the loop/],
  ['a check of the base without a verification', { checkBase: true, verification: Verification.none() }, /"checkBase" must have a verification/],
  ['a baseline without a verification', { baseline: Baseline.KNOWN_FAILURES, verification: Verification.none() }, /"baseline" must have a verification/],
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

test('a loop without a check of the base has no state for it, and one with a check or a baseline has', () => {
  const definition = (props: Partial<CodingLoopProps>) => {
    const stack = newStack();
    loopIn(stack, props);
    return definitionOf(stack);
  };
  for (const props of [{}, { checkBase: false }, { baseline: Baseline.NONE }]) expect(definition(props)).not.toContain('Check the base');
  expect(definition({ checkBase: true })).toContain('Check the base');
  expect(definition({ checkBase: true })).not.toContain('knownFailures');
  expect(definition({ baseline: Baseline.KNOWN_FAILURES })).toMatch(/Check the base.*knownFailures/);
});

test('options of a gate may be tokens, and their defaults are not in the definition', () => {
  const stack = newStack();
  const options = { report: Token.asString({ Ref: 'Report' }), retries: Token.asNumber({ Ref: 'Retries' }), minTests: Token.asNumber({ Ref: 'MinTests' }) };
  loopIn(stack, { gates: [Gate.command('a', 'x', options), Gate.command('b', 'x', { retries: 0, failOnFewerTests: false })] });
  const definition = definitionOf(stack);
  expect(definition).toMatch(/Ref.*Report/);
  expect(definition).not.toContain('failOnFewerTests');
});

test('the time of a run covers retries and the check of the base', () => {
  const secondsOf = (props: Partial<CodingLoopProps>) => {
    const stack = newStack();
    loopIn(stack, props);
    return Number(/timeoutSeconds\\\\\\":(\d+),\\\\\\"promptBytes/.exec(JSON.stringify(definitionOf(stack)))?.[1]);
  };
  const gate = (retries: number) => [Gate.command('test', 'npm test', { timeout: Duration.seconds(100), retries })];
  expect(secondsOf({ gates: gate(1), maxRepairs: 0 }) - secondsOf({ gates: gate(0), maxRepairs: 0 })).toBe(700);
  // A clean checkout: cloning, receiving, the bootstrap, and the gate with git after it.
  expect(secondsOf({ gates: gate(0), checkBase: true }) - secondsOf({ gates: gate(0) })).toBe(2 * 600 + 780 + 600 + 700);
});
