import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { hasSecret, MASK, maskSecrets } from '../../src/handler/mask';

const KEY = generateKeyPairSync('rsa', { modulusLength: 2_048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
const word = (length: number) => 'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0'.repeat(9).slice(0, length);
/** Concatenated here, so that nobody who searches this file takes them for real ones. */
const SECRETS: readonly [string, string][] = [
  ['a token of GitHub', `ghp_${word(36)}`],
  ['a fine-grained token of GitHub', `github_pat_${word(82)}`],
  ['a token of a GitHub app', `ghs_${word(36)}`],
  ['a token of GitLab', `glpat-${word(20)}`],
  ['an access key of AWS', 'AKIA' + 'IOSFODNN7EXAMPLE'],
  ['a temporary access key of AWS', 'ASIA' + 'Y34FZKBOKMUTVV7A'],
  ['a key of Anthropic', `sk-ant-api03-${word(93)}AA`],
  ['a key of OpenAI', `sk-proj-${word(48)}`],
  ['a token of npm', `npm_${word(36)}`],
  ['a token of Slack', `xoxb-${'1'.repeat(12)}-${'2'.repeat(12)}-${word(24)}`],
  ['a key of Stripe', `sk_live_${word(24)}`],
  ['a key of Google', `AIza${word(35)}`],
  ['a token of PyPI', `pypi-AgEIcHlwaS5vcmc${word(60)}`],
  ['a JSON web token', `eyJhbGciOiJIUzI1NiJ9${word(4)}.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${word(43)}`],
];

describe.each(SECRETS)('%s', (_, secret) => {
  test.each<[string, (text: string) => string]>([
    ['alone', (text) => text],
    ['in the middle of a line', (text) => `export TOKEN="${text}", and more`],
    ['in JSON', (text) => JSON.stringify({ token: text })],
    ['in a URL', (text) => `fatal: cannot read https://${text}@example.com/a.git`],
    ['twice', (text) => `${text} ${text}`],
    ['before a full stop', (text) => `the token is ${text}.`],
  ])('is masked %s', (__, around) => {
    const masked = maskSecrets(around(secret));
    expect(masked).not.toContain(secret.slice(-12));
    expect(masked).toContain(MASK);
    expect(maskSecrets(masked)).toBe(masked);
  });
});

test.each<[string, string, string]>([
  ['a password in a URL', 'postgres://app:hunter2@db/x', `postgres://app:${MASK}@db/x`],
  ['a password that is also the user', 'postgres://admin:admin@db/x', `postgres://${MASK}:${MASK}@db/x`],
  ['a secret access key by its name', `AWS_SECRET_ACCESS_KEY=${word(40)}`, `AWS_SECRET_ACCESS_KEY=${MASK}`],
  ['a header', 'authorization: Bearer abcdef0123456789', `authorization: Bearer ${MASK}`],
])('%s is masked, and the text around it is unchanged', (_, text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
});

describe('a private key', () => {
  const lines = KEY.privateKey.trimEnd().split('\n');
  const pieces = lines.slice(1, -1);
  const leaks = (text: string) => pieces.filter((piece) => text.includes(piece.slice(0, 12)));

  test('is masked line by line', () => {
    const masked = maskSecrets(`before\n${KEY.privateKey}after`);
    expect(leaks(masked)).toEqual([]);
    expect(masked.split('\n')).toHaveLength(lines.length + 2);
    expect(masked).toMatch(/^before\n-----BEGIN[^]*-----END[^\n]*\nafter$/);
  });

  test('is masked on one line, as in JSON', () => {
    const masked = maskSecrets(JSON.stringify({ key: KEY.privateKey, other: 'stays' }));
    expect(leaks(masked)).toEqual([]);
    expect(JSON.parse(masked)).toMatchObject({ other: 'stays' });
  });

  test('is masked if the text starts or ends inside it, and nothing else is', () => {
    for (let count = 1; count < lines.length; count++) {
      const begin = maskSecrets(['it said:', ...lines.slice(0, count)].join('\n'));
      const end = maskSecrets([...lines.slice(count), 'at /usr/lib/node_modules/typescript/lib/tsc.js'].join('\n'));
      expect([leaks(begin), leaks(end)]).toEqual([[], []]);
      expect([begin.startsWith('it said:\n-----BEGIN'), end.endsWith('\nat /usr/lib/node_modules/typescript/lib/tsc.js')]).toEqual([true, true]);
    }
  });

  test('is not masked if it is public', () => {
    expect(maskSecrets(KEY.publicKey)).toBe(KEY.publicKey);
  });
});

test('does not change the usual output of gates', () => {
  const text = [
    'commit 0123456789abcdef0123456789abcdef01234567',
    `sha512-${'A'.repeat(86)}==`,
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    'https://packages.example.com/@babel/core/-/core-7.0.0.tgz',
    'git@github.com:org/repo.git ssh://git@example.com/a.git https://example.com:8080/a@b',
    'at Object.<anonymous> (/mnt/workspace/repo/node_modules/jest-circus/build/index.js:12:34)',
    'arn:aws:states:us-east-1:123456789012:execution:Loop:run',
    'expected: "password" to be masked, token is missing',
    'ghp_short AKIA sk-short ghp_',
  ].join('\n');
  expect(maskSecrets(text)).toBe(text);
  expect(hasSecret(text)).toBe(false);
});

test('keeps lines, changes nothing the second time, and masks a secret anywhere', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...SECRETS.map(([, secret]) => secret), '\n', ' ', '"', ':', '@', '://', KEY.privateKey));
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    const text = pieces.join(' ');
    const masked = maskSecrets(text);
    return masked.split('\n').length === text.split('\n').length && maskSecrets(masked) === masked && SECRETS.every(([, secret]) => !masked.includes(secret));
  }), { numRuns: 1_000 });
});
