import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { AgentRuntime, RuntimeRollout, SessionDriver } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

const MAKERS: [string, (scope: Construct, encryptionKey: kms.IKey) => void][] = [
  ['driver', (scope, encryptionKey) => new SessionDriver(scope, 'Driver', { encryptionKey })],
  ['rollout', (scope, encryptionKey) => new RuntimeRollout(scope, 'Rollout', { runtime: new AgentRuntime(scope, 'Agent', { agentRuntimeArtifact: IMAGE }), encryptionKey })],
];

/** The permissions that CloudWatch Logs needs, according to its user guide, "encrypt log data using KMS". */
const statement = (region: unknown, arn: unknown) => ({
  Effect: 'Allow',
  Principal: { Service: region },
  Action: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
  Resource: '*',
  Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': arn } },
});

describe.each(MAKERS)('the key of a %s\'s logs', (_, make) => {
  test('lets CloudWatch Logs use it, only for log groups of the account and the region', () => {
    const stack = newStack();
    make(stack, new kms.Key(stack, 'Key'));
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([statement(
          { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]] },
          { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':logs:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':log-group:*']] },
        )]),
      },
    });
    template.hasResourceProperties('AWS::Logs::LogGroup', { KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] } });
  });

  test('may be in another stack, which then does not depend on this one', () => {
    const app = new App();
    const env = { account: '123456789012', region: 'cn-north-1' };
    const keys = new Stack(app, 'Keys', { env });
    const stack = new Stack(app, 'Stack', { env });
    make(stack, new kms.Key(keys, 'Key'));
    expect(keys.dependencies).toEqual([]);
    Template.fromStack(keys).hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([statement(
          { 'Fn::Join': ['', ['logs.cn-north-1.', { Ref: 'AWS::URLSuffix' }]] },
          { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':logs:cn-north-1:123456789012:log-group:*']] },
        )]),
      },
    });
  });

  test('may be imported, and is then unchanged', () => {
    const stack = newStack();
    make(stack, kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/a'));
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::KMS::Key', 0);
    template.hasResourceProperties('AWS::Logs::LogGroup', { KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/a' });
  });
});

test('a key that encrypts several logs has one statement for them', () => {
  const stack = newStack();
  const key = new kms.Key(stack, 'Key');
  for (const [, make] of MAKERS) make(stack, key);
  const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::KMS::Key'));
  expect(Properties.KeyPolicy.Statement.filter(({ Condition }: { readonly Condition?: object }) => Condition !== undefined)).toHaveLength(1);
});
