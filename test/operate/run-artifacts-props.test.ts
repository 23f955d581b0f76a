import { App, Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, RunArtifacts } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props });
}

const resourcesOf = (stack: Stack) => Object.keys(Template.fromStack(stack).toJSON().Resources).length;
const may = (statement: object) => ({ Policies: [{ PolicyDocument: { Statement: Match.arrayWith([Match.objectLike(statement)]) } }] });

test('a loop with artifacts has two more resources: a private bucket that is kept, and its policy', () => {
  const [without, stack] = [newStack(), newStack()];
  loopIn(without);
  loopIn(stack, { artifacts: RunArtifacts.inBucket() });
  expect(resourcesOf(stack)).toBe(resourcesOf(without) + 2);
  const template = Template.fromStack(stack);
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90, Status: 'Enabled' }] },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: { Statement: [Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })] },
  });
  template.hasResourceProperties('AWS::IAM::Role', may({
    Effect: 'Allow', Action: 's3:PutObject', Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^LoopArtifacts'), 'Arn'] }, '/*']] },
  }));
});

test('a bucket of your own gets no resource, and the driver writes below the prefix alone', () => {
  const stack = newStack();
  const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'my-bucket');
  loopIn(stack, { artifacts: RunArtifacts.inBucket(bucket, { prefix: 'loops/fix/' }) });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::S3::Bucket', 0);
  const resource = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::my-bucket/loops/fix/*']] };
  template.hasResourceProperties('AWS::IAM::Role', may({ Effect: 'Allow', Action: 's3:PutObject', Resource: resource }));
  expect(JSON.stringify(template.findResources('AWS::IAM::Role'))).not.toMatch(/"s3:(?!PutObject)[A-Z]/);
});

test('a key of your own encrypts the bucket, and the driver may make data keys with it', () => {
  const stack = newStack();
  const encryptionKey = new kms.Key(stack, 'Key');
  const options = { encryptionKey, expiration: Duration.days(7), removalPolicy: RemovalPolicy.DESTROY };
  loopIn(stack, { artifacts: RunArtifacts.inBucket(undefined, options) });
  const template = Template.fromStack(stack);
  const arn = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] };
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Delete',
    Properties: {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn } }],
      },
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 7 }] },
    },
  });
  template.hasResourceProperties('AWS::IAM::Role', may({ Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: arn }));
});

/** Returns the resources that the drivers of all stacks may write files to, joined. */
const writable = (...stacks: Stack[]) => stacks.flatMap((stack) => {
  const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
  const statements = roles.flatMap(({ Properties }) => Properties.Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  return statements.filter(({ Action }) => Action === 's3:PutObject').map(({ Resource }) => Resource['Fn::Join'][1].pop() as string);
});

function secondIn(scope: Construct, artifacts: RunArtifacts): void {
  const runtime = AgentRuntime.fromAgentRuntimeAttributes(scope, 'Runtime', {
    agentRuntimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/a-0123456789',
    agentRuntimeId: 'a-0123456789',
    agentRuntimeName: 'a',
    roleArn: 'arn:aws:iam::123456789012:role/a',
    agentRuntimeVersion: '1',
  });
  const repository = GitRepository.fromUrl('https://example.com/b.git');
  new CodingLoop(scope, 'Loop', { runtime, mountPath: '/mnt/w', repository, gates: [Gate.command('test', 'x')], artifacts });
}

test('loops that share a bucket of your own write to places of their own', () => {
  const stack = newStack();
  const artifacts = RunArtifacts.inBucket(new s3.Bucket(stack, 'Bucket'));
  loopIn(stack, { artifacts });
  secondIn(new Construct(stack, 'Second'), artifacts);
  const other = new Stack(stack.node.root, 'Other');
  secondIn(other, artifacts);
  const places = writable(stack, other);
  expect(places).toEqual([expect.stringMatching(/^\/Stack-Loop-\w{8}\/\*$/), expect.stringMatching(/^\/Stack-Second-Loop-\w{8}\/\*$/), expect.stringMatching(/^\/Other-Loop-\w{8}\/\*$/)]);
});

test.each(['runs/', ''])('fails for two loops with one prefix in one bucket, also in two stacks: "%s"', (prefix) => {
  const stack = newStack();
  const bucketIn = (scope: Construct) => RunArtifacts.inBucket(s3.Bucket.fromBucketName(scope, 'Bucket', 'my-bucket'), { prefix });
  loopIn(stack, { artifacts: bucketIn(stack) });
  const other = new Stack(stack.node.root as App, 'Other');
  expect(messageOf(() => secondIn(other, bucketIn(other)))).toBe(
    `"prefix" must not be "${prefix}", which "Stack/Loop" has in the same bucket, since their runs could overwrite each other's files: change it, or leave it out\n  at Other/Loop`);
});

test('the bucket of a loop can be read by others', () => {
  const stack = newStack();
  const bucket = s3.Bucket.fromBucketName(stack, 'Mine', 'my-bucket');
  expect(loopIn(stack, { artifacts: RunArtifacts.inBucket(bucket) }).artifactsBucket).toBe(bucket);
  const other = newStack();
  const loop = loopIn(other, { artifacts: RunArtifacts.inBucket() });
  loop.artifactsBucket!.grantRead(new iam.User(other, 'Reader'));
  Template.fromStack(other).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [Match.objectLike({ Resource: Match.arrayWith([{ 'Fn::GetAtt': [Match.stringLikeRegexp('^LoopArtifacts'), 'Arn'] }]) })] },
  });
  expect(loopIn(newStack()).artifactsBucket).toBeUndefined();
});

test('one prefix in two buckets is accepted, and one that is not known at synth and may differ', () => {
  const app = new App();
  const stacks = ['one', 'two'].map((name) => new Stack(app, name));
  for (const stack of stacks) {
    secondIn(new Construct(stack, 'Known'), RunArtifacts.inBucket(new s3.Bucket(stack, 'Bucket'), { prefix: 'runs/' }));
    secondIn(new Construct(stack, 'Token'), RunArtifacts.inBucket(s3.Bucket.fromBucketName(stack, 'Mine', 'my-bucket'), { prefix: `${Aws.STACK_NAME}/` }));
  }
  expect(writable(...stacks)).toHaveLength(4);
});

test('fails for two loops of a stack with one prefix that is not known at synth', () => {
  const stack = newStack();
  const artifacts = RunArtifacts.inBucket(new s3.Bucket(stack, 'Bucket'), { prefix: `${Aws.STACK_NAME}/` });
  loopIn(stack, { artifacts });
  expect(messageOf(() => secondIn(new Construct(stack, 'Second'), artifacts))).toMatch(/"prefix" must not be ".*", which "Stack\/Loop" has in the same bucket/);
});

const own = () => s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'my-bucket');

