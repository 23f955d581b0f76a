import { Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AgentRuntime, CodingLoop, CodingLoopProps, Commit, Forge, Gate, GitHub, GitHubApp, GitLab, GitRepository, MergeMethod, Mount } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

interface Policy {
  readonly PolicyDocument: { readonly Statement: { readonly Action: string | string[]; readonly Resource: unknown }[] };
}

/** Returns a stack with a loop. */
function loopIn(stack: Stack, repository: GitRepository, props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'coder', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, 'Fix', { runtime, repository, gates: [Gate.command('test', 'npm test')], ...props });
}

const secretIn = (stack: Stack, id = 'Key') => new Secret(stack, id);
const gitHubIn = (stack: Stack) => GitRepository.fromGitHub('octo/shop', { app: GitHubApp.fromSecret(secretIn(stack), { appId: '4711' }) });

describe('permissions', () => {
  const stack = newStack();
  loopIn(stack, gitHubIn(stack), { commit: Commit.pullRequest() });
  const template = Template.fromStack(stack);
  const statementsOf = (prefix: string) => {
    const roles = template.findResources('AWS::IAM::Role');
    const [id] = Object.keys(roles).filter((name) => name.startsWith(prefix));
    const policies = Object.values(template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: id }] } }));
    const all: Policy[] = [...roles[id].Properties.Policies ?? [], ...policies.map(({ Properties }) => Properties)];
    return all.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  };
  const actionsOf = (prefix: string): string[] => statementsOf(prefix).flatMap(({ Action }) => Action).sort();

  test('the publisher reads one secret and runs commands in the sessions of one runtime', () => {
    expect(actionsOf('FixPublisherRole')).toEqual([
      'bedrock-agentcore:InvokeAgentRuntimeCommand', 'logs:CreateLogStream', 'logs:PutLogEvents',
      'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments',
    ]);
    const of = (action: string) => statementsOf('FixPublisherRole').find(({ Action }) => [Action].flat().includes(action))!.Resource;
    expect(of('secretsmanager:GetSecretValue')).toEqual({ Ref: expect.stringMatching(/^Key/) });
    expect(of('bedrock-agentcore:InvokeAgentRuntimeCommand')).toEqual([
      { 'Fn::GetAtt': [expect.stringMatching(/^Agent/), 'AgentRuntimeArn'] },
      { 'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.stringMatching(/^Agent/), 'AgentRuntimeArn'] }, '/*']] },
    ]);
  });

  test('neither the driver nor the state machine nor the runtime can read a secret', () => {
    for (const prefix of ['AgentcoreWorkbenchSessionDriverRole', 'FixRole', 'AgentExecutionRole']) {
      expect(actionsOf(prefix).filter((action) => /secretsmanager|kms|\*/.test(action))).toEqual([]);
    }
    expect(statementsOf('AgentcoreWorkbenchSessionDriverRole')).toContainEqual(expect.objectContaining({
      Action: 'lambda:InvokeFunction', Resource: { 'Fn::GetAtt': [expect.stringMatching(/^FixPublisherFunction/), 'Arn'] },
    }));
  });

  test('cdk-nag has nothing to say about the publisher but what has no resource to name', () => {
    const found = new AwsSolutionsChecks(stack).validateScope(stack).violations
      .filter(({ violatingResources }) => violatingResources.some(({ constructPath }) => constructPath!.includes('Publisher')))
      .map(({ ruleName }) => ruleName.replace(/<\w+>/g, ''));
    expect([...new Set(found)].sort()).toEqual([
      'AwsSolutions-IAM5[Resource::*]', expect.stringMatching(/^AwsSolutions-IAM5\[Resource::.*AgentRuntimeArn.*\/\*\]$/),
    ]);
  });

  test('the template has no secret, and a loop without a forge keeps its resources', () => {
    const plain = newStack();
    loopIn(plain, GitRepository.fromUrl('https://git.example.com/octo/shop.git'));
    const count = (of: Template) => Object.keys(of.toJSON().Resources).length;
    expect(count(template) - count(Template.fromStack(plain))).toBe(5);
    expect(JSON.stringify(template.toJSON())).not.toContain('resolve:secretsmanager');
  });
});

test('a forge in a private network', () => {
  const stack = newStack();
  const vpc = new ec2.Vpc(stack, 'Vpc');
  const caBundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  loopIn(stack, GitRepository.fromUrl('https://git.internal/octo/shop.git', { forge: Forge.basic(secretIn(stack), { vpc, caBundle, readSecret: secretIn(stack, 'Read') }) }));
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    VpcConfig: Match.objectLike({}), Environment: { Variables: Match.objectLike({ WORKBENCH_CA_BUNDLE: caBundle, WORKBENCH_REPOSITORIES: '["https://git.internal/octo/shop.git"]' }) },
  });
  Annotations.fromStack(stack).hasNoError('*', Match.anyValue());
});

