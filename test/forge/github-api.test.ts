import { createPrivateKey, sign } from 'node:crypto';
import { GitHubForge, PRIVATE_KEY } from '../support/github-forge';
import { GITHUB } from '../support/github-openapi';

// The emulated API is as strict as GitHub's own: a mistake of the client must not pass because of it.
let forge: GitHubForge;
beforeEach(async () => {
  forge = await GitHubForge.start();
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

interface Call {
  readonly authorization?: string;
  readonly body?: unknown;
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(route: string, { authorization = 'token ghp_userTokenOfOctocat', body, raw, headers }: Call = {}) {
  const [method, path] = route.split(' ');
  const reply = await fetch(`${forge.server.origin}${path.startsWith('/api/') ? path : `/api/v3${path}`}`, {
    method, headers: { ...authorization === '' ? {} : { authorization }, ...headers }, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)), redirect: 'manual',
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
}

const seconds = () => Math.floor(Date.now() / 1_000);
function jwt(claims: object, { header = { alg: 'RS256', typ: 'JWT' }, key = PRIVATE_KEY }: { header?: object; key?: string } = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const message = `${part(header)}.${part(claims)}`;
  return `bearer ${message}.${sign('RSA-SHA256', Buffer.from(message), createPrivateKey(key)).toString('base64url')}`;
}
const valid = () => ({ iss: '4711', iat: seconds() - 30, exp: seconds() + 570 });

describe('JSON web tokens of the app', () => {
  const installation = async (authorization: string) => call('GET /repos/octo/shop/installation', { authorization });

  test('one as Octokit makes them is taken, up to ten minutes', async () => {
    for (const claims of [valid(), { ...valid(), iss: 4711 }, { ...valid(), exp: seconds() + 599 }, { ...valid(), iat: seconds() + 30 }]) {
      expect((await installation(jwt(claims))).status).toBe(200);
    }
  });

  test.each([
    ['too far', () => jwt({ ...valid(), exp: seconds() + 660 }), 401, '\'Expiration time\' claim (\'exp\') is too far in the future'],
    ['expired', () => jwt({ ...valid(), exp: seconds() - 1 }), 401, '\'Expiration time\' claim (\'exp\') must be a numeric value representing the future time at which the assertion expires'],
    ['without an end', () => jwt({ ...valid(), exp: undefined }), 401, '\'Expiration time\' claim (\'exp\') must be a numeric value representing the future time at which the assertion expires'],
    ['of the future', () => jwt({ ...valid(), iat: seconds() + 120 }), 401, '\'Issued at\' claim (\'iat\') must be an Integer representing the time that the assertion was issued'],
    ['without a beginning', () => jwt({ ...valid(), iat: undefined }), 401, '\'Issued at\' claim (\'iat\') must be an Integer representing the time that the assertion was issued'],
    ['of another app', () => jwt({ ...valid(), iss: '1' }), 404, 'Integration not found'],
    ['without a signature', () => jwt(valid(), { header: { alg: 'none' } }), 401, 'A JSON web token could not be decoded'],
    ['changed', () => jwt(valid()).replace(/\.[^.]+\./, (part) => `${Buffer.from(JSON.stringify({ ...valid(), more: 1 })).toString('base64url').replace(/^/, '.')}.${part.slice(0, 0)}`), 401, 'A JSON web token could not be decoded'],
    ['of two parts', () => 'bearer a.b', 401, 'A JSON web token could not be decoded'],
    ['no JSON', () => 'bearer a.b.c', 401, 'A JSON web token could not be decoded'],
    ['a token', () => 'token ghp_userTokenOfOctocat', 401, 'A JSON web token could not be decoded'],
    ['none', () => '', 401, 'A JSON web token could not be decoded'],
  ])('one that is %s is refused', async (_, authorization, status, message) => {
    expect(await installation(authorization())).toMatchObject({ status, body: { message } });
  });

  test('is for nothing else', async () => {
    expect(await call('GET /repos/octo/shop', { authorization: jwt(valid()) })).toMatchObject({ status: 401, body: { message: 'Bad credentials' } });
  });
});

describe('installation tokens', () => {
  const make = async (body: object, id = forge.api.state.installation('octo').id) => call(`POST /app/installations/${id}/access_tokens`, { authorization: jwt(valid()), body });

  test.each([
    [{ repositories: ['shop'], permissions: { contents: 'admin' } }, 422, 'The permissions requested are not granted to this installation.'],
    [{ repositories: ['shop'], permissions: { administration: 'read' } }, 422, 'The permissions requested are not granted to this installation.'],
    [{ repositories: ['shop', 'gone'], permissions: {} }, 422, 'There is at least one repository that does not exist or is not accessible to the parent installation.'],
    [{ repositories: ['../octo/shop'] }, 422, 'There is at least one repository that does not exist or is not accessible to the parent installation.'],
    [{ repositories: 'shop' }, 422, 'Invalid request.\n\nFor \'properties/repositories\', "shop" is not an array.'],
    [{ repos: ['shop'] }, 422, 'Invalid request.\n\n"repos" is not a permitted key.'],
  ])('are refused for %j', async (body, status, message) => {
    expect(await make(body)).toMatchObject({ status, body: { message } });
  });

  test('have an end, and what they were made for', async () => {
    const { status, body } = await make({ repositories: ['shop'], permissions: { contents: 'read' } });
    expect(status).toBe(201);
    const authorization = `token ${body.token}`;
    expect((await call('GET /repos/octo/shop', { authorization })).status).toBe(200);
    expect(await call('POST /repos/octo/shop/git/commits', { authorization, body: { message: 'm', tree: '1' } })).toMatchObject({ status: 403, body: { message: 'Resource not accessible by integration' } });
    await forge.server.store.createRepository('octo/other');
    expect((await call('GET /repos/octo/other', { authorization })).status).toBe(404);
    await forge.clock.sleep(3_601);
    expect(await call('GET /repos/octo/shop', { authorization })).toMatchObject({ status: 401, body: { message: 'Bad credentials' } });
  });
});

test.each([
  ['GET /repos/octo/gone', 404, 'Not Found'],
  ['GET /api/v3/', 404, 'Not Found'],
  ['GET /api/v3/repos/octo', 404, 'Not Found'],
  ['DELETE /repos/octo/shop', 404, 'Not Found'],
  ['GET /repos/octo/shop/pulls/1/merge', 404, 'Not Found'],
  ['GET /repositories/1', 404, 'Not Found'],
])('%s is not found', async (route, status, message) => {
  expect(await call(route)).toMatchObject({ status, body: { message } });
  forge.openApi.violations.length = 0; // they are on purpose no operations of the description
});

test.each([
  ['POST /repos/octo/shop/pulls', { title: 't', base: 'main' }, '"head" wasn\'t supplied.'],
  ['POST /repos/octo/shop/pulls', { title: 't', head: 'h', base: 'main', labels: [] }, '"labels" is not a permitted key.'],
  ['POST /repos/octo/shop/pulls', { title: 1, head: 'h', base: 'main' }, 'For \'properties/title\', 1 is not a string.'],
  ['POST /repos/octo/shop/pulls', { title: 't', head: 'h', base: 'main', draft: 'yes' }, 'For \'properties/draft\', "yes" is not a boolean.'],
  ['POST /repos/octo/shop/pulls', { title: null, head: 'h', base: 'main' }, 'For \'properties/title\', nil is not a string.'],
  ['POST /repos/octo/shop/issues/1/labels', { labels: [] }, 'For \'properties/labels\', [] is not an array.'],
  ['POST /repos/octo/shop/statuses/1', { state: 'neutral' }, 'For \'properties/state\', "neutral" is not a member of ["error","failure","pending","success"].'],
  ['POST /repos/octo/shop/statuses/1', {}, '"state" wasn\'t supplied.'],
  ['POST /repos/octo/shop/git/commits', { message: 'm', tree: 't', author: { name: 'n' } }, 'For \'properties/author\', "email" wasn\'t supplied.'],
  ['POST /repos/octo/shop/git/commits', { message: 'm', tree: 't', author: 'me' }, 'For \'properties/author\', "me" is not an object.'],
  ['POST /repos/octo/shop/issues/1/comments', {}, '"body" wasn\'t supplied.'],
])('%s with %j is refused', async (route, body, problem) => {
  expect(await call(route, { body })).toMatchObject({ status: 422, body: { message: `Invalid request.\n\n${problem}` } });
});

test('a body that is no JSON object is refused', async () => {
  expect(await call('POST /repos/octo/shop/pulls', { raw: '{' })).toMatchObject({ status: 400, body: { message: 'Problems parsing JSON' } });
  expect(await call('POST /repos/octo/shop/pulls', { raw: '[1]' })).toMatchObject({ status: 400, body: { message: 'Body should be a JSON object' } });
  forge.openApi.violations.length = 0; // the description does not have this status
});

test('permissions, the archive and the owner of a token are checked for each operation', async () => {
  const { store } = forge.server;
  const permissions = { contents: 'read', pull_requests: 'read', issues: 'read', checks: 'read', statuses: 'read' } as const;
  store.addToken({ value: 'reader', repositories: ['octo/shop'], permissions, login: 'reader' });
  store.addToken({ value: 'stranger', repositories: ['octo/other'], permissions: { contents: 'write', pull_requests: 'write' }, login: 'stranger' });
  const bodies: Readonly<Record<string, object>> = {
    'POST /repos/octo/shop/pulls': { title: 't', head: 'workbench/task', base: 'main' },
    'PATCH /repos/octo/shop/pulls/1': { title: 't' },
    'POST /repos/octo/shop/pulls/1/requested_reviewers': { reviewers: [] },
    'POST /repos/octo/shop/issues/1/labels': { labels: ['l'] },
    'POST /repos/octo/shop/issues/1/comments': { body: 'b' },
    'PATCH /repos/octo/shop/issues/comments/1': { body: 'b' },
    'POST /repos/octo/shop/check-runs': { name: 'n', head_sha: '1' },
    'PATCH /repos/octo/shop/check-runs/1': { name: 'n' },
    'POST /repos/octo/shop/statuses/1': { state: 'success' },
    'POST /repos/octo/shop/git/commits': { message: 'm', tree: '1' },
  };
  for (const [route, body] of Object.entries(bodies)) {
    expect([route, await call(route, { authorization: 'token reader', body })]).toMatchObject([route, { status: 403, body: { message: 'Resource not accessible by personal access token' } }]);
    expect([route, await call(route, { authorization: 'token stranger', body })]).toMatchObject([route, { status: 404 }]);
    expect([route, await call(route, { authorization: '', body })]).toMatchObject([route, { status: 404 }]);
    expect([route, await call(route, { authorization: 'token unknown', body })]).toMatchObject([route, { status: 401 }]);
  }
  forge.repository.archived = true;
  const full = Object.fromEntries(Object.keys(permissions).map((name) => [name, 'write' as const]));
  store.addToken({ value: 'writer', repositories: ['octo/shop'], permissions: full, login: 'writer' });
  for (const [route, body] of Object.entries(bodies)) {
    expect([route, await call(route, { authorization: 'token writer', body })]).toMatchObject([route, { status: 403, body: { message: 'Repository was archived so is read-only.' } }]);
  }
});

test('a public repository is read without a permission, and written with one only', async () => {
  forge.repository.private = false;
  forge.server.store.addToken({ value: 'stranger', repositories: [], permissions: {}, login: 'stranger' });
  expect((await call('GET /repos/octo/shop/pulls', { authorization: 'token stranger' })).status).toBe(200);
  expect((await call('POST /repos/octo/shop/pulls', { authorization: 'token stranger', body: { title: 't', head: 'workbench/task', base: 'main' } })).status).toBe(403);
});

test('check runs are for apps', async () => {
  forge.server.store.addToken({ value: 'checker', repositories: ['octo/shop'], permissions: { checks: 'write' }, login: 'octocat' });
  expect(await call('POST /repos/octo/shop/check-runs', { authorization: 'token checker', body: { name: 'n', head_sha: '1' } })).toMatchObject({ status: 403, body: { message: 'You must authenticate via a GitHub App.' } });
});

test('pages have the size that is asked for, up to a hundred', async () => {
  const issue = forge.shop.openIssue('i');
  for (let index = 0; index < 120; index++) {
    forge.shop.comments.push({ id: index, issue, login: 'somebody', byApp: false, body: `${index}`, created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z' });
  }
  const get = async (query: string) => call(`GET /repos/octo/shop/issues/${issue}/comments${query}`);
  const sizes = async (query: string) => ((await get(query)).body as unknown[]).length;
  expect(await Promise.all(['', '?per_page=1000', '?per_page=100&page=2', '?per_page=100&page=3', '?per_page=0', '?per_page=7&page=18'].map(sizes))).toEqual([30, 100, 20, 0, 30, 1]);
  expect((await get('?per_page=100')).headers.get('link')).toMatch(/^<[^>]+[?&]per_page=100&page=2>; rel="next", <[^>]+page=2>; rel="last"$/);
  expect((await get('?per_page=100&page=2')).headers.get('link')).toBeNull();
  // GitHub's own limits are the description's, so that these are asked for on purpose.
  forge.openApi.violations.length = 0;
});

test('GraphQL has one mutation', async () => {
  expect((await call('POST /api/graphql', { authorization: '', body: { query: 'x' } })).status).toBe(401);
  expect((await call('POST /api/graphql', { body: { query: '{ viewer { login } }' } })).body.errors).toHaveLength(1);
  expect((await call('POST /api/graphql', { body: { query: 1 } })).status).toBe(422);
});

test('the description is small, and says where it is from', () => {
  expect(JSON.stringify(GITHUB).length).toBeLessThan(200_000);
  expect(GITHUB.from).toMatch(/^@octokit\/openapi@\d+\.\d+\.\d+, api\.github\.com/);
});
