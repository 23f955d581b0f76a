import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { CONTENT, GitLabForge } from '../support/gitlab-forge';

let forge: GitLabForge;
beforeEach(async () => {
  forge = await GitLabForge.start();
});
afterEach(async () => {
  await forge.stop();
});

const LIMITED = { status: 429, headers: { 'content-type': 'text/plain' }, body: 'Retry later\n' };

test.each<[Readonly<Record<string, string>>, number]>([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': '60' }, 60],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': new Date(0).toUTCString() }, 0], // clocks differ
  [{}, 60],
  [{ 'retry-after': 'soon' }, 60],
])('a pause is waited for, also before what is not repeatable otherwise: %j', async (headers, slept) => {
  forge.answerFirst(1, { ...LIMITED, headers }, /^POST/);
  await forge.client().pullRequest!(CONTENT);
  expect(forge.slept.slice(0, 1)).toEqual([slept]);
  expect(forge.project.mergeRequests).toHaveLength(1);
});

test('fails for a pause that is longer than a call, and says how long', async () => {
  forge.answerFirst(1, { ...LIMITED, headers: { 'retry-after': '61' } });
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, retryAfter: 61 });
  expect(forge.slept).toEqual([]);
});

test('a short failure of the server is waited for, before requests that are safe to repeat', async () => {
  forge.answerFirst(3, { status: 503, body: '<html>busy</html>' });
  await forge.client().check();
  expect(forge.slept).toEqual([1, 2, 4]);
  forge.answerFirst(4, { status: 502, body: '{}' });
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE });
});

test.each(['reset', 503] as const)('a merge request whose answer is lost (%s) is found, and not made twice', async (kind) => {
  forge.server.faults.add({ operation: 'api', at: 'beforeReply', kind, match: (request) => /^POST .*merge_requests/.test(request) });
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
  expect(forge.project.mergeRequests).toHaveLength(1);
});

test.each(['{"id": 1', '', '<html></html>'])('an answer that is cut off or no JSON is a lost connection: %j', async (body) => {
  forge.answerFirst(1, { status: 200, body });
  await forge.client().check();
  expect(forge.slept).toEqual([1]);
});

test('a renamed project is found by what reads and by what writes; a redirect to another host is not followed', async () => {
  forge.server.store.redirect('group/sub/app', 'group/new/app');
  forge.server.store.addToken({ value: 'glpat-token', repositories: ['group/new/app'], permissions: { contents: 'write', api: 'write' }, login: 'bot' });
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1 });
  forge.server.store.redirect('group/new/app', 'https://elsewhere.example/group/app');
  forge.server.store.redirect('group/sub/app', 'https://elsewhere.example/group/app');
  await expect(forge.client().check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED, message: expect.stringContaining('elsewhere.example') });
});

test.each<[number, object | string, string, string]>([
  [401, { message: '401 Unauthorized' }, FORGE_ERRORS.UNAUTHORIZED, '401 Unauthorized'],
  [403, { message: '403 Forbidden' }, FORGE_ERRORS.FORBIDDEN, '403 Forbidden'],
  [403, { error: 'insufficient_scope', error_description: 'The request requires higher privileges.' }, FORGE_ERRORS.FORBIDDEN, 'insufficient_scope; The request requires higher privileges.'],
  [404, { message: '404 Project Not Found' }, FORGE_ERRORS.NOT_FOUND, '404 Project Not Found'],
  [422, { message: ['one', { base: ['two', 'three'], title: ['is too long', null] }] }, FORGE_ERRORS.REFUSED, 'one; two, three; title is too long'],
  [418, 'short and stout', FORGE_ERRORS.UNEXPECTED, 'short and stout'],
  [400, { message: 'glpat-token is wrong' }, FORGE_ERRORS.REFUSED, '*** is wrong'],
])('fails with GitLab\'s own words, without the token: %j %j', async (status, body, name, quote) => {
  forge.answerFirst(1, { status, body: typeof body === 'string' ? body : JSON.stringify(body) });
  await expect(forge.client().check(['report'])).rejects.toMatchObject({ name, quote });
});

test('says what to change about a token that is no token, that lacks a scope, or that is for another project', async () => {
  await expect(forge.client('{"token": "a b"}').check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAUTHORIZED, summary: 'the secret must have the token, and nothing else' });
  forge.server.store.addToken({ value: 'glpat-read', repositories: ['group/sub/app'], permissions: { contents: 'write' }, login: 'bot' });
  await expect(forge.client('glpat-read').check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, summary: expect.stringContaining('scopes api and write_repository') });
  forge.server.store.addToken({ value: 'glpat-other', repositories: ['group/other'], permissions: { contents: 'write', api: 'write' }, login: 'bot' });
  await expect(forge.client('glpat-other').check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, summary: expect.stringContaining('no such project') });
  forge.project.hasMergeRequests = false;
  await expect(forge.client().check(['pullRequest'])).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, summary: expect.stringContaining('has no merge requests') });
  await forge.client().check(['report']);
});

test('a token for reading is passed on only if the loop has one', async () => {
  expect(await forge.client().fetchCredential()).toBeUndefined();
  expect(await forge.client('glpat-read', { readSecretArn: 'arn:read' }).fetchCredential()).toMatchObject({ password: 'glpat-read' });
});

test.each(['reset', 503] as const)('a comment whose answer is lost (%s) is found, and not written twice', async (kind) => {
  const issue = forge.api.state.openIssue(forge.project, 'i').iid;
  forge.server.faults.add({ operation: 'api', at: 'beforeReply', kind, match: (request) => /^POST .*notes/.test(request) });
  await forge.client().comment!(issue, 'run', 'done');
  expect(forge.project.notes).toHaveLength(1);
});
