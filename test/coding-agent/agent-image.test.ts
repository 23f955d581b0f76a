import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AgentRuntimeArtifact, Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentImage, AgentRuntime, BedrockModel, CodingAgent, DevTool } from '../../src';
import { agentStep } from '../../src/image/agent-step';
import { type ImageAsset, assetOf } from '../support/image-assets';
import { directoryOf } from '../support/image-parts';
import { messageOf, newStack } from '../support/stacks';

const ENV = { account: '123456789012', region: 'eu-west-1' };
const PROFILE = 'eu.anthropic.claude-sonnet-4-20250514-v1:0';
const model = BedrockModel.inferenceProfile(PROFILE);
const claude = CodingAgent.claudeCode({ model });

/** The names of the instructions that make or use a layer, in order. */
const stepsOf = ({ dockerfile }: ImageAsset) => dockerfile.split('\n')
  .flatMap((line) => /\.agent-image.*?\/([a-z]+)-[0-9a-f]{12}\.sh/.exec(line)?.[1] ?? /^(COPY|CMD|USER) .*|^RUN .*requirements/.exec(line)?.[0] ?? []);

function agentScript({ context }: ImageAsset): string {
  const directory = join(context, '.agent-image');
  return readFileSync(join(directory, readdirSync(directory).find((name) => name.startsWith('agent-'))!), 'utf8');
}

describe('an image for an agent', () => {
  test('has the tools, the runner and its server, and is checked last', () => {
    const asset = assetOf(AgentImage.forAgent(claude, { tools: [DevTool.RIPGREP] }));
    expect(stepsOf(asset)).toEqual(['packages', 'runtimes', 'agent', 'verify', 'USER 0', 'CMD ["workbench-agent","serve"]']);
    expect(asset.scripts.runtimes).toContain('npm install --global --prefix /opt/npm --no-audit --no-fund --loglevel=error \'@anthropic-ai/claude-code@2.1.197\'');
    expect(asset.scripts.runtimes).toContain('claude --version >/dev/null 2>&1 || (cd \'/opt/npm/lib/node_modules/@anthropic-ai/claude-code\' && node install.cjs)');
    expect(asset.scripts.packages).toContain('ripgrep');
    expect(asset.scripts.verify).toContain('check \'npm:@anthropic-ai/claude-code\' \'npm-anthropic-ai-claude-code\' \'2.1.197\' \'2.1.197\' \'claude --version\'');
    expect(asset.scripts.verify).toContain('AWS_REGION="${AWS_REGION:-us-east-1}" workbench-agent check');
  });

  test('contains the runner\'s bundle and the definition', () => {
    const asset = assetOf(AgentImage.forAgent(claude));
    expect(readFileSync(join(asset.context, '.agent-image/workbench-agent.js'))).toEqual(readFileSync(join(__dirname, '../../assets/agent/workbench-agent.js')));
    const script = agentScript(asset);
    expect(script).toContain('cp /run/agent-image/workbench-agent.js /opt/workbench-agent/workbench-agent.js');
    expect(script).toContain('cp /run/agent-image/workbench-agent.json /etc/workbench-agent.json');
    expect(JSON.parse(readFileSync(join(asset.context, '.agent-image/workbench-agent.json'), 'utf8'))).toEqual(claude._definition());
  });

  test('runs as root, so that a verification can have a user of its own, unless another user is given', () => {
    expect(stepsOf(assetOf(AgentImage.forAgent(claude)))).toContain('USER 0');
    expect(stepsOf(assetOf(AgentImage.forAgent(claude, { user: '1000' })))).toContain('USER 1000');
  });

  test('contains nothing of the user unless the agent has a directory', () => {
    expect(readdirSync(assetOf(AgentImage.forAgent(claude)).context).sort()).toEqual(['.agent-image', 'Dockerfile']);
  });

  test('is the same for the same agent, and another one for another definition', () => {
    const hashOf = (instructions: string) => assetOf(AgentImage.forAgent(CodingAgent.claudeCode({ instructions }))).hash;
    expect(hashOf('one')).toBe(hashOf('one'));
    expect(hashOf('one')).not.toBe(hashOf('two'));
  });

  test('installs no tool again when the definition changes', () => {
    const scriptOf = (instructions: string) => assetOf(AgentImage.forAgent(CodingAgent.claudeCode({ instructions }))).scripts;
    expect(scriptOf('one')).toEqual(scriptOf('two'));
  });

  test('is checked with a placeholder in place of a model that the build does not know', () => {
    const later = BedrockModel.foundationModel(Lazy.string({ produce: () => 'later' }));
    const { scripts } = assetOf(AgentImage.forAgent(CodingAgent.codex({ model: later })));
    expect(scripts.verify).toContain('WORKBENCH_AGENT_MODEL="${WORKBENCH_AGENT_MODEL:-known-at-deployment}" workbench-agent check');
  });

  test('has the user\'s version of a tool that the agent has, too', () => {
    const { scripts } = assetOf(AgentImage.forAgent(claude, { tools: [DevTool.nodejs('24')] }));
    expect(scripts.runtimes).toContain('node@24.');
    expect(scripts.runtimes).not.toContain('node@22.');
  });

  test('fails for aider without a model, which it cannot do without', () => {
    expect(messageOf(() => AgentImage.forAgent(CodingAgent.aider()))).toContain('"agent" must have a model');
    expect(AgentImage.forAgent(CodingAgent.aider({ arguments: ['--model', 'openai/x'] }))).toBeDefined();
  });

  test('has the distribution\'s Python in place of the agent\'s if the user names it', () => {
    const { scripts } = assetOf(AgentImage.forAgent(CodingAgent.aider({ model }), { tools: [DevTool.PYTHON3] }));
    expect(scripts.runtimes).not.toContain('python@');
  });

  test('has the base, the user, the setup and the asset options that are given', () => {
    const asset = assetOf(AgentImage.forAgent(claude, { base: 'debian:trixie', user: '2000:2000', setup: ['echo ready'], buildArgs: { A: 'b' } }));
    expect(asset.dockerfile).toContain('FROM debian:trixie\n');
    expect(asset.dockerfile).toContain('\nUSER 2000:2000\n');
    expect(asset.dockerfile).toContain('RUN ["/bin/bash","-euo","pipefail","-c","echo ready"]');
    expect(asset.source.dockerBuildArgs).toEqual({ A: 'b' });
  });

  test('has aider in an environment of its own', () => {
    const { scripts } = assetOf(AgentImage.forAgent(CodingAgent.aider({ model })));
    expect(scripts.runtimes).toContain('python3 -m venv --without-pip /opt/python-programs/aider\n');
    expect(scripts.runtimes).toContain('python3 -m pip --python /opt/python-programs/aider/bin/python3 install');
    expect(scripts.runtimes).toContain('\'aider-chat==0.86.2\' \'boto3==1.44.8\'');
    expect(scripts.verify).toContain('\'aider --version\'');
  });

  test('fails if the runner is not in the package', () => {
    const missing = join(tmpdir(), 'no-such-runner.js');
    expect(messageOf(() => agentStep({ program: 'codex' }, missing))).toBe(`${missing} does not exist: it is part of the package, `
      + 'so install the package again, or build it with "npx projen bundle"');
  });

  test('is another one for another runner', () => {
    const directory = directoryOf({ 'one.js': '1' });
    const script = () => agentStep({ program: 'codex' }, join(directory, 'one.js')).script.file;
    const before = script();
    writeFileSync(join(directory, 'one.js'), '2');
    expect(script()).not.toBe(before);
    rmSync(directory, { recursive: true });
  });
});

