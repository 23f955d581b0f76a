import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { accessKeyOf } from '../../../rehearsal/iam/authorizer';
import { AwsRequests } from '../../../src/handler/aws-requests';
import { RunFiles } from '../../../src/loop/steps/run-files';
import { DeploymentFixture } from '../../support/deployments';

/** "Owner" may do everything in all buckets, "Writer" may write below a prefix, "Reader" may read objects but not list them. */
function build(app: App): Stack {
  const stack = new Stack(app, 'Stack');
  const code = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(code, 'index.js'), 'exports.handler = async () => 1;');
  const make = (id: string) => new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset(code) });
  const plain = new s3.Bucket(stack, 'Plain', { bucketName: 'plain' });
  const sealed = new s3.Bucket(stack, 'Sealed', { bucketName: 'sealed', encryptionKey: new kms.Key(stack, 'Key') });
  const [owner, writer, reader, keyless] = ['Owner', 'Writer', 'Reader', 'Keyless'].map(make);
  new s3.Bucket(stack, 'Locked', { bucketName: 'locked', objectLockDefaultRetention: s3.ObjectLockRetention.governance(Duration.days(1)) });
  for (const bucket of [plain, sealed]) bucket.grantReadWrite(owner);
  writer.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [plain.arnForObjects('runs/*')] }));
  reader.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [plain.arnForObjects('*')] }));
  keyless.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [sealed.arnForObjects('*')] }));
  owner.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:*'], resources: ['*'] }));
  return stack;
}

let made: DeploymentFixture;
let logicalIdOf: (prefix: string) => string;
beforeAll(async () => {
  made = await DeploymentFixture.start(build);
  logicalIdOf = (prefix) => made.deployment.stack.ofType('AWS::Lambda::Function').find((id) => id.startsWith(prefix))!;
});
afterAll(() => made.close());

const client = (as = 'Owner', more: S3ClientConfig = {}) => new S3Client({
  endpoint: made.server.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: accessKeyOf(logicalIdOf(as)), secretAccessKey: 'local' },
  maxAttempts: 1,
  forcePathStyle: true,
  ...more,
});
const put = async (Key: string, Body: string | Buffer = 'text', as?: string, Bucket = 'plain') => client(as).send(new PutObjectCommand({ Bucket, Key, Body }));
const get = async (Key: string, as?: string, Bucket = 'plain') => Buffer.from(await (await client(as).send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray());
const list = async (options: object = {}) => client().send(new ListObjectsV2Command({ Bucket: 'plain', ...options }));

/** Keys that S3 takes, and that would be something else as they are in a URL, in a path here, or in XML. */
const KEYS = ['a', 'with space', 'plus+and%20', 'ümläut/日本', 'quote\'(*)!', 'a&b<c>"', 'x//y', 'x/./y', 'x/../z', 'trailing/', '.hidden', '~$@=:,;'].map((key) => `keys/${key}`);

test.each(KEYS)('an object has the key "%s", for all operations', async (key) => {
  await put(key, key);
  expect((await get(key)).toString()).toBe(key);
  expect(await client().send(new HeadObjectCommand({ Bucket: 'plain', Key: key }))).toMatchObject({ ContentLength: Buffer.byteLength(key) });
  expect((await list({ Prefix: key })).Contents!.map(({ Key }) => Key)).toContain(key);
});

test.each(KEYS)('the requests of handlers are signed for the key "%s"', async (key) => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyOf(logicalIdOf('Owner')), AWS_SECRET_ACCESS_KEY: 'local' });
  const path = `/plain/${key.split('/').map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)).join('/')}`;
  const reply = await new AwsRequests('s3', made.server.endpoint).send('PUT', path, { 'content-type': 'text/x' }, Buffer.from([0, 255]), AbortSignal.timeout(10_000));
  expect(reply).toMatchObject({ status: 200 });
  expect(await get(key)).toEqual(Buffer.from([0, 255]));
});

