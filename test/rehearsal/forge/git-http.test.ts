import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Forge } from '../../support/forge';

let forge: Forge;
beforeEach(async () => {
  forge = await Forge.start();
});
afterEach(() => forge.close());

test('git pushes, and clones what it pushed', async () => {
  const commit = forge.change('value.txt', '1\n');
  expect(await forge.push('writer', 'HEAD:main', 'HEAD:workbench/task')).toMatchObject({ code: 0 });
  expect([await forge.at('main'), await forge.at('workbench/task')]).toEqual([commit, commit]);
  expect(await forge.git('clone', '--quiet', forge.as('reader'), '../copy')).toEqual({ code: 0, said: '' });
  expect(await forge.git('-C', '../copy', 'rev-parse', 'HEAD')).toMatchObject({ said: `${commit}\n` });
  expect(await forge.git('-C', '../copy', 'fsck', '--strict')).toMatchObject({ code: 0 });
});

test('clones may be shallow and partial, and fetch contents later', async () => {
  forge.change('value.txt', '1\n');
  forge.change('value.txt', '2\n');
  await forge.push('writer', 'HEAD:main');
  expect(await forge.git('clone', '--quiet', '--depth=1', '--filter=blob:none', '--no-checkout', forge.as('reader'), '../copy')).toEqual({ code: 0, said: '' });
  expect(await forge.git('-C', '../copy', 'rev-list', '--count', 'HEAD')).toMatchObject({ said: '1\n' });
  expect((await forge.git('-C', '../copy', 'rev-list', '--objects', '--missing=print', 'HEAD')).said).toContain('?');
  expect(await forge.git('-C', '../copy', 'checkout', '--quiet')).toEqual({ code: 0, said: '' });
  expect(await forge.git('-C', '../copy', 'fetch', '--quiet', '--unshallow')).toEqual({ code: 0, said: '' });
  expect(await forge.git('-C', '../copy', 'rev-list', '--count', 'HEAD')).toMatchObject({ said: '3\n' });
});

test('a commit that no branch has can be fetched by its ID', async () => {
  const left = forge.change('value.txt', '1\n');
  await forge.push('writer', 'HEAD:workbench/task');
  await forge.push('writer', ':workbench/task');
  await forge.git('init', '--quiet', 'copy');
  // Version 2 of the protocol allows it anyway.
  const fetched = await forge.git('-C', '../copy', '-c', 'protocol.version=0', 'fetch', '--quiet', '--depth=1', forge.as('reader'), left);
  expect(fetched).toMatchObject({ code: 0 });
});

test.each([
  ['no credential', undefined, 128, /could not read Username|Authentication failed/],
  ['an unknown token', 'nobody', 128, /remote: Invalid username or token/],
  ['a token for another repository', 'other', 128, /remote: Repository not found\.\nfatal: repository '.*' not found/],
] as const)('a private repository is not read with %s', async (_, token, code, said) => {
  forge.server.store.addToken({ value: 'other', login: 'o', repositories: ['octo/other'], permissions: { contents: 'write' } });
  expect(await forge.git('ls-remote', forge.as(token))).toEqual({ code, said: expect.stringMatching(said) });
});

test('a token is refused once it has expired', async () => {
  const token = forge.server.store.addToken({ value: 'short', login: 'o', repositories: ['octo/shop'], permissions: { contents: 'read' }, expiresAt: Date.now() + 60_000 });
  expect(await forge.git('ls-remote', forge.as(token))).toMatchObject({ code: 0 });
  token.expiresAt = Date.now();
  expect(await forge.git('ls-remote', forge.as(token))).toMatchObject({ code: 128, said: expect.stringContaining('Invalid username or token') });
});

test('a password is accepted with its own username only', async () => {
  forge.server.store.addToken({ value: 'secret', username: 'deploy', login: 'deploy', repositories: ['octo/shop'], permissions: { contents: 'read' } });
  expect(await forge.git('ls-remote', forge.as('secret'))).toMatchObject({ code: 128 });
  expect(await forge.git('ls-remote', forge.as('secret').replace('x-access-token', 'deploy'))).toMatchObject({ code: 0 });
});

test('a public repository is read by everybody, and written with permission', async () => {
  forge.server.store.repository('octo/shop')!.private = false;
  expect(await forge.git('clone', '--quiet', forge.as(undefined), '../copy')).toMatchObject({ code: 0 });
  expect(await forge.push(undefined, 'HEAD:main')).toMatchObject({ code: 128 });
});

