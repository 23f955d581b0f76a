import { Aws, Validations } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { addOrWarn, GRANT_NOT_ADDED, grantOrWarn } from '../../src/private/grant';
import { newStack } from '../support/stacks';

const ARN = 'arn:aws:iam::123456789012:role/caller';
const assumedBy = new iam.ServicePrincipal('lambda.amazonaws.com');

/** A warning ends with its id, whose prefix differs between releases of the CDK. */
const withoutId = (warning: unknown) => String(warning).replace(/ \[ack: .*\]$/, '');

type Grantee = (scope: Construct) => iam.IGrantable;

function warningsOf(grantee: Grantee): string[] {
  const stack = newStack({ account: '123456789012', region: 'us-east-1' });
  grantOrWarn(stack, { grantee: grantee(stack), actions: ['s3:GetObject', 's3:PutObject'], resourceArns: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'] });
  return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('grantNotAdded')).map(({ entry }) => withoutId(entry.data));
}

test.each<[string, Grantee]>([
  ['a role', (scope) => new iam.Role(scope, 'Role', { assumedBy })],
  ['an imported, mutable role', (scope) => iam.Role.fromRoleArn(scope, 'Role', ARN)],
  ['a role that is created on first use', (scope) => new iam.LazyRole(scope, 'Role', { assumedBy })],
  ['a user', (scope) => new iam.User(scope, 'User')],
  ['a function', (scope) => new lambda.Function(scope, 'Function', {
    runtime: lambda.Runtime.NODEJS_LATEST, handler: 'index.handler', code: lambda.Code.fromInline(' '),
  })],
])('%s accepts a grant without a warning', (_, grantee) => {
  expect(warningsOf(grantee)).toEqual([]);
});

const ADVICE = 'allow s3:GetObject, s3:PutObject on ["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"] there yourself';

test.each<[string, Grantee, string]>([
  ['an imported, immutable role', (scope) => iam.Role.fromRoleArn(scope, 'Role', ARN, { mutable: false }), '"Stack/Role"'],
  ['a role of another account', (scope) => iam.Role.fromRoleArn(scope, 'Role', ARN.replace('1234', '9999')), '"Stack/Role"'],
  ['a role that leaves grants to resources', (scope) => iam.Role.fromRoleArn(scope, 'Role', ARN, { mutable: false, addGrantsToResources: true }),
    '"Stack/Role"'],
  ['a role without policy updates', (scope) => new iam.Role(scope, 'Role', { assumedBy }).withoutPolicyUpdates(), '"Stack/ImmutableRoleRole"'],
  ['a principal that is not a construct', () => ({ grantPrincipal: assumedBy }), 'the principal "ServicePrincipal(lambda.amazonaws.com)"'],
])('%s gets a warning that names the missing permissions', (_, grantee, name) => {
  expect(warningsOf(grantee)).toEqual([`the policy of ${name} cannot be changed from this app: ${ADVICE}`]);
});

describe('the warning about a statement that cannot be added contains all of it', () => {
  const resources = ['arn:aws:s3:::bucket'];

  test.each<[string, iam.PolicyStatementProps, string]>([
    ['a condition', { actions: ['s3:GetObject'], resources, conditions: { StringEquals: { 'aws:RequestedRegion': Aws.REGION } } },
      'allow s3:GetObject on ["arn:aws:s3:::bucket"] under the condition {"StringEquals":{"aws:RequestedRegion":{"Ref":"AWS::Region"}}}'],
    ['a denial', { effect: iam.Effect.DENY, actions: ['s3:PutObject'], resources }, 'deny s3:PutObject on ["arn:aws:s3:::bucket"]'],
    ['all actions but some', { effect: iam.Effect.DENY, notActions: ['s3:GetObject'], notResources: resources },
      'deny every action but s3:GetObject on every resource but ["arn:aws:s3:::bucket"]'],
  ])('%s', (_, statement, advice) => {
    const stack = newStack();
    addOrWarn(stack, iam.Role.fromRoleArn(stack, 'Role', ARN, { mutable: false }), new iam.PolicyStatement(statement));
    const [{ entry }] = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('grantNotAdded'));

    expect(withoutId(entry.data)).toBe(`the policy of "Stack/Role" cannot be changed from this app: ${advice} there yourself`);
  });

  test('a condition of a grant', () => {
    const stack = newStack();
    grantOrWarn(stack, {
      grantee: { grantPrincipal: assumedBy }, actions: ['s3:GetObject'], resourceArns: resources, conditions: { Bool: { 'aws:SecureTransport': 'true' } },
    });

    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('under the condition \\{"Bool":\\{"aws:SecureTransport":"true"\\}\\} there yourself'));
  });
});

test('leaves the warning about a function of unknown role to the CDK', () => {
  const unknown: Grantee = (scope) => lambda.Function.fromFunctionArn(scope, 'Function', 'arn:aws:lambda:us-east-1:123456789012:function:caller');

  expect(warningsOf(unknown)).toEqual([]);
});

test('the warning can be acknowledged by its id', () => {
  const stack = newStack();
  grantOrWarn(stack, { grantee: { grantPrincipal: assumedBy }, actions: ['s3:GetObject'], resourceArns: ['*'] });
  Validations.of(stack).acknowledge({ id: GRANT_NOT_ADDED, reason: 'allowed by another team' });

  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
});

test('leaves the report about a role that someone else creates to the CDK', () => {
  expect(warningsOf((scope) => {
    iam.Role.customizeRoles(scope, { usePrecreatedRoles: { 'Stack/Role': 'precreated' } });
    return new iam.Role(scope, 'Role', { assumedBy });
  })).toEqual([]);
});
