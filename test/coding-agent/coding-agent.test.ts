import { rmSync } from 'fs';
import { Aws, Duration, Lazy, SecretValue } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentTurn, BedrockModel, CodingAgent, DevTool } from '../../src';
import { AGENT_PROGRAMS, type AgentDefinition } from '../../src/agent/constants';
import { PROGRAM_VERSIONS } from '../../src/agent/versions';
import { directoryOf } from '../support/image-parts';
import { messageOf, newStack } from '../support/stacks';

const PROFILE = 'eu.anthropic.claude-sonnet-4-20250514-v1:0';
const model = BedrockModel.inferenceProfile(PROFILE);
const token = Lazy.string({ produce: () => 'later' });

let directory: string;

beforeAll(() => { directory = directoryOf({ 'agent.py': '' }); });

afterAll(() => rmSync(directory, { recursive: true }));

const AGENTS: { readonly [program: string]: (options?: object) => CodingAgent } = {
  'claude-code': (options) => CodingAgent.claudeCode(options),
  'codex': (options) => CodingAgent.codex(options),
  'opencode': (options) => CodingAgent.openCode(options),
  'aider': (options) => CodingAgent.aider(options),
  'strands': (options) => CodingAgent.strands(directory, options),
  'custom': (options) => CodingAgent.custom({ name: 'mine', command: 'my-agent', ...options }),
};

const definitionOf = (agent: CodingAgent): AgentDefinition => agent._definition();

test('every program of the runner has an agent', () => {
  expect(Object.keys(AGENTS)).toEqual(AGENT_PROGRAMS);
});

describe.each(Object.entries(AGENTS))('%s', (program, create) => {
  test('is defined by its program alone if there are no options', () => {
    expect(definitionOf(create())).toEqual({
      program,
      ...(program === 'custom' ? { name: 'mine', command: 'my-agent' } : {}),
      ...(program === 'strands' ? { directory: '/app' } : {}),
    });
    expect(create().environment).toEqual({});
  });

  test('has Node.js for the runner, and its program in a pinned version', () => {
    const tools = create().tools.map(String);
    expect(tools[0]).toBe(String(DevTool.nodejs('22')));
    const version = (PROGRAM_VERSIONS as { [name: string]: string })[program];
    expect(tools.slice(1).filter((tool) => tool.endsWith(` ${version}`))).toHaveLength(version === undefined ? 0 : 1);
  });

  test('has a turn that runs the runner, 1 hour at most unless it is told otherwise', () => {
    expect(create().turn()._command).toBe('workbench-agent turn');
    expect(create().turn()._timeoutSeconds).toBe(3_600);
    expect(create().turn({ timeout: Duration.hours(8) })._faults()).toEqual([]);
    expect(create().turn({ timeout: Duration.seconds(28_801) })._faults()).toEqual([expect.stringContaining('"turn.timeout" must be 1 to 28800 seconds')]);
  });

  test('has its model in its definition and in the environment of its runtime', () => {
    const agent = create({ model });
    expect(definitionOf(agent)).toMatchObject({ provider: 'bedrock', model: PROFILE });
    expect(agent.environment).toMatchObject({ WORKBENCH_AGENT_MODEL: PROFILE, AWS_REGION: Aws.REGION });
  });

  test('has a model that is a token in the environment only', () => {
    const agent = create({ model: BedrockModel.applicationInferenceProfile(token, { modelIds: ['amazon.nova-pro-v1:0'] }) });
    expect(definitionOf(agent)).toMatchObject({ provider: 'bedrock' });
    expect(definitionOf(agent)).not.toHaveProperty('model');
    expect(agent.environment.WORKBENCH_AGENT_MODEL).toBe(token);
  });

  test('has variables in its definition, and those that are tokens in the environment of its runtime', () => {
    const agent = create({ environment: { PLAIN: 'x', LATER: token } });
    expect(definitionOf(agent).environment).toEqual({ PLAIN: 'x' });
    expect(agent.environment).toEqual({ LATER: token });
  });

  test('passes its instructions and arguments on', () => {
    expect(definitionOf(create({ instructions: 'Be brief.', arguments: ['--verbose'] }))).toMatchObject({ instructions: 'Be brief.', arguments: ['--verbose'] });
  });

  test.each([
    [{ instructions: '' }, '"instructions" must have 1 to 8000 characters'],
    [{ instructions: 'x'.repeat(8_001) }, '"instructions" must have 1 to 8000 characters without NUL, not 8001'],
    [{ instructions: token }, '"instructions" must be known at synth'],
    [{ arguments: [token] }, '"arguments" must be known at synth'],
    [{ arguments: Array(51).fill('x') }, '"arguments" must have at most 50 arguments, not 51'],
    [{ arguments: ['x'.repeat(4_001)] }, '"arguments" must have at most 4000 characters each'],
    [{ environment: { 'not-a-name': '' } }, '"environment" must have names of letters'],
    [{ environment: { WORKBENCH_AGENT_MODEL: 'x' } }, '"environment" must not have "WORKBENCH_AGENT_MODEL"'],
    [{ environment: { KEY: 'AKIAABCDEFGHIJKLMNOP' } }, '"environment.KEY" must not contain an AWS access key'],
    [{ instructions: 'AKIAABCDEFGHIJKLMNOP' }, '"instructions" must not contain an AWS access key'],
  ])('fails with the options %j', (options, message) => {
    expect(messageOf(() => create(options))).toContain(message);
  });

  test.each([{ instructions: 'x'.repeat(8_000) }, { arguments: Array(50).fill('x'.repeat(4_000)) }])('accepts options at their limits', (options) => {
    expect(definitionOf(create(options))).toMatchObject(options);
  });
});

