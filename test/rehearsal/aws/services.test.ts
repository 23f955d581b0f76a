import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { App, SecretValue, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { DeploymentFixture } from '../../support/deployments';

const SOURCE = `
let called = 0;
exports.handler = async (event) => {
  console.log('called with ' + JSON.stringify(event));
  if (event.fail) throw new TypeError('it is wrong');
  if (event.exit) process.exit(3);
  if (event.size) return 'x'.repeat(event.size);
  return { event, called: ++called };
};
`;

/** The ARN of an imported secret, and the parts of a stack in which "Caller" may do something, and "Stranger" nothing. */
const IMPORTED = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:imported-AbCdEf';

function build(app: App): Stack {
  const stack = new Stack(app, 'Stack');
  const code = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(code, 'index.js'), SOURCE);
  const make = (id: string) => new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) });
  const [target, caller] = [make('Target'), make('Caller')];
  make('Stranger');
  target.grantInvoke(caller);
  const own = new secrets.Secret(stack, 'Own', { secretName: 'forge/key' });
  const generated = new secrets.Secret(stack, 'Generated', { generateSecretString: { secretStringTemplate: '{"username":"me"}', generateStringKey: 'password', passwordLength: 20 } });
  const fixed = new secrets.Secret(stack, 'Fixed', { secretStringValue: SecretValue.unsafePlainText('in the template') });
  const byName = secrets.Secret.fromSecretNameV2(stack, 'ByName', 'by-name');
  const byPartialArn = secrets.Secret.fromSecretPartialArn(stack, 'ByPartialArn', IMPORTED.replace('imported-AbCdEf', 'partial'));
  const byArn = secrets.Secret.fromSecretCompleteArn(stack, 'ByArn', IMPORTED);
  for (const secret of [own, generated, fixed, byName, byPartialArn, byArn]) secret.grantRead(caller);
  make('Reader').addToRolePolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: ['*'] }));
  return stack;
}

let made: DeploymentFixture;
let logicalIdOf: (prefix: string) => string;
beforeAll(async () => {
  made = await DeploymentFixture.start(build, {
    secrets: { 'forge/key': 'mine', 'by-name': 'named', [IMPORTED]: 'complete', [IMPORTED.replace('imported-AbCdEf', 'partial')]: 'partly named' },
  });
  const { stack } = made.deployment;
  const ids = ['AWS::Lambda::Function', 'AWS::SecretsManager::Secret'].flatMap((type) => stack.ofType(type));
  logicalIdOf = (prefix) => ids.find((id) => new RegExp(`^${prefix}[0-9A-F]{8}$`).test(id))!;
});
afterAll(() => made.close());

const config = (prefix: string) => ({
  endpoint: made.server.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: accessKeyOf(logicalIdOf(prefix)), secretAccessKey: 'local' },
  maxAttempts: 1,
});
const read = async (SecretId: string | undefined, as = 'Caller', more = {}) => new SecretsManagerClient(config(as)).send(new GetSecretValueCommand({ SecretId, ...more }));
const invoke = async (payload: unknown, FunctionName = logicalIdOf('Target'), as = 'Caller', more = {}) => {
  const Payload = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const reply = await new LambdaClient(config(as)).send(new InvokeCommand({ FunctionName, Payload, ...more }));
  const { StatusCode: status, FunctionError: error, ExecutedVersion: version } = reply;
  return { status, error, version, payload: reply.Payload?.length ? JSON.parse(reply.Payload.transformToString()) : undefined };
};
const arnOf = (prefix: string) => made.deployment.stack.ofType('AWS::Lambda::Function').includes(logicalIdOf(prefix))
  ? `arn:aws:lambda:us-east-1:123456789012:function:${logicalIdOf(prefix)}`
  : made.deployment.pseudoParameter(logicalIdOf(prefix));

