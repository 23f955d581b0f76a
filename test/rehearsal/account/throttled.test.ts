import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AwsBetween, jsonError, queryError, s3Error, WireAnswer } from '../../support/aws-between';
import { commandLine, ending } from '../../support/command-line';
import { BUCKET, FIX, MotoLoops } from '../../support/moto-loops';

jest.setTimeout(120_000);

let aws: MotoLoops;
let between: AwsBetween;
beforeAll(async () => {
  aws = await MotoLoops.start();
  await aws.reset();
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'runs/kept/gates/1-test.log', Body: '1 test fails\n' }));
  s3.destroy();
  await aws.begin('Fix', 'kept');
  between = await AwsBetween.start(aws.moto.endpoint);
}, 300_000);
beforeEach(() => {
  between.reset();
  process.env.AWS_ENDPOINT_URL = between.endpoint;
});
afterEach(() => {
  process.env.AWS_ENDPOINT_URL = aws.moto.endpoint;
  delete process.env.AWS_MAX_ATTEMPTS;
});
afterAll(async () => {
  await between?.close();
  await aws?.close();
});

const JSON_THROTTLE = jsonError('ThrottlingException', 'Rate exceeded');
const LOGS = ['runs', 'logs', 'kept', ...FIX];

const REQUESTS: [string, string, WireAnswer, string[]][] = [
  ['cloudformation:ListStackResources', 'ListStackResources', queryError('Throttling', 'Rate exceeded'), ['runs', '--stack', 'Stack']],
  ['states:DescribeStateMachine', 'DescribeStateMachine', JSON_THROTTLE, ['runs', ...FIX]],
  ['states:ListExecutions', 'ListExecutions', JSON_THROTTLE, ['runs', ...FIX]],
  ['states:DescribeExecution', 'DescribeExecution', JSON_THROTTLE, ['runs', 'show', 'kept', ...FIX]],
  ['states:GetExecutionHistory', 'GetExecutionHistory', JSON_THROTTLE, ['runs', 'show', 'kept', ...FIX]],
  ['states:StartExecution', 'StartExecution', JSON_THROTTLE, ['run', '--prompt', 'x', '--detach', ...FIX]],
  ['s3:ListBucket', 'ListObjectsV2', s3Error('SlowDown', 'Please reduce your request rate.', 503), LOGS],
  ['s3:GetObject', 'GetObject', s3Error('SlowDown', 'Please reduce your request rate.', 503), LOGS],
  ['ssm:PutParameter', 'PutParameter', JSON_THROTTLE, ['runs', 'brake', 'off', ...FIX]],
  ['ssm:GetParameter', 'GetParameter', JSON_THROTTLE, ['runs', 'brake', ...FIX]],
  ['states:StopExecution', 'StopExecution', JSON_THROTTLE, ['runs', 'stop', 'kept', ...FIX]],
];

test.each(REQUESTS)('fails if %s is throttled for good, and says what to do', async (action, operation, answer, args) => {
  process.env.AWS_MAX_ATTEMPTS = '2';
  between.answer(operation, answer);
  const { stderr } = await ending(3, commandLine(...args));

  expect(stderr).toContain(`AWS keeps throttling ${action}: wait a moment and try again`);
  // Of both loops of the stack, some requests are under way at the same time.
  expect(between.count(operation) % 2).toBe(0);
});

test.each(REQUESTS)('asks again if %s is throttled once', async (_, operation, answer, args) => {
  between.answer(operation, answer, 1);
  await ending(0, commandLine(...args));

  expect(between.count(operation)).toBeGreaterThanOrEqual(2);
});

test('fails if somebody else sets the brake at the same moment, and says what to do', async () => {
  between.answer('PutParameter', jsonError('TooManyUpdates', 'There are concurrent updates for a resource'));

  expect((await ending(3, commandLine('runs', 'brake', 'on', ...FIX))).stderr).toContain('AWS keeps throttling ssm:PutParameter: wait a moment and try again');
});

describe('S3 in its own words', () => {
  const WHO = 'User: arn:aws:iam::123456789012:user/me is not authorized to perform:';

  test('names the permission that a missing file needs, which was not asked for', async () => {
    const quot = '&quot;';
    between.answer('GetObject', s3Error('AccessDenied', `${WHO} s3:ListBucket on resource: ${quot}arn:aws:s3:::${BUCKET}${quot} because no identity-based policy allows it`, 403));

    expect((await ending(3, commandLine(...LOGS))).stderr).toBe([
      `missing permission: arn:aws:iam::123456789012:user/me may not perform s3:ListBucket on arn:aws:s3:::${BUCKET}; this statement would allow it:`,
      `  {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::${BUCKET}"}`, '',
    ].join('\n'));
  });

  test('names the key of a bucket, for which no statement with the file would do', async () => {
    between.answer('GetObject', s3Error('AccessDenied', `${WHO} kms:Decrypt on the resource associated with this ciphertext because no policy allows it`, 403));
    const { stderr } = await ending(3, commandLine(...LOGS));

    expect(stderr).toMatch(/may not perform kms:Decrypt, which s3:GetObject on arn:aws:s3:::\S+\/gates\/1-test\.log needs: allow it on the key/);
    expect(stderr).not.toContain('"Effect"');
  });
});

test('a permission that is missing in another partition is named with its ARN', async () => {
  between.answer('ListStackResources', queryError('AccessDenied', 'no', 403));

  expect((await ending(3, commandLine('runs', '--stack', 'Stack', '--region', 'cn-north-1'))).stderr).toContain('"Resource":"arn:aws-cn:cloudformation:cn-north-1:*:stack/Stack/*"');
});
