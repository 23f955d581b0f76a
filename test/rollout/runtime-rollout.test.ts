import { App, CfnParameter, Duration, Lazy, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AgentRuntime, Command, Mount, RunCommand, RuntimeGrants, RuntimeRollout, RuntimeRolloutProps, SmokeTest } from '../../src';
import { ATTRIBUTES } from '../../src/rollout/handler/constants';
import { attributesOf } from '../../src/rollout/handler/handle-rollout';
import { requestOf, RolloutEvent } from '../../src/rollout/handler/rollout-request';
import { warnAboutDefaultEndpoint, WORKSPACE_ON_DEFAULT_ENDPOINT } from '../../src/runtime/endpoint';
import { endpointNamed, IMAGE, messageOf, newStack } from '../support/stacks';

function newRuntime(stack: Stack): AgentRuntime {
  return new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
}

function rollout(props: Partial<RuntimeRolloutProps> = {}): { stack: Stack; runtime: agentcore.Runtime; rollout: RuntimeRollout } {
  const stack = newStack();
  const runtime = props.runtime ?? newRuntime(stack);
  return { stack, runtime, rollout: new RuntimeRollout(stack, 'Rollout', { runtime, ...props }) };
}

function propertiesOf(stack: Stack) {
  const [resource] = Object.values(Template.fromStack(stack).findResources('Custom::RuntimeRollout'));
  return resource.Properties;
}

/** Returns the statements of the role of the function that does the work. */
function statementsOf(stack: Stack): { Action: string | string[]; Resource: unknown }[] {
  const roles = Template.fromStack(stack).findResources('AWS::IAM::Role');
  const id = Object.keys(roles).find((logicalId) => /^RolloutProviderIsCompleteRole/.test(logicalId))!;
  return roles[id].Properties.Policies[0].PolicyDocument.Statement;
}

const ARN = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Agent'), 'AgentRuntimeArn'] };
const ENDPOINTS = { 'Fn::Join': ['', [ARN, '/*']] };

