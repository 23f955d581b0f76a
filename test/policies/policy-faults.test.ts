/** Asserts that the check itself finds each kind of fault. */
import { faultsOfStatement, Statement } from '../support/policy-faults';

const RUNTIME = 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/agent-0123456789';
const FILE_SYSTEM = 'arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0';
const ACCESS_POINT = `${FILE_SYSTEM}/access-point/fsap-0123456789abcdef0`;
const THROUGH = { ArnEquals: { 's3files:AccessPointArn': ACCESS_POINT } };
const allow = (Action: string | string[], Resource: string | string[], Condition?: Statement['Condition']): Statement => ({ Effect: 'Allow', Action, Resource, Condition });

test.each<[what: string, statement: Statement]>([
  ['an action on its resource', allow('s3files:GetAccessPoint', ACCESS_POINT)],
  ['a condition key that the action has', allow(['s3files:ClientMount', 's3files:ClientWrite'], FILE_SYSTEM, THROUGH)],
  ['an action that takes no resource on *', allow('bedrock-agentcore:ListAgentRuntimeEndpoints', '*')],
  ['a runtime with all that is under it', allow('bedrock-agentcore:InvokeAgentRuntimeCommand', [RUNTIME, `${RUNTIME}/*`])],
  ['a runtime with one endpoint', allow('bedrock-agentcore:InvokeAgentRuntimeCommand', [RUNTIME, `${RUNTIME}/runtime-endpoint/live`])],
  ['a model, whose id has a colon', allow('bedrock:InvokeModel', 'arn:aws:bedrock:*::foundation-model/anthropic.claude-v1:0')],
  ['a global condition key', allow('s3:GetObject', 'arn:aws:s3:::bucket/key/of/it', { StringEquals: { 'aws:SourceAccount': '123456789012' } })],
  ['a condition key with a part of its own', allow('kms:Decrypt', '*', { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:*' } })],
  ['a pattern of actions', allow(['s3:GetObject*', 's3:List*'], ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'])],
  ['streams of a log group', allow(['logs:CreateLogStream', 'logs:PutLogEvents'], 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/x:*')],
])('accepts %s', async (_, statement) => {
  expect(await faultsOfStatement(statement, 'identity')).toEqual([]);
});

test.each<[what: string, statement: Statement, faults: string[]]>([
  ['an action that is not there', allow('bedrock-agentcore:RunCommand', '*'), ['there is no action bedrock-agentcore:RunCommand']],
  ['an action of a service that is not there', allow('bedrockagentcore:InvokeAgentRuntime', '*'), ['there is no action bedrockagentcore:InvokeAgentRuntime']],
  ['a pattern that no action fits', allow('s3:Fetch*', '*'), ['there is no action s3:Fetch*']],
  ['a condition key that the action does not have', allow('s3files:GetAccessPoint', ACCESS_POINT, THROUGH), [
    's3files:GetAccessPoint has no condition key s3files:AccessPointArn',
  ]],
  ['a key of tags that the action does not have', allow('s3files:ClientMount', FILE_SYSTEM, { StringEquals: { 'aws:RequestTag/team': 'x' } }), [
    's3files:ClientMount has no condition key aws:RequestTag/team',
  ]],
  ['a resource of another type', allow('s3files:GetAccessPoint', FILE_SYSTEM), [
    `s3files:GetAccessPoint takes access-point, which ${FILE_SYSTEM} is not`,
  ]],
  ['one of two actions with a resource of another type', allow(['s3files:ClientMount', 's3files:GetAccessPoint'], FILE_SYSTEM), [
    `s3files:GetAccessPoint takes access-point, which ${FILE_SYSTEM} is not`,
  ]],
  ['a resource that no action takes', allow('s3files:ClientMount', [FILE_SYSTEM, RUNTIME]), [`no action of the statement takes ${RUNTIME}`]],
  ['a resource for an action that takes none', allow('bedrock-agentcore:ListAgentRuntimeVersions', [RUNTIME, `${RUNTIME}/*`]), [
    `bedrock-agentcore:ListAgentRuntimeVersions takes no resource, so it is allowed on * alone, not on ${RUNTIME}, ${RUNTIME}/*`,
  ]],
  ['an endpoint without its runtime', allow('bedrock-agentcore:StopRuntimeSession', `${RUNTIME}/runtime-endpoint/live`), [
    `bedrock-agentcore:StopRuntimeSession is checked on runtime too, which is not among ${RUNTIME}/runtime-endpoint/live`,
  ]],
])('finds %s', async (_, statement, faults) => {
  expect(await faultsOfStatement(statement, 'identity')).toEqual(faults);
});

test('finds an action in a trust policy that does not exist, and requires no resource there', async () => {
  const trust = (Action: string): Statement => ({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action });
  expect(await faultsOfStatement(trust('sts:AssumeRole'), 'trust')).toEqual([]);
  expect(await faultsOfStatement(trust('sts:AssumeRoles'), 'trust')).toEqual(['there is no action sts:AssumeRoles']);
});
