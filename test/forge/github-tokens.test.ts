import { createPrivateKey } from 'node:crypto';
import { inspect } from 'node:util';
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

const made = () => [...forge.server.store.tokens.values()].filter(({ value }) => value.startsWith('ghs_'));
const passwordOf = (authorization: string) => Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();

test('the tokens of an app are for one repository, with the permissions of the step', async () => {
  await forge.server.store.createRepository('octo/other');
  const client = forge.client();
  const push = await client.pushAuthorization();
  const fetch = await client.fetchCredential();
  await client.pullRequest!({ head: 'workbench/task', base: 'main', title: 't', body: '', draft: false, labels: [], reviewers: [], teamReviewers: [] });
  await client.report!(await forge.server.store.git(forge.repository, 'rev-parse', 'main'), [{ name: 'n', conclusion: 'success', title: 't', summary: '' }]);
  await client.comment!(1, 'm', 'b');
  const metadata = 'read';
  expect(made().map(({ permissions }) => permissions)).toEqual([
    { contents: 'write', metadata }, { contents: 'read', metadata }, { contents: 'write', pull_requests: 'write', metadata }, { checks: 'write', metadata }, { issues: 'write', metadata },
  ]);
  expect(made().every(({ repositories }) => repositories.join() === 'octo/shop')).toBe(true);
  expect(passwordOf(push)).toBe(`x-access-token:${made()[0].value}`);
  expect(fetch).toEqual({ username: 'x-access-token', password: made()[1].value });
});

test('a token is used again by later clients, until its life is short', async () => {
  const first = await forge.client().pushAuthorization();
  expect(await forge.client().pushAuthorization()).toBe(first);
  const { now } = Date; // JSON web tokens have the time of the machine
  jest.spyOn(Date, 'now').mockImplementation(() => now() + forge.sleptMilliseconds);
  forge.clock = { ...forge.clock, now: () => Date.now() };
  await forge.clock.sleep(49 * 60);
  expect(await forge.client().pushAuthorization()).toBe(first);
  await forge.clock.sleep(2 * 60);
  expect(await forge.client().pushAuthorization()).not.toBe(first);
  expect(made()).toHaveLength(2);
  jest.restoreAllMocks();
});

test('tokens of other repositories, permissions and apps are kept apart', async () => {
  await forge.server.store.createRepository('octo/other');
  const authorizations = [
    await forge.client().pushAuthorization(),
    await forge.client(APP, 'https://github.com/octo/other').pushAuthorization(),
    await forge.client({ ...APP, app: { ...APP.app!, installationId: `${forge.api.state.installation('octo').id}` } }).pushAuthorization(),
  ];
  expect(new Set(authorizations).size).toBe(3);
  expect(await forge.client(APP, 'https://github.com/OCTO/Shop.git').pushAuthorization()).toBe(authorizations[0]); // names have no case
});

test('concurrent requests share the making of a token', async () => {
  await Promise.all(Array.from({ length: 10 }, async () => forge.client().pushAuthorization()));
  expect(made()).toHaveLength(1);
});

test('a failure to make a token is not kept', async () => {
  forge.api.state.installation('octo').suspended = true;
  await expect(forge.client().pushAuthorization()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN });
  forge.api.state.installation('octo').suspended = false;
  await expect(forge.client().pushAuthorization()).resolves.toMatch(/^Basic /);
});

test.each(['beforeStart', 'afterReply'] as const)('a token that is revoked %s of a request is made anew', async (at) => {
  forge.server.faults.add({ operation: 'api', at, kind: 'expireToken', match: (name) => name.startsWith('GET /api/v3/repos/octo/shop/pulls') });
  const content = { head: 'workbench/task', base: 'main', title: 't', body: '', draft: false, labels: [], reviewers: [], teamReviewers: [] };
  await expect(forge.client().pullRequest!(content)).resolves.toMatchObject({ number: 1 });
  expect(made()).toHaveLength(2);
});

test('fails if new tokens are not accepted either', async () => {
  forge.server.faults.add({ operation: 'api', at: 'beforeStart', kind: 'expireToken', times: 100, match: (name) => name === 'GET /api/v3/repos/octo/shop' });
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED, quote: 'Bad credentials' });
  expect(made()).toHaveLength(4);
});

test('a token of a user pushes, and sessions fetch with another one or none', async () => {
  expect(passwordOf(await forge.client(TOKEN).pushAuthorization())).toBe('x-access-token:ghp_userTokenOfOctocat');
  expect(await forge.client(TOKEN).fetchCredential()).toEqual({ username: 'x-access-token', password: 'ghp_readTokenOfOctocat' });
  expect(await forge.client({ ...TOKEN, readSecretArn: undefined }).fetchCredential()).toBeUndefined();
  expect(forge.requests).toEqual([]);
});

test('the key may have its line breaks escaped, and may be PKCS #8', async () => {
  const pkcs8 = createPrivateKey(forge.secrets['arn:key']).export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const [index, key] of [pkcs8, pkcs8.replace(/\n/g, '\\n'), forge.secrets['arn:key'].replace(/\n/g, '\\n'), `\n${pkcs8}\n\n`].entries()) {
    forge.secrets[`arn:key${index}`] = key;
    await expect(forge.client({ ...APP, secretArn: `arn:key${index}` }).check()).resolves.toBeUndefined();
  }
});

test.each(['ghp_one\nghp_two', 'a token', 'ghp_☃'])('fails for the token %j, without quoting it', async (token) => {
  forge.secrets['arn:token'] = token;
  const error: Error = await forge.client(TOKEN).check().then(() => Promise.reject(new Error('passed')), (one) => one);
  expect(error).toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED, message: 'the secret must have the token, and nothing else' });
  expect(inspect(error)).not.toContain(token);
  expect(forge.requests).toEqual([]);
});

test('fails as the reader of secrets does, at once', async () => {
  forge.readSecret = async () => Promise.reject(new TypeError('AccessDenied'));
  for (const config of [APP, TOKEN]) await expect(forge.client(config).check()).rejects.toEqual(new TypeError('AccessDenied'));
  expect(forge.slept).toEqual([]);
  expect(forge.requests).toEqual([]);
});

test('no error has the key, a JSON web token or a token, whatever GitHub says', async () => {
  const errors: unknown[] = [];
  const seen: string[] = [];
  const { answer } = forge.api;
  forge.server.api = async (request) => {
    const credential = String(request.headers.authorization).split(' ')[1];
    seen.push(credential);
    if (request.path.endsWith('/access_tokens') || request.path.endsWith('/installation')) return answer(request);
    return { status: 422, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: `You sent ${credential}`, errors: [{ message: `authorization: token ${credential}` }, credential] }) };
  };
  const clients = [forge.client(APP), forge.client(TOKEN)];
  for (const client of clients) {
    await client.check().catch((error: unknown) => errors.push(error));
    await client.comment!(1, 'm', 'b').catch((error: unknown) => errors.push(error));
  }
  forge.server.api = async (request) => {
    seen.push(String(request.headers.authorization).split(' ')[1]);
    return { status: 401, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: `Not ${request.headers.authorization}` }) };
  };
  await forge.client({ ...APP, app: { appId: '12' } }).check().catch((error: unknown) => errors.push(error));
  await forge.client(TOKEN).check().catch((error: unknown) => errors.push(error));
  expect(errors).toHaveLength(6);
  const text = errors.map((error) => `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)} ${(error as Error).stack}`).join('\n');
  expect(text).toContain('***');
  for (const secret of [...seen, ...Object.values(forge.secrets).flatMap((one) => one.trim().split('\n'))]) expect(text).not.toContain(secret);
});