describe('a rollout', () => {
  test('is a custom resource with the runtime, its version and the default tests', () => {
    const { stack } = rollout();

    Template.fromStack(stack).hasResourceProperties('Custom::RuntimeRollout', {
      RuntimeId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Agent'), 'AgentRuntimeId'] },
      RuntimeArn: ARN,
      RuntimeVersion: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Agent'), 'AgentRuntimeVersion'] },
      KeepEndpoints: '4',
      RetentionSeconds: '1209600',
      TimeoutSeconds: '1800',
      DeleteUnusedVersions: 'false',
      SmokeTests: [
        { Name: 'bash --version', Command: 'bash --version', ExitCode: '0', TimeoutSeconds: '120' },
        { Name: 'git --version', Command: 'git --version', ExitCode: '0', TimeoutSeconds: '120' },
        { Name: 'writable /mnt/workspace', Command: Match.stringLikeRegexp('/mnt/workspace'), TimeoutSeconds: '120' },
      ],
    });
  });

  test('works for the official Runtime, which has no mount to test', () => {
    const stack = newStack();
    new RuntimeRollout(stack, 'Rollout', { runtime: new agentcore.Runtime(stack, 'Agent', { agentRuntimeArtifact: IMAGE }) });

    expect(propertiesOf(stack).SmokeTests.map(({ Name }: { Name: string }) => Name)).toEqual(['bash --version', 'git --version']);
  });

  test('has the attributes that the handler returns and the properties that it reads', () => {
    const { stack, rollout: { endpoint, version } } = rollout({
      smokeTests: [SmokeTest.command('exit 3', { expectExitCode: 3 }), SmokeTest.invoke({ prompt: 'x' }, { expect: '^OK' })],
      drainStateMachineNames: ['fix'],
    });

    const returned = attributesOf({ name: 'v1', version: '1' });
    expect(Object.keys(returned)).toEqual(Object.values(ATTRIBUTES));
    expect(stack.resolve(endpoint.endpointName)['Fn::GetAtt'][1]).toBe('EndpointName');
    expect(stack.resolve(version)['Fn::GetAtt'][1]).toBe('Version');
    const request = requestOf({ RequestType: 'Create', ResourceProperties: propertiesOf(stack) } as RolloutEvent, 0);
    expect(request).toMatchObject({
      keepEndpoints: 4,
      retentionSeconds: 1_209_600,
      timeoutSeconds: 1_800,
      deleteUnusedVersions: false,
      drainSeconds: 600,
      tests: [
        { Name: 'exit 3', Command: 'exit 3', ExitCode: '3', TimeoutSeconds: '120' },
        { Name: 'invoke', Payload: '{"prompt":"x"}', Expect: '^OK', TimeoutSeconds: '180' },
      ],
    });
    expect(request.drainStateMachines).toHaveLength(1);
  });

  test('accepts numbers that are only known at deployment', () => {
    const stack = newStack();
    const parameter = (name: string) => new CfnParameter(stack, name, { type: 'Number' }).valueAsNumber;
    new RuntimeRollout(stack, 'Rollout', {
      runtime: newRuntime(stack),
      keepEndpoints: parameter('Keep'),
      retention: Duration.seconds(parameter('Retention')),
      timeout: Duration.seconds(parameter('Timeout')),
      smokeTests: [
        SmokeTest.command('true', { expectExitCode: parameter('Code'), timeout: Duration.seconds(parameter('TestTimeout')) }),
        SmokeTest.invoke({}, { timeout: Duration.seconds(parameter('InvokeTimeout')) }),
        SmokeTest.writable(new CfnParameter(stack, 'Mount').valueAsString),
      ],
    });

    expect(propertiesOf(stack)).toMatchObject({
      KeepEndpoints: { Ref: 'Keep' },
      RetentionSeconds: { Ref: 'Retention' },
      TimeoutSeconds: { Ref: 'Timeout' },
      DrainSeconds: { Ref: 'Timeout' },
      SmokeTests: [{ ExitCode: { Ref: 'Code' }, TimeoutSeconds: { Ref: 'TestTimeout' } }, { TimeoutSeconds: { Ref: 'InvokeTimeout' } }, { Command: { 'Fn::Join': ['', ['file="', { Ref: 'Mount' }, expect.any(String)]] } }],
    });
  });

  test('does not wait for runs longer than its timeout', () => {
    expect(propertiesOf(rollout({ timeout: Duration.minutes(2) }).stack).DrainSeconds).toBe('120');
  });

  test('has the permissions that its steps need on this runtime and its endpoints, and no others', () => {
    const { stack } = rollout({ smokeTests: [SmokeTest.command('true')] });

    expect(statementsOf(stack).slice(1)).toEqual([{
      Effect: 'Allow',
      Action: [
        'CreateAgentRuntimeEndpoint', 'DeleteAgentRuntimeEndpoint', 'GetAgentRuntime', 'GetAgentRuntimeEndpoint', 'InvokeAgentRuntimeCommand',
        'ListTagsForResource', 'StopRuntimeSession', 'TagResource', 'UntagResource',
      ].map((action) => `bedrock-agentcore:${action}`),
      Resource: [
        { 'Fn::GetAtt': [expect.stringMatching(/^Agent/), 'AgentRuntimeArn'] },
        { 'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.stringMatching(/^Agent/), 'AgentRuntimeArn'] }, '/*']] },
      ],
    }, { Effect: 'Allow', Action: 'bedrock-agentcore:ListAgentRuntimeEndpoints', Resource: '*' }]); // knows no resource
  });

  test('has the permissions to invoke, delete versions and read executions only if its props require them', () => {
    const statements = statementsOf(rollout({ smokeTests: [SmokeTest.invoke({})], deleteUnusedVersions: true, drainStateMachineNames: ['fix'] }).stack);

    expect(statements.flatMap(({ Action }) => Action)).toEqual(expect.arrayContaining([
      'bedrock-agentcore:InvokeAgentRuntime', 'bedrock-agentcore:DeleteAgentRuntime', 'states:ListExecutions', 'states:DescribeExecution',
    ]));
    expect(JSON.stringify(statements.at(-1))).toContain(':execution:fix:*');
    expect(statements.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action)).toEqual([
      ['bedrock-agentcore:ListAgentRuntimeEndpoints', 'bedrock-agentcore:ListAgentRuntimeVersions'],
    ]);
  });

  test('logs neither the framework\'s errors nor its state machine, which contain the response URL', () => {
    const template = Template.fromStack(rollout().stack);

    for (const handler of ['framework.onEvent', 'framework.isComplete', 'framework.onTimeout']) {
      template.hasResourceProperties('AWS::Lambda::Function', { Handler: handler, LoggingConfig: { ApplicationLogLevel: 'FATAL' } });
    }
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', { LoggingConfiguration: Match.absent() });
  });

  test.each([
    [undefined, 'Delete', false],
    [RemovalPolicy.DESTROY, 'Delete', false],
    [RemovalPolicy.RETAIN, 'RetainExceptOnCreate', true],
    [RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, 'RetainExceptOnCreate', true],
  ])('with the removal policy %s has the deletion policy %s, which the handler is told', (removalPolicy, policy, retains) => {
    const [resource] = Object.values(Template.fromStack(rollout({ removalPolicy }).stack).findResources('Custom::RuntimeRollout'));
    expect(resource.DeletionPolicy).toBe(policy);
    expect(requestOf({ RequestType: 'Delete', ResourceProperties: resource.Properties } as RolloutEvent, 0).retainEndpoints).toBe(retains);
  });
});

describe('the props of a rollout', () => {
  const bound = (props: Partial<RuntimeRolloutProps>) => () => rollout(props);

  test.each<[string, Partial<RuntimeRolloutProps>]>([
    ['keepEndpoints at its least', { keepEndpoints: 1 }],
    ['keepEndpoints at its most', { keepEndpoints: 9 }],
    ['keepEndpoints as a token', { keepEndpoints: Lazy.number({ produce: () => 99 }) }],
    ['no retention', { retention: Duration.days(0) }],
    ['the longest retention', { retention: Duration.days(3_650) }],
    ['the shortest timeout', { timeout: Duration.minutes(1), drainTimeout: Duration.minutes(1) }],
    ['the longest timeout', { timeout: Duration.minutes(50), drainTimeout: Duration.minutes(50) }],
    ['no tests', { smokeTests: [] }],
    ['as many tests as may be', { smokeTests: Array.from({ length: 20 }, () => SmokeTest.command('true')) }],
    ['any exit code', { smokeTests: [SmokeTest.command('exit 255', { expectExitCode: 255 })] }],
    ['the longest command', { smokeTests: [SmokeTest.command('x'.repeat(32_768))] }],
    ['a command that is just shorter than the rollout', { smokeTests: [SmokeTest.command('x', { timeout: Duration.seconds(299) })], timeout: Duration.minutes(5) }],
    ['the longest timeouts of tests', { timeout: Duration.minutes(31), smokeTests: [SmokeTest.command('true', { timeout: Duration.minutes(30) }), SmokeTest.invoke({}, { timeout: Duration.minutes(10) })] }],
    ['an invoke that is just shorter than the rollout', { smokeTests: [SmokeTest.invoke({})], timeout: Duration.seconds(181) }],
    ['a state machine of the longest name', { drainStateMachineNames: ['f'.repeat(80)] }],
  ])('accept %s', (_, props) => {
    expect(bound(props)).not.toThrow();
  });

  test.each<[string, Partial<RuntimeRolloutProps>]>([
    ['"keepEndpoints" must be a whole number from 1 to 9, not 0: ', { keepEndpoints: 0 }],
    ['"keepEndpoints" must be a whole number from 1 to 9, not 10: ', { keepEndpoints: 10 }],
    ['"retention" must be 0 to 315360000 seconds, not 315360001', { retention: Duration.seconds(315_360_001) }],
    ['"timeout" must be 60 to 3000 seconds, not 59', { timeout: Duration.seconds(59) }],
    ['"timeout" must be 60 to 3000 seconds, not 3001', { timeout: Duration.seconds(3_001) }],
    ['"drainTimeout" must be 0 to 120 seconds, not 121: lower it, or raise "timeout"', { timeout: Duration.minutes(2), drainTimeout: Duration.seconds(121) }],
    ['"smokeTests" must have at most 20 tests, not 21', { smokeTests: Array.from({ length: 21 }, () => SmokeTest.command('true')) }],
    ['"smokeTests[0].expectExitCode" must be a whole number from 0 to 255, not 256', { smokeTests: [SmokeTest.command('x', { expectExitCode: 256 })] }],
    ['"smokeTests[0]" must have a command of 1 to 32768 bytes, not 0', { smokeTests: [SmokeTest.command('')] }],
    ['"smokeTests[0]" must have a command of 1 to 32768 bytes, not 32769', { smokeTests: [SmokeTest.command('x'.repeat(32_769))] }],
    ['"smokeTests[0].timeout" must be 1 to 1800 seconds, not 1801', { smokeTests: [SmokeTest.command('x', { timeout: Duration.seconds(1_801) })] }],
    ['"smokeTests[0].timeout" must be less than the 300 seconds of "timeout", not 300: lower it, or raise "timeout"', {
      smokeTests: [SmokeTest.command('x', { timeout: Duration.minutes(5) })], timeout: Duration.minutes(5),
    }],
    ['"smokeTests[0].timeout" must be 1 to 600 seconds, not 601', { smokeTests: [SmokeTest.invoke({}, { timeout: Duration.seconds(601) })] }],
    ['"smokeTests" must have invokes that take at most 600 seconds together, not 601', {
      smokeTests: [SmokeTest.invoke({}, { timeout: Duration.seconds(301) }), SmokeTest.invoke({}, { timeout: Duration.seconds(300) })],
    }],
    ['"smokeTests" must have invokes that take less than the 180 seconds of "timeout" together, not 180', {
      smokeTests: [SmokeTest.invoke({})], timeout: Duration.minutes(3),
    }],
    ['"smokeTests[0].expect" must be a regular expression, not "("', { smokeTests: [SmokeTest.invoke({}, { expect: '(' })] }],
    ['"smokeTests[0]" must not contain an AWS access key', { smokeTests: [SmokeTest.command('echo AKIAIOSFODNN7EXAMPLE')] }],
    ['"smokeTests[0].mountPath" must be under "/mnt/", not "workspace"', { smokeTests: [SmokeTest.writable('workspace')] }],
    ['"drainStateMachineNames" must have names of 1 to 80 letters, digits, "-" and "_", not "arn:aws:states:x"', { drainStateMachineNames: ['arn:aws:states:x'] }],
  ])('fails: %s', (message, props) => {
    expect(messageOf(bound(props))).toContain(message);
  });
});

describe('grants on the endpoint of a rollout', () => {
  test('cover every endpoint of the runtime, since runs in progress are on older ones', () => {
    const { stack, runtime, rollout: { endpoint } } = rollout();
    const role = new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });
    RuntimeGrants.fromRuntime(runtime).invokeCommand(role, { endpoint });

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'bedrock-agentcore:InvokeAgentRuntimeCommand', Resource: [ARN, ENDPOINTS] })] },
      Roles: [{ Ref: Match.stringLikeRegexp('^Caller') }],
    });
  });

  test('cover one endpoint if its name is known at synth, even if lazy', () => {
    const { stack, runtime } = rollout();
    const role = new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });
    RuntimeGrants.fromRuntime(runtime).invokeCommand(role, { endpoint: endpointNamed(Lazy.string({ produce: () => 'live' })) });

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [Match.objectLike({ Resource: [ARN, { 'Fn::Join': ['', [ARN, '/runtime-endpoint/live']] }] })] },
    });
  });

  test('are also given by the tasks', () => {
    const { stack, runtime, rollout: { endpoint } } = rollout();
    const task = new RunCommand(stack, 'Lint', {
      runtime, endpoint, sessionId: sfn.JsonPath.stringAt('$.session'), command: Command.shell('npm run lint'), workingDirectory: '/mnt/workspace/repo', timeout: Duration.minutes(1),
    });
    new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(task) });

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
      Policies: [{ PolicyName: 'Driver', PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Resource: [ARN, ENDPOINTS] })]) } }],
    });
  });
});

describe('the warning about workspaces on DEFAULT', () => {
  const warnings = (stack: Stack) => Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('workspaceOnDefaultEndpoint'));

  test.each([[undefined], ['DEFAULT']])('is given for the endpoint %s of a runtime with session storage, and says how to acknowledge it', (endpointName) => {
    const stack = newStack();
    warnAboutDefaultEndpoint(stack, newRuntime(stack), endpointName === undefined ? undefined : endpointNamed(endpointName));

    expect(warnings(stack)).toHaveLength(1);
    const [, id] = /acknowledge\(\{ id: '([^']+)'/.exec(`${warnings(stack)[0].entry.data}`)!;
    expect(id).toBe(WORKSPACE_ON_DEFAULT_ENDPOINT);
    Validations.of(stack).acknowledge({ id, reason: 'nobody comes back to a workspace' });
    expect(warnings(stack)).toEqual([]);
  });

  test('is not given for the endpoint of a rollout, for one with a fixed name, or without session storage', () => {
    const { stack, runtime, rollout: { endpoint } } = rollout();
    warnAboutDefaultEndpoint(stack, runtime, endpoint);
    warnAboutDefaultEndpoint(stack, runtime, endpointNamed('live'));
    warnAboutDefaultEndpoint(stack, new agentcore.Runtime(stack, 'Plain', { agentRuntimeArtifact: IMAGE }));

    expect(warnings(stack)).toEqual([]);
  });
});

test('two rollouts in one stack have separate functions, since neither may access the other\'s runtime', () => {
  const stack = new Stack(new App(), 'Stack');
  for (const name of ['One', 'Two']) {
    const runtime = new AgentRuntime(stack, `Agent${name}`, { agentRuntimeArtifact: IMAGE });
    new RuntimeRollout(stack, `Rollout${name}`, { runtime });
  }
  const roles = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role')).filter(([id]) => id.includes('ProviderIsCompleteRole'));

  expect(roles.map(([, role]) => JSON.stringify(role).includes('AgentOne') && JSON.stringify(role).includes('AgentTwo'))).toEqual([false, false]);
});
