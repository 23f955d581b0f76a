import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { credentialOf } from '../../src/forge/publish/basic';
import { seal } from '../../src/forge/publish/seal';
import { KEY_SCRIPT } from '../../src/loop/steps/access-scripts.generated';

let directory: string;
let publicKey: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'seal-'));
  publicKey = execFileSync('bash', ['-c', KEY_SCRIPT], { env: { PATH: process.env.PATH, WB_KEY: join(directory, 'key-1') }, encoding: 'utf8' });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const opened = (blocks: readonly string[]) => blocks.map((block) => execFileSync('openssl', [
  'pkeyutl', '-decrypt', '-inkey', join(directory, 'key-1/private'), '-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256',
], { input: Buffer.from(block, 'base64') }).toString()).join('');

test('what is sealed can be opened by the session\'s openssl only, whatever its length', () => {
  fc.assert(fc.property(fc.string({ maxLength: 700, unit: 'grapheme' }).filter((text) => !/[\n\0]/.test(text)), (password) => {
    const blocks = seal({ username: 'git', password }, publicKey);
    expect(opened(blocks)).toBe(`username=git\npassword=${password}\n`);
  }), { numRuns: 15 });
});

test('nobody else can read the private key, and another key replaces one that was left', () => {
  expect(execFileSync('stat', ['-c', '%a', join(directory, 'key-1'), join(directory, 'key-1/private')], { encoding: 'utf8' })).toBe('700\n600\n');
  const other = join(directory, 'other');
  execFileSync('mkdir', [other]);
  for (const name of ['key-1', 'key-2']) execFileSync('bash', ['-c', KEY_SCRIPT], { env: { PATH: process.env.PATH, WB_KEY: join(other, name) } });
  expect(execFileSync('ls', [other], { encoding: 'utf8' })).toBe('key-2\n');
  expect(readFileSync(join(other, 'key-2/private'), 'utf8')).toContain('PRIVATE KEY');
});

test('a credential that could add a line to the reply of a credential helper is refused', () => {
  expect(() => seal({ username: 'git\nhost=evil.example', password: 'x' }, publicKey)).toThrow('line breaks');
});

test.each<[string, string, object]>([
  ['a token', ' ghs_abc\n', { username: 'git', password: 'ghs_abc' }],
  ['JSON', '{"username":"a","password":"b"}', { username: 'a', password: 'b' }],
  ['JSON without a user', '{"password":"b"}', { username: 'git', password: 'b' }],
])('a secret may be %s', (_, secret, credential) => expect(credentialOf(secret)).toEqual(credential));

test('a secret in JSON without a password says what is missing, and not what is there', () => {
  expect(() => credentialOf('{"token":"s3cr3t"}')).toThrow('must have "password"');
});