describe.each(['claude-code', 'codex', 'opencode'])('%s from npm', (program) => {
  test.each(['latest', '1.2', '^1.2.3', token])('fails with the version "%s"', (version) => {
    expect(messageOf(() => AGENTS[program]({ version }))).toMatch(/"version" must be (a full version|known at synth)/);
  });

  test('is installed in the version that is asked for', () => {
    expect(AGENTS[program]({ version: '9.8.7' }).tools.map(String)).toContainEqual(expect.stringMatching(/^npm:.* 9\.8\.7$/));
  });
});

test.each(['aider', 'strands'])('%s fails with a version that PyPI does not have', (program) => {
  expect(messageOf(() => AGENTS[program]({ version: 'latest' }))).toContain('"version" must be a version of PyPI, not "latest"');
});

describe.each(['claude-code', 'opencode', 'strands'])('the turns of %s', (program) => {
  test.each([1, 1_000])('can be limited to %d model calls', (maxTurns) => {
    expect(definitionOf(AGENTS[program]({ maxTurns })).maxTurns).toBe(maxTurns);
  });

  test.each([0, 1_001, 1.5])('cannot be limited to %d model calls', (maxTurns) => {
    expect(messageOf(() => AGENTS[program]({ maxTurns }))).toContain(`"maxTurns" must be a whole number from 1 to 1000, not ${maxTurns}`);
  });
});

describe.each(['claude-code', 'opencode'])('the small model of %s', (program) => {
  test('is the same as the model by default', () => {
    expect(AGENTS[program]({ model }).environment.WORKBENCH_AGENT_SMALL_MODEL).toBe(PROFILE);
    expect(definitionOf(AGENTS[program]({ model })).smallModel).toBe(PROFILE);
  });

  test('can be another one, which may then be invoked, too', () => {
    const stack = newStack({ account: '123456789012', region: 'eu-west-1' });
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    const agent = AGENTS[program]({ model, smallModel: BedrockModel.foundationModel('amazon.nova-micro-v1:0') });
    expect(agent.grantInvokeModel(stack, role).success).toBe(true);
    expect(definitionOf(agent).smallModel).toBe('amazon.nova-micro-v1:0');
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'] }),
          Match.objectLike({ Condition: { ArnEquals: Match.anyValue() } }),
          Match.objectLike({ Resource: { 'Fn::Join': ['', Match.arrayWith([':bedrock:eu-west-1::foundation-model/amazon.nova-micro-v1:0'])] } }),
        ],
      },
    });
  });
});

test('an agent without a model of Bedrock grants nothing', () => {
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  expect(CodingAgent.claudeCode().grantInvokeModel(stack, role).success).toBe(false);
  Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 0);
});

test('one model that is used for all work is granted once', () => {
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  CodingAgent.claudeCode({ model }).grantInvokeModel(stack, role);
  const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
  expect(Properties.PolicyDocument.Statement).toHaveLength(2);
});

describe('a custom agent', () => {
  test('has the tools of its command besides Node.js', () => {
    expect(CodingAgent.custom({ name: 'mine', command: 'jq .', tools: [DevTool.JQ] }).tools).toContain(DevTool.JQ);
  });

  test.each([
    [{ name: 'Mine' }, '"name" must be 1 to 40 lowercase letters'],
    [{ name: 'a'.repeat(41) }, '"name" must be 1 to 40 lowercase letters'],
    [{ command: ' ' }, '"command" must have 1 to'],
    [{ command: token }, '"command" must be known at synth'],
    [{ command: 'x ghp_0123456789012345678901234567890123456789' }, '"command" must not contain an access token'],
  ])('fails with %j', (options, message) => {
    expect(messageOf(() => AGENTS.custom(options))).toContain(message);
  });

  test('fails with all faults in one error', () => {
    expect(messageOf(() => CodingAgent.custom({ name: '', command: '' })).split('\n')).toHaveLength(3);
  });
});

test('an agent of Strands fails without its directory', () => {
  expect(messageOf(() => CodingAgent.strands('no/such/directory'))).toContain('"directory" must be an existing directory');
});

test('an agent of Strands fails without agent.py', () => {
  const other = directoryOf({ 'main.py': '' });
  expect(messageOf(() => CodingAgent.strands(other))).toContain('"directory" must have the file agent.py');
  rmSync(other, { recursive: true });
});

test('other turns do not read the report of an agent', () => {
  expect([AgentTurn.invoke(), AgentTurn.command('x'), AgentTurn.callback()].map(({ _reports }) => _reports)).toEqual([false, false, false]);
  expect(CodingAgent.codex().turn()._reports).toBe(true);
});

test('a variable that is a secret at deployment is refused when a runtime takes it', () => {
  const agent = CodingAgent.codex({ environment: { KEY: SecretValue.secretsManager('key').unsafeUnwrap() } });
  const stack = newStack();
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  expect(messageOf(() => agent._bind(Object.assign(stack, { role })))).toContain('"agent.environment" must not contain a value from Secrets Manager');
});
