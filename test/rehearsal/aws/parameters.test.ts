import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetParameterCommand, PutParameterCommand, PutParameterCommandInput, SSMClient } from '@aws-sdk/client-ssm';
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { DeploymentFixture } from '../../support/deployments';

/** "Owner" may read and write, "Reader" may read, "Stranger" nothing. */
function build(app: App): Stack {
  const stack = new Stack(app, 'Stack');
  const code = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(code, 'index.js'), 'exports.handler = async () => 1;');
  const make = (id: string) => new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) });
  const [owner, reader] = ['Owner', 'Reader', 'Stranger'].map(make);
  const parameters = [
    new ssm.StringParameter(stack, 'Own', { parameterName: '/team/brake', stringValue: 'off' }),
    new ssm.StringParameter(stack, 'Plain', { parameterName: 'plain', stringValue: 'x' }),
    ssm.StringParameter.fromStringParameterName(stack, 'New', '/team/new') as ssm.StringParameter,
  ];
  for (const parameter of parameters) {
    parameter.grantRead(owner);
    parameter.grantWrite(owner);
    parameter.grantRead(reader);
  }
  return stack;
}

let made: DeploymentFixture;
beforeEach(async () => {
  made = await DeploymentFixture.start(build);
});
afterEach(() => made.close());

const client = (as: string) => new SSMClient({
  endpoint: made.server.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: accessKeyOf(made.deployment.stack.ofType('AWS::Lambda::Function').find((id) => id.startsWith(as))!), secretAccessKey: 'local' },
  maxAttempts: 1,
});
const get = async (Name: string, as = 'Owner') => (await client(as).send(new GetParameterCommand({ Name }))).Parameter!;
const put = async (input: PutParameterCommandInput, as = 'Owner') => client(as).send(new PutParameterCommand(input));

test('a parameter of the template has its value, until it is written', async () => {
  expect(await get('/team/brake', 'Reader')).toEqual({
    Name: '/team/brake', Type: 'String', Value: 'off', Version: 1, DataType: 'text', LastModifiedDate: expect.any(Date), ARN: 'arn:aws:ssm:us-east-1:123456789012:parameter/team/brake',
  });
  expect(await put({ Name: '/team/brake', Value: 'on', Overwrite: true })).toMatchObject({ Version: 2, Tier: 'Standard' });
  expect(await get('/team/brake')).toMatchObject({ Value: 'on', Version: 2, Type: 'String' });
  expect(await get('arn:aws:ssm:us-east-1:123456789012:parameter/team/brake')).toMatchObject({ Value: 'on' });
});

test('a new parameter needs a type', async () => {
  await expect(put({ Name: '/team/new', Value: 'x' })).rejects.toMatchObject({ name: 'ValidationException' });
  await put({ Name: '/team/new', Value: 'a,b', Type: 'StringList' });
  expect(await get('/team/new')).toMatchObject({ Value: 'a,b', Type: 'StringList', Version: 1 });
});

test.each([
  ['a parameter that is not there', async () => get('/team/new'), 'ParameterNotFound'],
  ['a parameter that may not be read, whether it is there or not', async () => get('/other', 'Reader'), 'AccessDeniedException'],
  ['a role without permission to read', async () => get('plain', 'Stranger'), 'AccessDeniedException'],
  ['a role without permission to write', async () => put({ Name: 'plain', Value: 'y', Overwrite: true }, 'Reader'), 'AccessDeniedException'],
  ['a parameter that is there, without "Overwrite"', async () => put({ Name: 'plain', Value: 'y', Type: 'String' }), 'ParameterAlreadyExists'],
  ['an empty value', async () => put({ Name: 'plain', Value: '', Overwrite: true }), 'ValidationException'],
  ['4,097 bytes', async () => put({ Name: 'plain', Value: 'x'.repeat(4_097), Overwrite: true }), 'ValidationException'],
  ['a type that does not exist', async () => put({ Name: '/team/new', Value: 'x', Type: 'Number' as never }), 'ValidationException'],
  ['a name with other characters', async () => get('a b'), 'ValidationException'],
])('fails for %s', async (_, send, name) => {
  await expect(send()).rejects.toMatchObject({ name });
});

test('takes 4,096 bytes', async () => {
  expect(await put({ Name: 'plain', Value: 'x'.repeat(4_096), Overwrite: true })).toMatchObject({ Version: 2 });
});

test('is struck by faults', async () => {
  made.server.faults.add({ operation: 'GetParameter', at: 'beforeStart', kind: 'throttle' });
  await expect(get('plain')).rejects.toMatchObject({ name: 'ThrottlingException' });
});