test('the URL of a repository at GitHub', () => {
  const stack = newStack();
  const app = GitHubApp.fromSecret(secretIn(stack), { appId: '1' });
  expect(GitRepository.fromGitHub('octo/shop', { app }).url).toBe('https://github.com/octo/shop.git');
  const enterprise = GitHub.token(secretIn(stack, 'Token'), { baseUrl: 'https://ghe.example.com/api/v3' });
  expect(GitRepository.fromGitHub('octo/shop', { app: enterprise, ref: 'dev' })).toMatchObject({ url: 'https://ghe.example.com/octo/shop.git', ref: 'dev' });
});

describe('a mistake is found at synth', () => {
  test.each<[string, RegExp, (stack: Stack) => readonly [GitRepository, Partial<CodingLoopProps>?]]>([
    ['the name of a repository', /must be its owner and its name, not "shop"/, (stack) => [GitRepository.fromGitHub('shop', { app: GitHub.token(secretIn(stack)) })]],
    ['".git" in the name', /must be its owner and its name/, (stack) => [GitRepository.fromGitHub('octo/shop.git', { app: GitHub.token(secretIn(stack)) })]],
    ['the URL of an API', /"baseUrl" must be the https URL/, (stack) => [GitRepository.fromGitHub('octo/shop', { app: GitHub.token(secretIn(stack), { baseUrl: 'http://ghe' }) })]],
    ['the host of an API', /"baseUrl" must be the https URL/, (stack) => [GitRepository.fromGitHub('octo/shop', { app: GitHub.token(secretIn(stack), { baseUrl: 'ghe.example.com' }) })]],
    ['the URL of an API that is not known', /"baseUrl" must be the https URL/, (stack) => [GitRepository.fromGitHub('octo/shop', { app: GitHub.token(secretIn(stack), { baseUrl: Lazy.string({ produce: () => 'https://ghe' }) }) })]],
    ['the URL of a GitLab instance', /"baseUrl" must be the https URL of the GitLab/, (stack) => [GitRepository.fromUrl('https://a.example/a/b', { forge: GitLab.token(secretIn(stack), { baseUrl: 'gitlab.com' }) })]],
    ['an app', /"appId" must be the ID/, (stack) => [GitRepository.fromGitHub('octo/shop', { app: GitHubApp.fromSecret(secretIn(stack), { appId: 'my app' }) })]],
    ['an installation', /"installationId" must be a number/, (stack) => [GitRepository.fromGitHub('o/s', { app: GitHubApp.fromSecret(secretIn(stack), { appId: '1', installationId: 'x' }) })]],
    ['an ssh URL with a forge', /must be a plain https URL/, (stack) => [GitRepository.fromUrl('ssh://git@git.example.com/a/b.git', { forge: Forge.basic(secretIn(stack)) })]],
    ['any repository with a forge', /"allow" must limit the repositories/, (stack) => [GitRepository.fromInput({ forge: Forge.basic(secretIn(stack)) })]],
    ['a pattern of the input without TLS', /"allow" must have https URLs/, (stack) => [GitRepository.fromInput({ allow: ['http://git.example.com/a/*'], forge: Forge.basic(secretIn(stack)) })]],
    ['subnets without a VPC', /must come with "vpc"/, (stack) => [GitRepository.fromUrl('https://a.example/a/b', { forge: Forge.basic(secretIn(stack), { vpcSubnets: {} }) })]],
    ['no certificate', /"caBundle" must have certificates in PEM/, (stack) => [GitRepository.fromUrl('https://a.example/a/b', { forge: Forge.basic(secretIn(stack), { caBundle: 'x' }) })]],
    ['a pull request without a forge', /whose forge has no pull requests/, () => [GitRepository.fromUrl('https://a.example/a/b'), { commit: Commit.pullRequest() }]],
    ['a pull request at any remote', /whose forge has no pull requests/, (stack) => [GitRepository.fromUrl('https://a.example/a/b', { forge: Forge.basic(secretIn(stack)) }), { commit: Commit.pullRequest() }]],
    ['a signed commit with a token', /"signed" must not be true/, (stack) => [GitRepository.fromUrl('https://gitlab.com/a/b', { forge: GitLab.token(secretIn(stack)) }), { commit: Commit.pullRequest({ signed: true }) }]],
    ['auto-merge of a draft', /"autoMerge" must not come with "draft"/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ draft: true, autoMerge: MergeMethod.MERGE }) }]],
    ['a base', /"base" must be the name of a branch/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ base: 'a b' }) }]],
    ['a title of two lines', /"title" must be one line/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ title: 'a\nb' }) }]],
    ['an empty label', /must not have empty names/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ labels: [''] }) }]],
    ['a long body', /"body" must have at most 8192 characters/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ body: 'x'.repeat(9_000) }) }]],
    ['a token in the body', /must not contain an access token/, (stack) => [gitHubIn(stack), { commit: Commit.pullRequest({ body: `ghp_${'a'.repeat(36)}` }) }]],
  ])('%s', (_, message, make) => {
    const stack = newStack();
    expect(messageOf(() => {
      const [repository, props] = make(stack);
      loopIn(stack, repository, props);
    })).toMatch(message);
  });
});