test.each<[string, object, number]>([
  ['none', {}, 400],
  ['SHA-256', { 'x-amz-checksum-sha256': createHash('sha256').update('text').digest('base64') }, 200],
  ['MD5', { 'content-md5': createHash('md5').update('text').digest('base64') }, 200],
  ['SHA-256 of something else', { 'x-amz-checksum-sha256': createHash('sha256').update('other').digest('base64') }, 400],
])('a bucket with a default retention needs a checksum: %s', async (_, headers, status) => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyOf(logicalIdOf('Owner')), AWS_SECRET_ACCESS_KEY: 'local' });
  const reply = await new AwsRequests('s3', made.server.endpoint).send('PUT', '/locked/file', { ...headers }, Buffer.from('text'), AbortSignal.timeout(10_000));
  expect(reply).toMatchObject({ status });
});

test('the driver writes to a bucket with a default retention', async () => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyOf(logicalIdOf('Owner')), AWS_SECRET_ACCESS_KEY: 'local' });
  const tools = {
    clock: { now: Date.now, sleep: async () => undefined },
    backoffSeconds: 0,
    until: Date.now() + 600_000,
    requestsOf: () => new AwsRequests('s3', made.server.endpoint),
  };
  const files = new RunFiles({ bucket: 'locked', prefix: 'runs/' }, 'arn:aws:states:us-east-1:123456789012:execution:Runs:my-run', tools as never);
  await files.put('story.txt', 'ümläut', 'text/plain');
  expect(files.error).toBeUndefined();
  expect((await get('runs/my-run/story.txt', 'Owner', 'locked')).toString()).toBe('ümläut');
});

test('bytes and the type of an object stay as they are', async () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
  await client().send(new PutObjectCommand({ Bucket: 'plain', Key: 'bytes', Body: bytes, ContentType: 'text/x-thing' }));
  const found = await client().send(new GetObjectCommand({ Bucket: 'plain', Key: 'bytes' }));
  expect(found).toMatchObject({ ContentType: 'text/x-thing', ContentLength: 70_000, ETag: `"${createHash('md5').update(bytes).digest('hex')}"`, LastModified: expect.any(Date) });
  expect(Buffer.from(await found.Body!.transformToByteArray())).toEqual(bytes);
  await put('bytes', Buffer.alloc(0));
  expect(await get('bytes')).toHaveLength(0);
});