test.each([
  ['of a user', undefined, 'remote: Permission to octo/shop.git denied to octo-dev.'],
  ['of an installation', 7, 'remote: Write access to repository not granted.'],
])('a token %s that may only read does not push', async (_, installationId, said) => {
  forge.server.store.addToken({ ...forge.server.store.token('reader')!, value: 'weak', installationId });
  forge.change('value.txt', '1\n');
  const before = await forge.at('main');
  expect(await forge.push('weak', 'HEAD:main')).toMatchObject({ code: 128, said: expect.stringContaining(said) });
  expect(await forge.at('main')).toBe(before);
});

test('an archived repository is read-only', async () => {
  forge.server.store.repository('octo/shop')!.archived = true;
  forge.change('value.txt', '1\n');
  expect(await forge.push('writer', 'HEAD:main')).toMatchObject({ code: 128, said: expect.stringContaining('remote: This repository was archived so it is read-only.') });
  expect(await forge.git('ls-remote', forge.as('reader'))).toMatchObject({ code: 0 });
});

test('a renamed repository redirects, for clones and pushes', async () => {
  forge.server.store.redirect('octo/shop', 'octo/store');
  const { store } = forge.server;
  for (const value of ['reader', 'writer']) store.addToken({ ...store.token(value)!, repositories: ['octo/store'] });
  expect(await forge.git('clone', forge.as('reader'), '../copy')).toMatchObject({ code: 0, said: expect.stringContaining('redirecting to') });
  const commit = forge.change('value.txt', '1\n');
  expect(await forge.push('writer', 'HEAD:main')).toMatchObject({ code: 0 });
  expect(await forge.at('main', 'octo/store')).toBe(commit);
});

test('a repository that has moved redirects to another host', async () => {
  const other = await Forge.start();
  forge.server.store.redirect('octo/shop', other.server.url('octo/shop'));
  const reply = await fetch(`${forge.server.url('octo/shop')}/info/refs?service=git-receive-pack`, { redirect: 'manual' });
  expect([reply.status, reply.headers.get('location')]).toEqual([301, `${other.server.url('octo/shop')}/info/refs?service=git-receive-pack`]);
  await other.close();
});

test('a token that has used up its requests waits', async () => {
  let now = 0;
  forge.server.store.now = () => now;
  forge.server.store.rateLimit = { requests: 2, seconds: 60 };
  const ask = async (token: string) => fetch(`${forge.server.url('octo/shop')}/info/refs?service=git-upload-pack`, { headers: { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` } });
  expect([(await ask('reader')).status, (await ask('reader')).status]).toEqual([200, 200]);
  now = 20_000;
  const refused = await ask('reader');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
  expect((await ask('writer')).status).toBe(200);
  now = 60_000;
  expect((await ask('reader')).status).toBe(200);
});

test('requests are recorded, without credentials', async () => {
  await forge.git('ls-remote', forge.as('reader'));
  forge.change('value.txt', '1\n');
  await forge.push('writer', 'HEAD:main');
  expect(forge.server.requests.map(({ operation, login, status }) => [operation, login, status])).toEqual([
    ['list', undefined, 401], ['list', 'octo-dev', 200], ['fetch', 'octo-dev', 200], ['announce', undefined, 401], ['announce', 'octo-dev', 200], ['push', 'octo-dev', 200],
  ]);
  expect(forge.server.requests.at(-1)!.received).toBeGreaterThan(100);
  expect(JSON.stringify(forge.server.requests)).not.toMatch(/reader|writer/);
});

test('the forge fails for paths that are not its own, and for names that leave its directory', async () => {
  const status = async (path: string, method = 'GET') => (await fetch(`${forge.server.origin}${path}`, { method })).status;
  expect([await status('/'), await status('/octo/shop.git/HEAD'), await status('/octo/shop.git/info/refs'), await status('/octo/shop.git/git-upload-pack')]).toEqual([404, 404, 404, 404]);
  await expect(forge.server.store.createRepository('octo/..')).rejects.toThrow('not the name of a repository: octo/..');
  await expect(forge.server.store.createRepository('octo')).rejects.toThrow('not the name of a repository');
});

test('a repository is made from another one, with all its branches', async () => {
  forge.change('value.txt', '1\n');
  forge.must('branch', 'feature');
  await forge.server.store.createRepository('octo/copy', { from: forge.clone });
  expect(await forge.at('feature', 'octo/copy')).toBe(forge.must('rev-parse', 'HEAD'));
  rmSync(forge.clone, { recursive: true });
  expect(existsSync(join(forge.directory, 'forge/octo/copy.git/HEAD'))).toBe(true);
});
