import { Lazy, SecretValue } from 'aws-cdk-lib';
import { JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import { secretFaults } from '../../src/private/secrets';
import { newStack } from '../support/stacks';

const found = (value: string | readonly string[] | undefined) => secretFaults(newStack(), { value }).length > 0;

// Concatenated, so that no scanner takes this file for a leak.
test.each<[string, string | string[]]>([
  ['a value of Secrets Manager', SecretValue.secretsManager('token').unsafeUnwrap()],
  ['a value of Secrets Manager that is resolved later', Lazy.string({ produce: () => SecretValue.ssmSecure('/token').unsafeUnwrap() })],
  ['a secret among words', ['login', SecretValue.secretsManager('token').unsafeUnwrap()]],
  ['an access key', `AKIA${'A'.repeat(16)}`], ['a temporary one', `ASIA${'A'.repeat(16)}`],
  ['a token of GitHub', `ghp_${'a'.repeat(36)}`], ['a fine-grained one', `github_pat_${'a'.repeat(50)}`], ['one of GitLab', `glpat-${'a'.repeat(20)}`],
  ['a private key', '-----BEGIN ' + 'PRIVATE KEY-----'],
  ['a model provider\'s key', `sk-ant-${'a'.repeat(32)}`],
  ['a URL with a password', 'https://me:secret@example.com'],
])('detects %s', (_, value) => {
  expect(found(value)).toBe(true);
});

test.each<[string, string | readonly string[] | undefined]>([
  ['nothing', undefined],
  ['a plain command', 'npm test -- --grep "https://example.com/a:b@c"'],
  ['a value of the state', JsonPath.stringAt('$.token')],
  ['a list of the state', JsonPath.listAt('$.words')],
  ['a name of a key', 'AKIA'],
  ['a URL with only a user', 'https://me@example.com'],
  ['a URL with a port', 'https://example.com:8080/x@y'],
])('does not report %s', (_, value) => {
  expect(found(value)).toBe(false);
});

test('names the prop and where secrets belong, but never the secret', () => {
  const secret = `ghp_${'a'.repeat(36)}`;
  const [message] = secretFaults(newStack(), { 'environment.TOKEN': secret });
  expect(message).toContain('"environment.TOKEN" must not contain an access token of a git host');
  expect(message).toContain('with the runtime\'s execution role');
  expect(message).not.toContain(secret);
});