test('a list has pages, prefixes and the order of bytes', async () => {
  for (const key of ['list/b', 'list/a/1', 'list/a/2', 'list/B', 'list/ä', 'list/z/1']) await put(key);
  const keys = ({ Contents = [] }: { Contents?: { Key?: string }[] }) => Contents.map(({ Key }) => Key);
  expect(keys(await list({ Prefix: 'list/' }))).toEqual(['list/B', 'list/a/1', 'list/a/2', 'list/b', 'list/z/1', 'list/ä']);
  const grouped = await list({ Prefix: 'list/', Delimiter: '/' });
  expect([keys(grouped), grouped.CommonPrefixes]).toEqual([['list/B', 'list/b', 'list/ä'], [{ Prefix: 'list/a/' }, { Prefix: 'list/z/' }]]);
  const first = await list({ Prefix: 'list/', MaxKeys: 4 });
  expect([first.IsTruncated, first.KeyCount]).toEqual([true, 4]);
  expect(keys(await list({ Prefix: 'list/', ContinuationToken: first.NextContinuationToken }))).toEqual(['list/z/1', 'list/ä']);
  expect(keys(await list({ Prefix: 'list/', StartAfter: 'list/b' }))).toEqual(['list/z/1', 'list/ä']);
  expect(await list({ Prefix: 'nothing' })).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test('a key has up to 1,024 bytes', async () => {
  const key = Array.from({ length: 5 }, () => 'k'.repeat(204)).join('/');
  await put(key);
  await expect(put(`${key}k`)).rejects.toMatchObject({ name: 'KeyTooLongError' });
});

test.each([
  ['a bucket that the template does not name', async () => put('x', 'x', 'Owner', 'other'), 'NoSuchBucket'],
  ['a key outside of what the role may write', async () => put('other/x', 'x', 'Writer'), 'AccessDenied'],
  ['a role that may write and not read', async () => get('a', 'Writer'), 'AccessDenied'],
  ['a key that is not there', async () => get('nothing'), 'NoSuchKey'],
  ['a key that is not there, for a role that may not list', async () => get('nothing', 'Reader'), 'AccessDenied'],
  ['a bucket with a key of KMS that the role may not use', async () => put('x', 'x', 'Keyless', 'sealed'), 'AccessDenied'],
  ['another region', async () => client('Owner', { region: 'eu-west-1' }).send(new PutObjectCommand({ Bucket: 'plain', Key: 'x', Body: 'x' })), 'AuthorizationHeaderMalformed'],
  ['another secret', async () => client('Owner', { credentials: { accessKeyId: accessKeyOf(logicalIdOf('Owner')), secretAccessKey: 'other' } }).send(new PutObjectCommand({ Bucket: 'plain', Key: 'x', Body: 'x' })), 'SignatureDoesNotMatch'],
])('fails for %s', async (_, send, name) => {
  await expect(send()).rejects.toMatchObject({ name });
});

test('a role writes below its prefix, and with a key that it may use', async () => {
  await put('runs/x', 'x', 'Writer');
  await put('x', 'sealed', 'Owner', 'sealed');
  expect((await get('x', 'Owner', 'sealed')).toString()).toBe('sealed');
});

describe('a request that was changed on its way', () => {
  const send = async (change: (headers: Record<string, string>) => { headers?: Record<string, string>; body?: string; path?: string }) => {
    const requests = client();
    let reply!: { status: number; text: string };
    requests.middlewareStack.add((next) => async (args) => {
      const request = args.request as { headers: Record<string, string>; path: string; body: string };
      const { headers = request.headers, body = request.body, path = request.path } = change({ ...request.headers });
      delete headers['content-length'];
      const response = await fetch(`${made.server.endpoint}${path}`, { method: 'PUT', headers, body });
      reply = { status: response.status, text: await response.text() };
      return next(args);
    }, { step: 'finalizeRequest', priority: 'low' });
    await requests.send(new PutObjectCommand({ Bucket: 'plain', Key: 'changed', Body: 'text' }));
    return [reply.status, /<Code>(\w+)</.exec(reply.text)?.[1]];
  };

  test.each([
    ['with another body', () => ({ body: 'other' }), [400, 'XAmzContentSHA256Mismatch']],
    ['with another key', () => ({ path: '/plain/other' }), [403, 'SignatureDoesNotMatch']],
    ['with another hash', (headers: Record<string, string>) => ({ headers: { ...headers, 'x-amz-content-sha256': createHash('sha256').update('other').digest('hex') }, body: 'other' }), [403, 'SignatureDoesNotMatch']],
    ['with a header that is not signed', (headers: Record<string, string>) => ({ headers: { ...headers, 'x-amz-acl': 'public-read' } }), [403, 'AccessDenied']],
    ['from another day', (headers: Record<string, string>) => ({ headers: { ...headers, 'x-amz-date': '20200101T000000Z' } }), [400, 'AuthorizationHeaderMalformed']],
  ])('fails %s', async (_, change, expected) => {
    expect(await send(change as never)).toEqual(expected);
  });
});

test('is struck by faults', async () => {
  made.server.faults.add({ operation: 'PutObject', at: 'beforeStart', kind: 'internal' });
  await expect(put('faults')).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  made.server.faults.add({ operation: 'GetObject', at: 'beforeEnd', kind: 'reset' });
  await put('faults');
  await expect(get('faults')).rejects.toThrow('ECONNRESET');
});
