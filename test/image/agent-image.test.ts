import { cpSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, relative } from 'path';
import { Aws, Lazy } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Runtime } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { AgentImage, type AgentImageOptions, AgentRuntime, DevTool } from '../../src';
import { assetOf, imageOf } from '../support/image-assets';
import { directoryOf } from '../support/image-parts';
import { messageOf, newStack } from '../support/stacks';

const COMMAND = ['node', 'agent.js'];
const EVERYTHING: AgentImageOptions = {
  command: COMMAND,
  tools: [DevTool.CURL, DevTool.nodejs('22'), DevTool.python('3.12'), DevTool.npm('semver', '7.6.3'), DevTool.osPackages('libpq-dev')],
};

let directory: string;

beforeEach(() => {
  directory = directoryOf({ 'agent.js': 'one', 'lib/util.js': 'two', '.dockerignore': '*.log\r\n# a comment\nsecret', 'a.log': '', 'secret/key': '' });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function faultOf(options: AgentImageOptions): string {
  return messageOf(() => AgentImage.fromDirectory(directory, options));
}

describe('an image from a directory', () => {
  test('is an artifact for the official runtime and for AgentRuntime', () => {
    const stack = newStack();
    new Runtime(stack, 'Official', { agentRuntimeArtifact: AgentImage.fromDirectory(directory, { command: COMMAND }) });
    new AgentRuntime(stack, 'Ours', { agentRuntimeArtifact: AgentImage.fromDirectory(directory, { command: COMMAND }) });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::BedrockAgentCore::Runtime', 2);
    template.hasResourceProperties('AWS::BedrockAgentCore::Runtime', {
      AgentRuntimeArtifact: { ContainerConfiguration: { ContainerUri: Match.anyValue() } },
    });
  });

  test('can be pulled by every runtime that uses it', () => {
    const stack = newStack();
    const artifact = AgentImage.fromDirectory(directory, { command: COMMAND });
    for (const id of ['First', 'Second', 'Third']) new Runtime(stack, id, { agentRuntimeArtifact: artifact });
    new AgentRuntime(stack, 'Ours', { agentRuntimeArtifact: artifact });
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy', {
      Properties: {
        PolicyDocument: {
          Statement: Match.arrayWith([{
            Effect: 'Allow',
            Action: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
            Resource: { 'Fn::Join': ['', Match.arrayWith([':repository/', { 'Fn::Sub': Match.stringLikeRegexp('-container-assets-') }])] },
          }]),
        },
      },
    }));
    const pullers = policies.map(({ Properties }) => Properties.Roles[0].Ref.replace(/ExecutionRole.*/, ''));
    expect(pullers.sort()).toEqual(['First', 'Ours', 'Second', 'Third']);
  });

  test('is built for arm64, whether or not the platform is given', () => {
    expect(imageOf(directory, { command: COMMAND }).source.platform).toBe('linux/arm64');
    expect(imageOf(directory, { command: COMMAND, platform: Platform.LINUX_ARM64 }).source.platform).toBe('linux/arm64');
  });

  test('has a generated Dockerfile: first the tools, then the files', () => {
    const lines = imageOf(directory, { ...EVERYTHING, setup: ['npm ci', 'echo "$HOME"'], user: '1234' }).dockerfile.trim().split('\n');
    expect(lines.map((line) => line.replace(/-[0-9a-f]{12}\.sh/, '').replace(/ (--mount\S+ )+/, ' '))).toEqual([
      expect.stringMatching(/^# Written by/),
      'FROM public.ecr.aws/docker/library/debian:bookworm-slim',
      'RUN ["/bin/sh", "/run/agent-image/packages"]',
      'ENV PATH="/opt/npm/bin:/opt/mise/path/node:/opt/mise/path/python:${PATH}"',
      'RUN ["/bin/sh", "/run/agent-image/runtimes"]',
      'RUN ["/bin/sh", "/run/agent-image/verify"]',
      'WORKDIR /app',
      'COPY application/ /app/',
      'RUN ["/bin/bash","-euo","pipefail","-c","npm ci"]',
      'RUN ["/bin/bash","-euo","pipefail","-c","echo \\"$HOME\\""]',
      expect.stringMatching(/^ENV XDG_CACHE_HOME=/),
      'USER 1234',
      'EXPOSE 8080',
      'CMD ["node","agent.js"]',
    ]);
  });

  test('honors .dockerignore and the exclude option, and does not change the directory', () => {
    const before = readdirSync(directory, { recursive: true }).sort();
    const { context } = imageOf(directory, { command: COMMAND, exclude: ['lib'] });
    expect(readdirSync(join(context, 'application'), { recursive: true })).toEqual(['agent.js']);
    expect(readdirSync(directory, { recursive: true }).sort()).toEqual(before);
  });

  test('prefers a Dockerfile-specific ignore file, as Docker does', () => {
    writeFileSync(join(directory, 'Dockerfile'), 'FROM debian\n');
    writeFileSync(join(directory, 'Dockerfile.dockerignore'), 'lib\n');
    expect(readdirSync(imageOf(directory).context).sort()).toEqual(['.agent-image', 'Dockerfile', 'a.log', 'agent.js', 'secret']);
  });

  test('does not contain the app\'s own assembly', () => {
    const outdir = join(directory, 'cdk.out');
    const artifact = AgentImage.fromDirectory(directory, { command: COMMAND });
    const { hash } = assetOf(artifact, outdir);
    expect(assetOf(AgentImage.fromDirectory(directory, { command: COMMAND }), outdir).hash).toBe(hash);
  });

  test('passes on the options of the image asset', () => {
    writeFileSync(join(directory, 'Dockerfile'), 'FROM debian AS dev\n');
    const { source } = imageOf(directory, {
      target: 'dev',
      buildArgs: { A: '1' },
      buildSecrets: { GITHUB_TOKEN: 'env=GITHUB_TOKEN' },
      buildSsh: 'default',
      cacheDisabled: true,
      cacheFrom: [{ type: 'registry', params: { ref: 'x' } }],
    });
    expect(source).toMatchObject({
      dockerBuildTarget: 'dev',
      dockerBuildArgs: { A: '1' },
      dockerBuildSecrets: { GITHUB_TOKEN: 'env=GITHUB_TOKEN' },
      dockerBuildSsh: 'default',
      cacheDisabled: true,
      cacheFrom: [{ type: 'registry', params: { ref: 'x' } }],
    });
  });

  test('takes mise from the given image, with the given settings and token', () => {
    const image = imageOf(directory, {
      ...EVERYTHING,
      miseImage: 'mirror.example.com/mise@sha256:abc',
      miseSettings: { MISE_PYTHON_PRECOMPILED_FLAVOR: "it's", MISE_NODE_MIRROR_URL: 'https://mirror.example.com' },
      buildSecrets: { GITHUB_TOKEN: 'env=GITHUB_TOKEN' },
    });
    expect(image.dockerfile).toContain('--mount=type=bind,from=mirror.example.com/mise@sha256:abc,source=/usr/local/bin/mise,target=/run/mise');
    expect(image.dockerfile).toContain('--mount=type=secret,id=GITHUB_TOKEN ');
    expect(image.scripts.runtimes).toMatch(/export MISE_NODE_MIRROR_URL='https:\/\/mirror.example.com'\n.*\nexport MISE_PYTHON_PRECOMPILED_FLAVOR='it'\\''s'/);
    expect(image.scripts.runtimes).toContain('cat /run/secrets/GITHUB_TOKEN');
  });

  test('does not mount the token if mise installs nothing', () => {
    const tools = [DevTool.npm('semver', '7.6.3'), DevTool.custom({ name: 'own', install: 'x', verify: 'x' })];
    const image = imageOf(directory, { command: COMMAND, tools, buildSecrets: { GITHUB_TOKEN: 'env=GITHUB_TOKEN' } });
    expect(image.dockerfile).not.toContain('secret');
    expect(image.scripts.runtimes).not.toContain('secret');
  });

  test('has no step for runtimes if none is requested, and needs no mise for npm', () => {
    expect(imageOf(directory, { command: COMMAND }).scripts.runtimes).toBeUndefined();
    expect(imageOf(directory, { command: COMMAND, tools: [DevTool.npm('semver', '7.6.3')] }).dockerfile).not.toContain('mise');
  });

  test('sets a directory for Java, and caches for the languages whose official images set them', () => {
    const { dockerfile } = imageOf(directory, { command: COMMAND, tools: [DevTool.java('21'), DevTool.go('1.26'), DevTool.rust('1.90')] });
    expect(dockerfile).toContain('ENV JAVA_HOME="/opt/mise/java-home"');
    expect(dockerfile).toMatch(/GOMODCACHE="\S+" CARGO_HOME="/);
    expect(imageOf(directory, { command: COMMAND }).dockerfile).not.toMatch(/JAVA_HOME|GOMODCACHE|CARGO_HOME/);
  });
});

describe('the hash of an image', () => {
  test('is the same in any directory, at any time and for any output directory', () => {
    const { hash } = imageOf(directory, EVERYTHING);
    const elsewhere = join(mkdtempSync(join(tmpdir(), 'else-')), 'under', 'another-name');
    cpSync(directory, elsewhere, { recursive: true });
    for (const file of ['agent.js', 'lib/util.js']) utimesSync(join(elsewhere, file), 1, 1);
    const app = mkdtempSync(join(tmpdir(), 'out-'));
    expect(assetOf(AgentImage.fromDirectory(elsewhere, EVERYTHING), app).hash).toBe(hash);
    rmSync(elsewhere, { recursive: true });
    rmSync(app, { recursive: true });
  });

  test('is the same for a directory that is given as a relative path', () => {
    const { hash } = imageOf(directory, EVERYTHING);
    expect(imageOf(relative(process.cwd(), directory), EVERYTHING).hash).toBe(hash);
  });

  test('does not depend on the order of settings, or on a tool that is always present', () => {
    const hashOf = (options: AgentImageOptions) => imageOf(directory, { ...EVERYTHING, ...options }).hash;
    expect(hashOf({ miseSettings: { MISE_A: '1', MISE_B: '2' } })).toBe(hashOf({ miseSettings: { MISE_B: '2', MISE_A: '1' } }));
    expect(hashOf({ tools: [DevTool.GIT, DevTool.BASH] })).toBe(hashOf({ tools: [] }));
  });

  test.each<[what: string, options: AgentImageOptions]>([
    ['a tool', { tools: [DevTool.JQ] }],
    ['a version', { tools: [DevTool.nodejs('24')] }],
    ['the base', { base: 'debian:12' }],
    ['the command', { command: ['node', 'other.js'] }],
    ['the user', { user: '1001' }],
    ['the extra hash', { extraHash: 'x' }],
  ])('changes with %s', (_, options) => {
    expect(imageOf(directory, { ...EVERYTHING, ...options }).hash).not.toBe(imageOf(directory, EVERYTHING).hash);
  });

  test('changes with the application, while the scripts of the tools keep their names', () => {
    const before = imageOf(directory, EVERYTHING);
    writeFileSync(join(directory, 'agent.js'), 'changed');
    const after = imageOf(directory, EVERYTHING);
    expect(after.hash).not.toBe(before.hash);
    expect(after.dockerfile).toBe(before.dockerfile);
  });
});

describe('invalid options', () => {
  const UNRESOLVED = Lazy.string({ produce: () => 'x' });
  const UNRESOLVED_LIST = Lazy.list({ produce: () => ['x'] });

  test.each<[fault: string, options: AgentImageOptions]>([
    ["\"platform\" must be linux/arm64, the only platform that AgentCore starts, not 'linux/amd64'", { command: COMMAND, platform: Platform.LINUX_AMD64 }],
    ["\"file\" must be a path within the directory, not '../Dockerfile'", { file: '../Dockerfile' }],
    ["\"file\" must be a path within the directory, not '/x'", { file: '/x' }],
    ["\"file\" must exist in the directory, not 'Agent.Dockerfile'", { file: 'Agent.Dockerfile' }],
    ["\"target\" must be a stage of a Dockerfile, not 'dev'", { target: 'dev', command: COMMAND }],
    ['"command" must be set if the directory has no Dockerfile', {}],
    ['"command" must be set if the directory has no Dockerfile', { command: [] }],
    ['"base" must be the literal reference of an image, not "debian\\nRUN x"', { command: COMMAND, base: 'debian\nRUN x' }],
    ['"base" must be the literal reference of an image, not a token', { command: COMMAND, base: UNRESOLVED }],
    ['"base" must have apt, dnf, microdnf or apk, not be \'scratch\'', { command: COMMAND, base: 'scratch' }],
    ['"command" must be known at synth, not a token, since the image is built before the deployment: use a literal', { command: ['node', UNRESOLVED] }],
    ['"command" must be known at synth, not a token', { command: UNRESOLVED_LIST }],
    ['"setup" must be known at synth, not a token', { command: COMMAND, setup: [`echo ${Aws.REGION}`] }],
    ['"setup" must be known at synth, not a token', { command: COMMAND, setup: UNRESOLVED_LIST }],
    ['"miseSettings" must be known at synth, not a token', { command: COMMAND, miseSettings: { MISE_OK: `https://${Aws.REGION}` } }],
    ['"command", "setup" must be known at synth, not a token', { command: UNRESOLVED_LIST, setup: [UNRESOLVED] }],
    ['"miseImage" must be the literal reference of an image, not "a b"', { command: COMMAND, miseImage: 'a b' }],
    ["not 'node': use a number", { command: COMMAND, user: 'node' }],
    ["not '1000:': use a number", { command: COMMAND, user: '1000:' }],
    ['not a token: use a number', { command: COMMAND, user: UNRESOLVED }],
    ['"miseSettings" must have names of mise\'s environment variables, not "NODE_MIRROR", "MISE_a"', { command: COMMAND, miseSettings: { NODE_MIRROR: '', MISE_a: '', MISE_OK: '' } }],
    ["\"tools\" must not have 'node' twice, as 22.23.3 and as 24.21.0: remove one", { command: COMMAND, tools: [DevTool.nodejs('22'), DevTool.nodejs('24')] }],
    ["\"tools\" must not have 'node' twice, as 22.23.3 and as 20.0.0", { command: COMMAND, tools: [DevTool.nodejs('22'), DevTool.mise('node', '20.0.0')] }],
    [
      "\"tools\" must not have 'git' twice, by the package manager and by a command of its own",
      { command: COMMAND, tools: [DevTool.custom({ name: 'git', install: 'x', verify: 'x' })] },
    ],
  ])('fail: %s', (fault, options) => {
    expect(faultOf(options)).toContain(fault);
  });

  test('fail together, with the call that they belong to', () => {
    const message = faultOf({ platform: Platform.LINUX_AMD64, user: 'node' });
    expect(message).toContain('"platform"');
    expect(message).toContain('"command"');
    expect(message).toContain('"user"');
    expect(message).toContain(`at AgentImage.fromDirectory('${directory}')`);
  });

  test('fail for a directory that does not exist or is a file', () => {
    for (const path of [join(directory, 'nowhere'), join(directory, 'agent.js')]) {
      expect(messageOf(() => AgentImage.fromDirectory(path, { command: COMMAND }))).toContain('"directory" must be an existing directory');
    }
  });

  test('fail if the Dockerfile sets the same, with the name of each', () => {
    writeFileSync(join(directory, 'Dockerfile'), 'FROM debian\n');
    expect(faultOf({ base: 'debian', command: COMMAND })).toContain('"base", "command" must not be set if the directory has a Dockerfile: change Dockerfile');
  });

  test('do not fail for a tool that is given twice in the same version', () => {
    expect(imageOf(directory, { command: COMMAND, tools: [DevTool.JQ, DevTool.osPackages('jq'), DevTool.nodejs('22'), DevTool.nodejs('22.23.3')] })
      .scripts.verify.match(/check 'node'/g)).toHaveLength(1);
  });
});

describe('the warning about an image that a runtime uses', () => {
  const ID = 'cdk-agentcore-workbench:floatingToolVersion';

  function warningsOf(tools: DevTool[]): string[] {
    const stack = newStack();
    new Runtime(stack, 'Runtime', { agentRuntimeArtifact: AgentImage.fromDirectory(directory, { command: COMMAND, tools }) });
    return Annotations.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry }) => String(entry.data));
  }

  test('has a stable id, and is added if a version is not pinned', () => {
    // Different releases of the CDK write the prefix of an id differently.
    expect(warningsOf([DevTool.nodejs('latest'), DevTool.npm('semver', 'next'), DevTool.go('1.26')])).toContainEqual(expect.stringMatching(
      `^two builds of this image may have different versions of node \\(latest\\), npm:semver \\(next\\): use full versions \\[ack: .*${ID}\\]$`));
  });

  test('is absent if all versions are pinned', () => {
    expect(warningsOf(EVERYTHING.tools!).filter((warning) => warning.includes(ID))).toEqual([]);
  });
});