describe('GetSecretValue', () => {
  test('answers for a secret of the template by its ARN, its ARN without suffix, and its name', async () => {
    const arn = arnOf('Own');
    expect(arn).toMatch(/^arn:aws:secretsmanager:us-east-1:123456789012:secret:forge\/key-[A-Za-z0-9]{6}$/);
    const all = await Promise.all([arn, arn.slice(0, -7), 'forge/key'].map(async (id) => read(id)));
    for (const { $metadata, ...reply } of all) {
      expect(reply).toEqual({ ARN: arn, Name: 'forge/key', SecretString: 'mine', VersionStages: ['AWSCURRENT'], VersionId: expect.stringMatching(/^[0-9a-f-]{36}$/), CreatedDate: expect.any(Date) });
    }
    const { VersionId } = all[0];
    expect(await read(arn, 'Caller', { VersionId })).toMatchObject({ SecretString: 'mine' });
  });

  test('answers with what the template sets or generates if the rehearsal is given no value', async () => {
    expect((await read(arnOf('Fixed'))).SecretString).toBe('in the template');
    const generated = JSON.parse((await read(arnOf('Generated'))).SecretString!) as object;
    expect(generated).toEqual({ username: 'me', password: expect.stringMatching(/^[\w-]{20}$/) });
    expect(JSON.parse((await read(arnOf('Generated'))).SecretString!)).toEqual(generated);
  });

  test('answers for imported secrets', async () => {
    expect(await read('by-name')).toMatchObject({ SecretString: 'named', Name: 'by-name', ARN: expect.stringMatching(/:secret:by-name-\w{6}$/) });
    expect(await read(IMPORTED)).toMatchObject({ SecretString: 'complete', Name: 'imported', ARN: IMPORTED });
    expect(await read(IMPORTED.replace('imported-AbCdEf', 'partial'))).toMatchObject({ SecretString: 'partly named', Name: 'partial', ARN: expect.stringMatching(/:secret:partial-\w{6}$/) });
  });

  test.each([
    ['a secret that does not exist', 'nothing', 'Reader', {}, 'ResourceNotFoundException', /^Secrets Manager can't find the specified secret\.$/],
    ['an earlier version', 'forge/key', 'Caller', { VersionStage: 'AWSPREVIOUS' }, 'ResourceNotFoundException', /^Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS$/],
    ['an unknown version', 'forge/key', 'Caller', { VersionId: '1'.repeat(36) }, 'ResourceNotFoundException', /value for VersionId: 1+$/],
    ['no secret', '', 'Caller', {}, 'InvalidParameterException', /^You must provide a value for the SecretId parameter\.$/],
    ['a secret without permission', 'forge/key', 'Stranger', {}, 'AccessDeniedException', /not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:forge\/key-\w{6};/],
    ['a secret that does not exist, without permission', 'nothing', 'Stranger', {}, 'AccessDeniedException', /on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:nothing;/],
  ])('fails for %s', async (_, id, as, more, name, message) => {
    await expect(read(id, as, more)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  test('is struck by faults', async () => {
    made.server.faults.add({ operation: 'GetSecretValue', at: 'beforeStart', kind: 'throttle' });
    await expect(read('forge/key')).rejects.toMatchObject({ name: 'ThrottlingException' });
    made.server.faults.add({ operation: 'GetSecretValue', at: 'beforeEnd', kind: 'reset' });
    await expect(read('forge/key')).rejects.toThrow('ECONNRESET');
    expect(await read('forge/key')).toMatchObject({ SecretString: 'mine' });
  });
});

describe('Invoke', () => {
  test('runs a function by its name and its ARN, with and without a qualifier, and keeps it warm', async () => {
    const name = logicalIdOf('Target');
    expect(await invoke({ a: [1, 'ü'] })).toEqual({ status: 200, error: undefined, version: '$LATEST', payload: { event: { a: [1, 'ü'] }, called: expect.any(Number) } });
    const { payload: { called } } = await invoke({});
    for (const other of [arnOf('Target'), `123456789012:function:${name}`, `${name}:$LATEST`, `${arnOf('Target')}:$LATEST`]) expect(await invoke({}, other)).toMatchObject({ status: 200 });
    expect((await invoke({}, name, 'Caller', { Qualifier: '$LATEST' })).payload.called).toBe(called + 5);
  });

  test('returns the failure of a function as its payload', async () => {
    expect(await invoke({ fail: true })).toMatchObject({ status: 200, error: 'Unhandled', payload: { errorType: 'TypeError', errorMessage: 'it is wrong', trace: expect.any(Array) } });
    expect(await invoke({ exit: true })).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Runtime.ExitError' } });
  });

  test('answers an asynchronous invocation before the function ends, and a dry run without it', async () => {
    expect(await invoke({ fail: true, asynchronous: true }, logicalIdOf('Target'), 'Caller', { InvocationType: 'Event' })).toEqual({ status: 202, error: undefined, version: undefined, payload: undefined });
    while (!made.logs.includes('called with {"fail":true,"asynchronous":true}')) await new Promise((resolve) => setImmediate(resolve));
    expect(await invoke({ dry: true }, logicalIdOf('Target'), 'Caller', { InvocationType: 'DryRun' })).toMatchObject({ status: 204 });
    expect(made.logs).not.toContain('called with {"dry":true}');
  });

  test('takes 6 MB, and gives 6 MB', async () => {
    const most = `"${'x'.repeat(6_291_456 - 2)}"`;
    expect((await invoke(most)).payload.event).toHaveLength(6_291_454);
    await expect(invoke(`${most} `)).rejects.toMatchObject({ name: 'RequestTooLargeException', message: 'Request must be smaller than 6291456 bytes for the InvokeFunction operation' });
    await expect(invoke(`"${'x'.repeat(1_048_575)}"`, logicalIdOf('Target'), 'Caller', { InvocationType: 'Event' })).rejects.toMatchObject({ name: 'RequestTooLargeException' });
    expect((await invoke({ size: 6_291_554 })).error).toBeUndefined();
    expect(await invoke({ size: 6_291_555 })).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Function.ResponseSizeTooLarge' } });
  });

  test.each([
    ['a function that does not exist', {}, 'Nothing', undefined, 'ResourceNotFoundException', /^Function not found: arn:aws:lambda:us-east-1:123456789012:function:Nothing$/],
    ['a payload that is no JSON', '{', undefined, undefined, 'InvalidRequestContentException', /^Could not parse request body into json: /],
    ['a function without permission', {}, undefined, 'Stranger', 'AccessDeniedException', /not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:Target/],
  ])('fails for %s', async (_, payload, name, as, error, message) => {
    // Whoever is nobody of the stack may do everything.
    const nobody = new LambdaClient({ ...config('Caller'), credentials: { accessKeyId: 'OTHER', secretAccessKey: 'x' } });
    const call = as === undefined
      ? nobody.send(new InvokeCommand({ FunctionName: name ?? logicalIdOf('Target'), Payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }))
      : invoke(payload, name, as);
    await expect(call).rejects.toMatchObject({ name: error, message: expect.stringMatching(message) });
  });

  test('runs the function, and loses its answer, when a fault strikes before the end', async () => {
    made.server.faults.add({ operation: 'Invoke', at: 'beforeEnd', kind: 'reset' });
    await expect(invoke({ lost: true })).rejects.toThrow('ECONNRESET');
    expect(made.logs).toContain('called with {"lost":true}');
    made.server.faults.add({ operation: 'Invoke', at: 'beforeStart', kind: 'internal' });
    await expect(invoke({ never: true })).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(made.logs).not.toContain('called with {"never":true}');
  });

  test('missing permissions are recorded with the statement that would grant them', () => {
    expect(made.deployment.authorizer.missing.map(({ action }) => action)).toEqual(expect.arrayContaining(['secretsmanager:GetSecretValue', 'lambda:InvokeFunction']));
  });
});

test('requests to other services are refused', async () => {
  const reply = await fetch(made.server.endpoint, { method: 'POST', headers: { 'x-amz-target': 'secretsmanager.PutSecretValue' }, body: '{}' });
  expect([reply.status, await reply.json()]).toEqual([404, { message: 'not an operation of this server: secretsmanager.PutSecretValue' }]);
});
