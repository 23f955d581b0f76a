import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, TOKEN } from '../support/github-forge';

let forge: GitHubForge;
beforeEach(async () => {
  forge = await GitHubForge.start();
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

test('a repository that takes pushes passes, for an app and for a token', async () => {
  await expect(forge.client(APP).check(['pullRequest', 'report', 'comment'])).resolves.toBeUndefined();
  await expect(forge.client(TOKEN).check(['pullRequest'])).resolves.toBeUndefined();
});

test('fails for an archived repository', async () => {
  forge.repository.archived = true;
  for (const config of [APP, TOKEN]) {
    await expect(forge.client(config).check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, message: 'the repository octo/shop is archived: unarchive it, or use another one' });
  }
});

test('fails for an app that lacks a permission, and names it', async () => {
  delete forge.api.state.installation('octo').permissions.pull_requests;
  await expect(forge.client().check()).resolves.toBeUndefined();
  await expect(forge.client().check(['pullRequest'])).rejects.toMatchObject({
    name: FORGE_ERRORS.FORBIDDEN,
    summary: 'app 4711 lacks a permission for octo/shop: grant it contents: write, pull_requests: write, and accept that for the installation',
    quote: 'The permissions requested are not granted to this installation.',
  });
});

test('fails for an app that is not installed, or suspended, or has another key', async () => {
  const installation = forge.api.state.installation('octo');
  installation.without.add('shop');
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, summary: expect.stringContaining('app 4711 is not installed for octo/shop') });
  await expect(forge.client({ ...APP, app: { appId: '4711', installationId: `${installation.id}` } }).check()).rejects.toMatchObject({
    name: FORGE_ERRORS.NOT_FOUND, quote: 'There is at least one repository that does not exist or is not accessible to the parent installation.',
  });
  installation.without.clear();
  installation.suspended = true;
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, quote: 'This installation has been suspended' });
  forge.server.store.app = { ...forge.server.store.app!, publicKey: OTHER_KEY };
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED, quote: 'A JSON web token could not be decoded' });
  await expect(forge.client({ ...APP, app: { appId: '1' } }).check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, quote: 'Integration not found' });
});

const OTHER_KEY = `-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALdW1eEnkf6ZbvHOHHBYVFqzmDKGJRLg6cCHkQxUZvvEY0vJbaBRnxNPiM6DAzbcVnh9LNJp5Bp+oRbC+FsvbrsCAwEAAQ==
-----END PUBLIC KEY-----`;

test('fails for a token whose user cannot push', async () => {
  forge.server.store.addToken({ value: 'ghp_reader', repositories: ['octo/shop'], permissions: { contents: 'read' }, login: 'reader' });
  forge.secrets['arn:token'] = 'ghp_reader';
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, summary: expect.stringContaining('the user of the token cannot push to octo/shop') });
});

test('fails for a repository that is not there, and a token that is not valid', async () => {
  await expect(forge.client(TOKEN, 'https://github.com/octo/gone').check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, quote: 'Not Found' });
  await expect(forge.client(APP, 'https://github.com/octo/gone').check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND });
  forge.secrets['arn:token'] = 'ghp_revoked';
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED, quote: 'Bad credentials' });
});

test.each(['', '   \n', 'not a key', '-----BEGIN RSA PRIVATE KEY-----', 'ghp_aTokenInPlaceOfTheKey'])('fails for the secret %j, without quoting it', async (secret) => {
  forge.secrets['arn:key'] = secret;
  const error: Error = await forge.client().check().then(() => Promise.reject(new Error('passed')), (one) => one);
  expect(error).toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED });
  expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(secret === '' ? 'undefined' : secret);
});

test('fails for a repository that GitHub has disabled', async () => {
  const { api } = forge.server;
  forge.server.api = async (request) => {
    const reply = await api!(request);
    return { ...reply, body: reply.body?.replace('"disabled":false', '"disabled":true') };
  };
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, summary: expect.stringContaining('the repository octo/shop is disabled') });
});