test.each([
  ['a prefix that is too long', () => RunArtifacts.inBucket(undefined, { prefix: `${'ä'.repeat(250)}/` }), '"prefix" must have at most 500 bytes, not 501: shorten it'],
  ['a prefix with a wildcard', () => RunArtifacts.inBucket(undefined, { prefix: 'a*/' }), '"prefix" must be a path in the bucket without "*", "?", "${" and empty parts, not "a*/": write it like "runs/"'],
  ['a prefix that begins with a slash', () => RunArtifacts.inBucket(undefined, { prefix: '/a/' }), 'not "/a/": write it like "runs/"'],
  ['a prefix that leads out', () => RunArtifacts.inBucket(undefined, { prefix: 'a/../b/' }), 'not "a/../b/": write it like "runs/"'],
  ['half a day', () => RunArtifacts.inBucket(undefined, { expiration: Duration.hours(12) }), '"expiration" must be a whole number of days from 1, not 0.5: change it'],
  ['an expiration for a bucket of your own', () => RunArtifacts.inBucket(own(), { expiration: Duration.days(1) }), '"expiration" must be left out for a bucket of your own: set it on the bucket'],
  ['a key for a bucket of your own', () => RunArtifacts.inBucket(own(), { encryptionKey: kms.Key.fromKeyArn(new Stack(), 'Key', 'arn:aws:kms:us-east-1:123456789012:key/1') }), '"encryptionKey" must be left out'],
  ['a removal policy for a bucket of your own', () => RunArtifacts.inBucket(own(), { removalPolicy: RemovalPolicy.RETAIN }), '"removalPolicy" must be left out'],
])('fails for %s', (_, artifacts, message) => {
  expect(messageOf(() => loopIn(newStack(), { artifacts: artifacts() }))).toContain(message);
});

test('takes a prefix of 500 bytes, and one that is not known at synth', () => {
  const stack = newStack();
  expect(() => loopIn(stack, { artifacts: RunArtifacts.inBucket(undefined, { prefix: `${'a'.repeat(499)}/` }) })).not.toThrow();
  const other = newStack();
  expect(() => loopIn(other, { artifacts: RunArtifacts.inBucket(undefined, { prefix: other.stackName }) })).not.toThrow();
});

test('a bucket in another Region is refused, because the driver signs requests for its own', () => {
  const stack = new Stack(new App(), 'Stack', { env: { region: 'eu-west-1', account: '123456789012' } });
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'bucket', region: 'us-east-1' });
  expect(messageOf(() => loopIn(stack, { artifacts: RunArtifacts.inBucket(bucket) })))
    .toBe('"bucket" must be in the Region of the loop, eu-west-1, not in us-east-1: use another one\n  at Stack/Loop');
});

test('a bucket whose Region is that of the loop, or is not known, is accepted', () => {
  const stack = new Stack(new App(), 'Stack', { env: { region: 'eu-west-1', account: '123456789012' } });
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Bucket', { bucketName: 'bucket', region: 'eu-west-1' });
  expect(() => loopIn(stack, { artifacts: RunArtifacts.inBucket(bucket) })).not.toThrow();
  const anywhere = newStack();
  const unknown = s3.Bucket.fromBucketAttributes(anywhere, 'Bucket', { bucketName: 'bucket', region: 'us-east-1' });
  expect(() => loopIn(anywhere, { artifacts: RunArtifacts.inBucket(unknown) })).not.toThrow();
});