describe('an image for an agent of Strands', () => {
  let directory: string;

  beforeEach(() => { directory = directoryOf({ 'agent.py': 'AGENT = 1', 'requirements.txt': 'boto3' }); });

  afterEach(() => rmSync(directory, { recursive: true }));

  test('contains the directory and what it requires, before it is checked', () => {
    const asset = assetOf(AgentImage.forAgent(CodingAgent.strands(directory, { model })));
    const [requirements] = stepsOf(asset).filter((step) => step.includes('requirements'));
    expect(stepsOf(asset)).toEqual([
      'packages', 'runtimes', 'COPY application/ /app/', requirements, 'agent', 'verify', 'USER 0', 'CMD ["workbench-agent","serve"]',
    ]);
    expect(existsSync(join(asset.context, 'application/agent.py'))).toBe(true);
    expect(asset.scripts.verify).toContain('python3 -c');
  });

  test('does not contain what Python made on this machine, or what is excluded', () => {
    const own = directoryOf({ 'agent.py': '', '.venv/bin/python': '', 'lib/__pycache__/a.pyc': '', 'lib/a.py': '', 'notes.md': '' });
    const { context } = assetOf(AgentImage.forAgent(CodingAgent.strands(own), { exclude: ['notes.md'] }));
    expect(readdirSync(join(context, 'application'), { recursive: true }).sort()).toEqual(['agent.py', 'lib', 'lib/a.py']);
    rmSync(own, { recursive: true });
  });

  test('fails if the directory has a Dockerfile', () => {
    writeFileSync(join(directory, 'Dockerfile'), 'FROM debian');
    expect(messageOf(() => AgentImage.forAgent(CodingAgent.strands(directory)))).toContain('the directory of the agent must not have a Dockerfile');
  });

  test('is not made from another directory', () => {
    const other = directoryOf({ 'server.py': '' });
    expect(messageOf(() => AgentImage.fromDirectory(other, { agent: CodingAgent.strands(directory), command: ['x'] })))
      .toContain('"agent" must not have a directory of its own: use AgentImage.forAgent');
    rmSync(other, { recursive: true });
  });
});

