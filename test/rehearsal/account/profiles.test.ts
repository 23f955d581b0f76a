import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsBetween, jsonError, queryError } from '../../support/aws-between';
import { CommandResult, commandLine, ending } from '../../support/command-line';
import { setAwsEnvironment } from '../../support/moto';
import { MotoLoops } from '../../support/moto-loops';

jest.setTimeout(120_000);

/** A profile of a role, which is assumed with the credentials of another profile. */
const role = (source: string, more = '') => `region = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/Operator\nsource_profile = ${source}\n${more}`;
const KEYS = 'aws_access_key_id = AKIABASEBASEBASEBASE\naws_secret_access_key = secret\n';

let aws: MotoLoops;
let between: AwsBetween;
let home: string;
const HOME = process.env.HOME;

/** Writes a program that is a credential process. */
function program(name: string, text: string): string {
  const file = join(home, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

beforeAll(async () => {
  aws = await MotoLoops.start();
  await aws.reset();
  between = await AwsBetween.start(aws.moto.endpoint);
  home = join(aws.directory, 'home');
  mkdirSync(join(home, '.aws/sso/cache'), { recursive: true });
  const answers = program('answers', 'echo "{\\"Version\\":1,\\"AccessKeyId\\":\\"AKIAPROCESSPROCESSPR\\",\\"SecretAccessKey\\":\\"s\\",\\"SessionToken\\":\\"t\\"}"');
  const fails = program('fails', 'echo "the vault is locked" >&2; exit 3');
  writeFileSync(join(home, 'config'), `
[profile base]
region = us-east-1
${KEYS}
[profile role]
${role('base')}
[profile mfa]
${role('base', 'mfa_serial = arn:aws:iam::123456789012:mfa/me')}
[profile orphan]
${role('nobody')}
[profile process]
region = us-east-1
credential_process = ${answers}
[profile failing]
region = us-east-1
credential_process = ${fails}
[profile nowhere]
${KEYS}
[profile "quoted"]
region = us-east-1
${KEYS}
[profile sso]
region = us-east-1
sso_session = corporation
sso_account_id = 123456789012
sso_role_name = Operator
[sso-session corporation]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
`);
}, 300_000);
beforeEach(() => {
  between.reset();
  process.env.HOME = home;
});
afterEach(() => { process.env.HOME = HOME; });
afterAll(async () => {
  await between?.close();
  await aws?.close();
});

/** Lists the runs with these options and variables, and nothing else of this machine. */
async function runs(options: readonly string[], variables: { readonly [name: string]: string } = {}): Promise<CommandResult> {
  const undo = setAwsEnvironment({
    AWS_ENDPOINT_URL: between.endpoint, AWS_CONFIG_FILE: join(home, 'config'), AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true', ...variables,
  });
  return commandLine('runs', '--stack', 'Stack', ...options).finally(undo);
}

const REGION = { AWS_REGION: 'us-east-1' };
const ENV_KEYS = { AWS_ACCESS_KEY_ID: 'AKIAENVENVENVENVENVE', AWS_SECRET_ACCESS_KEY: 'secret' };

test.each<[string, string[], { readonly [name: string]: string }, number]>([
  ['a profile with a role, which is assumed once', ['--profile', 'role'], {}, 1],
  ['AWS_PROFILE', [], { AWS_PROFILE: 'role' }, 1],
  ['--profile before keys in the environment', ['--profile', 'role'], ENV_KEYS, 1],
  ['keys in the environment before AWS_PROFILE', [], { AWS_PROFILE: 'role', ...ENV_KEYS }, 0],
  ['a profile with a credential process', ['--profile', 'process'], {}, 0],
  ['a profile in quotes', ['--profile', 'quoted'], {}, 0],
  ['a profile without a region, and AWS_REGION', ['--profile', 'nowhere'], REGION, 0],
  ['a profile without a region, and AWS_DEFAULT_REGION', ['--profile', 'nowhere'], { AWS_DEFAULT_REGION: 'us-east-1' }, 0],
  ['a profile without a region, and --region', ['--profile', 'nowhere', '--region', 'us-east-1'], { AWS_REGION: 'eu-west-1' }, 0],
  ['AWS_REGION before AWS_DEFAULT_REGION', ['--profile', 'nowhere'], { AWS_DEFAULT_REGION: 'eu-west-1', ...REGION }, 0],
])('credentials and the region are those of %s', async (_, options, variables, assumed) => {
  const { stdout, stderr } = await ending(0, runs(options, variables));

  expect([stdout, stderr]).toEqual(['no runs of Stack/Fix, Stack/Upgrade yet\n', '']);
  expect(between.count('AssumeRole')).toBe(assumed);
});

test.each<[string, string[], { readonly [name: string]: string }, string]>([
  ['a profile that does not exist', ['--profile', 'bsae'], REGION, 'there is no profile "bsae": did you mean base?'],
  ['AWS_PROFILE that does not exist', [], { AWS_PROFILE: 'bsae', ...REGION, ...ENV_KEYS }, 'there is no profile "bsae": did you mean base?'],
  ['a session that is no profile', ['--profile', 'corporation'], {}, 'there is no profile "corporation" ("aws configure list-profiles" lists them)'],
  ['a profile without a region', ['--profile', 'nowhere'], {}, 'there is no region in the profile "nowhere": give --region, set AWS_REGION'],
  ['a region that is none', ['--profile', 'base', '--region', 'us east'], {}, 'the region must be one of AWS, such as us-east-1'],
  ['a profile whose source does not exist', ['--profile', 'orphan'], {}, 'the profile "orphan" has no credentials for AWS: add them to it, or log in as for the AWS CLI, such as with "aws sso login" (Could not resolve credentials using profile: [nobody]'],
  ['a credential process that fails', ['--profile', 'failing'], {}, 'the profile "failing" has no credentials for AWS: add them to it, or log in as for the AWS CLI, such as with "aws sso login" (Command failed: '],
  ['a profile that needs a code', ['--profile', 'mfa'], {}, 'run eval "$(aws configure export-credentials --profile mfa --format env)", and leave out --profile'],
  ['a session of Identity Center that was never there', ['--profile', 'sso'], {}, 'the session of AWS IAM Identity Center is missing or has expired: log in with "aws sso login --profile sso"'],
])('fails for %s', async (_, options, variables, message) => {
  expect((await ending(2, runs(options, variables))).stderr).toContain(message);
  expect(between.operations).toEqual([]);
});

test('fails if the session of Identity Center has expired, and names the command that renews it', async () => {
  const file = join(home, '.aws/sso/cache', `${createHash('sha1').update('corporation').digest('hex')}.json`);
  writeFileSync(file, JSON.stringify({ accessToken: 'x', expiresAt: '2026-01-01T00:00:00Z', region: 'us-east-1', startUrl: 'https://example.awsapps.com/start' }));

  expect((await ending(2, runs([], { AWS_PROFILE: 'sso' }))).stderr).toContain('has expired: log in with "aws sso login --profile sso"');
});

const EXPIRED = 'The security token included in the request is expired';

test.each([
  ['CloudFormation', 'ListStackResources', queryError('ExpiredToken', EXPIRED, 403), 'the credentials for AWS have expired: log in again'],
  ['Step Functions', 'DescribeStateMachine', jsonError('ExpiredTokenException', EXPIRED), 'the credentials for AWS have expired: log in again'],
  ['STS', 'AssumeRole', queryError('ExpiredToken', EXPIRED, 403), 'the credentials for AWS have expired: log in again'],
  ['CloudFormation', 'ListStackResources', queryError('InvalidClientTokenId', 'The security token is invalid.', 403), 'AWS does not recognize the credentials: check the profile'],
])('fails for credentials that %s refuses: %s', async (_, operation, answer, message) => {
  between.answer(operation, answer);

  expect((await ending(2, runs(['--profile', 'role']))).stderr).toContain(message);
});

test('fails for a role that may not be assumed, and names it', async () => {
  between.answer('AssumeRole', queryError('AccessDenied', 'User: arn:aws:iam::123456789012:user/base is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Operator', 403));

  expect((await ending(3, runs(['--profile', 'role']))).stderr).toContain('user/base may not perform sts:AssumeRole on arn:aws:iam::123456789012:role/Operator; this statement would allow it');
});