describe('an image from a directory with an agent', () => {
  test('serves what the directory serves, with the agent beside it', () => {
    const directory = directoryOf({ 'server.mjs': '' });
    const asset = assetOf(AgentImage.fromDirectory(directory, { agent: claude, command: ['node', 'server.mjs'] }));
    expect(stepsOf(asset)).toEqual(['packages', 'runtimes', 'COPY application/ /app/', 'agent', 'verify', 'USER 0', 'CMD ["node","server.mjs"]']);
    rmSync(directory, { recursive: true });
  });

  test('has the library\'s server if it has no command', () => {
    const directory = directoryOf({ 'notes.md': '' });
    expect(assetOf(AgentImage.fromDirectory(directory, { agent: claude })).dockerfile).toContain('CMD ["workbench-agent","serve"]');
    rmSync(directory, { recursive: true });
  });

  test('keeps the command of a Dockerfile', () => {
    const directory = directoryOf({ Dockerfile: 'FROM debian\nCOPY . /srv\nUSER 1000\nCMD ["node", "/srv/mine.js"]\n' });
    const asset = assetOf(AgentImage.fromDirectory(directory, { agent: claude }));
    expect(stepsOf(asset)).toEqual([
      'USER 0', 'packages', 'runtimes', 'COPY . /srv', 'USER 1000', 'CMD ["node", "/srv/mine.js"]', 'USER 0', 'agent', 'verify', 'USER 1000',
    ]);
    rmSync(directory, { recursive: true });
  });
});

describe('a runtime with an agent\'s image', () => {
  const statementsOf = (stack: Stack): { Action: unknown; Resource: unknown }[] =>
    Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')).flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

  const invokesOf = (stack: Stack) => statementsOf(stack).filter(({ Action }) => JSON.stringify(Action).includes('bedrock:InvokeModel'));

  test('may invoke the agent\'s model and no other, and has the agent\'s environment', () => {
    const stack = newStack(ENV);
    new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(claude), environmentVariables: { MINE: 'x' } });
    expect(invokesOf(stack)).toHaveLength(2);
    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', {
      EnvironmentVariables: { AWS_REGION: { Ref: 'AWS::Region' }, MINE: 'x', WORKBENCH_AGENT_MODEL: PROFILE, WORKBENCH_AGENT_SMALL_MODEL: PROFILE },
    });
  });

  test('has the user\'s own value of a variable', () => {
    const stack = newStack(ENV);
    new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(claude), environmentVariables: { AWS_REGION: 'us-west-2' } });
    Template.fromStack(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', { EnvironmentVariables: Match.objectLike({ AWS_REGION: 'us-west-2' }) });
  });

  test('fails if it has more variables than the service accepts', () => {
    const variables = Object.fromEntries(Array.from({ length: 48 }, (_, index) => [`V${index}`, '']));
    const create = (environmentVariables: { [name: string]: string }) =>
      new AgentRuntime(newStack(ENV), 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(claude), environmentVariables });
    expect(messageOf(() => create(variables))).toContain('Too many environment variables: 51');
    delete variables.V0;
    expect(create(variables)).toBeDefined();
  });

  test('may invoke the model if it is the official one, which is given the environment', () => {
    const stack = newStack(ENV);
    new Runtime(stack, 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(claude), environmentVariables: claude.environment });
    expect(invokesOf(stack)).toHaveLength(2);
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('environment variables of its agent'));
  });

  test('has a warning if it is the official one, which is not given the environment', () => {
    const stack = newStack(ENV);
    new Runtime(stack, 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(claude), environmentVariables: { AWS_REGION: 'eu-west-1' } });
    Template.fromStack(stack);
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('does not have the environment variables of its agent: '
      + 'WORKBENCH_AGENT_MODEL, WORKBENCH_AGENT_SMALL_MODEL: pass "environmentVariables: agent.environment".*cdk-agentcore-workbench:agentEnvironment'));
  });

  test('gives each of several runtimes permission', () => {
    const stack = newStack(ENV);
    const artifact = AgentImage.forAgent(claude);
    for (const id of ['One', 'Two']) new AgentRuntime(stack, id, { agentRuntimeArtifact: artifact });
    expect(invokesOf(stack)).toHaveLength(4);
  });

  test('grants nothing for an agent without a model', () => {
    const stack = newStack(ENV);
    new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: AgentImage.forAgent(CodingAgent.codex()) });
    expect(invokesOf(stack)).toEqual([]);
    expect(JSON.stringify(Template.fromStack(stack))).not.toContain('EnvironmentVariables');
  });

  test('of another image has no variables of an agent', () => {
    const stack = newStack(ENV);
    const role = iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::123456789012:role/runtime');
    new AgentRuntime(stack, 'Agent', {
      agentRuntimeArtifact: AgentRuntimeArtifact.fromImageUri('123456789012.dkr.ecr.eu-west-1.amazonaws.com/agent:1'), executionRole: role,
    });
    expect(JSON.stringify(Template.fromStack(stack))).not.toContain('EnvironmentVariables');
  });
});
