import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import { gitHubClient } from '../../src/forge/publish/github/github-client';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, PRIVATE_KEY, TOKEN } from '../support/github-forge';

let forge: GitHubForge;
beforeEach(async () => {
  forge = await GitHubForge.start();
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

const git = async (...args: string[]) => forge.server.store.git(forge.repository, ...args);

test('GitHub makes and signs the commit of an app, which is on no branch', async () => {
  const [tree, parent] = [await git('rev-parse', 'workbench/task^{tree}'), await git('rev-parse', 'main')];
  const id = await forge.client().signedCommit!({ tree, parents: [parent], message: 'Mend the sum ☃\n\nRun: 1\n' });
  expect(await git('cat-file', 'commit', id)).toMatch(new RegExp(`^tree ${tree}\nparent ${parent}\nauthor workbench\\[bot\\] [^]*\ngpgsig [^]*\n\nMend the sum ☃\n\nRun: 1$`));
  expect(await git('branch', '--contains', id)).toBe('');
  await git('fsck', '--strict');
});

test('a lost answer is no second commit on any branch', async () => {
  forge.server.faults.add({ operation: 'api', at: 'beforeReply', kind: 'reset', match: (name) => name.endsWith('/git/commits') });
  const tree = await git('rev-parse', 'main^{tree}');
  const id = await forge.client().signedCommit!({ tree, parents: [], message: 'root' });
  expect(await git('cat-file', '-t', id)).toBe('commit');
});

test('fails for a tree or a parent that GitHub does not have', async () => {
  const [tree, none] = [await git('rev-parse', 'main^{tree}'), '1'.repeat(40)];
  await expect(forge.client().signedCommit!({ tree: none, parents: [], message: 'x' })).rejects.toMatchObject({ name: FORGE_ERRORS.REFUSED, quote: 'Tree SHA does not exist' });
  await expect(forge.client().signedCommit!({ tree, parents: [none], message: 'x' })).rejects.toMatchObject({
    name: FORGE_ERRORS.REFUSED, quote: 'Parent SHA does not exist or is not a commit object',
  });
});

test('a token has no signed commits, since GitHub does not sign them', () => {
  expect(forge.client(TOKEN).signedCommit).toBeUndefined();
});

// A forge that answers as no forge should.
const WANTED = { tree: 'a'.repeat(40), parents: ['b'.repeat(40)], message: 'Mend the sum' };
const ANSWER = { sha: 'c'.repeat(40), tree: { sha: WANTED.tree }, parents: [{ sha: 'b'.repeat(40) }], message: 'Mend the sum', verification: { verified: true, reason: 'valid' } };
test.each([
  ['another tree', { ...ANSWER, tree: { sha: 'd'.repeat(40) } }],
  ['another parent', { ...ANSWER, parents: [{ sha: 'd'.repeat(40) }] }],
  ['no parent', { ...ANSWER, parents: [] }],
  ['one parent more', { ...ANSWER, parents: [...ANSWER.parents, ...ANSWER.parents] }],
  ['another message', { ...ANSWER, message: 'Something else' }],
  ['no signature', { ...ANSWER, verification: { verified: false, reason: 'unsigned' } }],
])('fails for an answer with %s', async (_, answer) => {
  const server = createServer((request, response) => {
    request.resume();
    const body = request.url!.endsWith('/access_tokens') ? { token: 'ghs_x', expires_at: '2999-01-01T00:00:00Z' } : answer;
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const localOrigin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = gitHubClient({ ...APP, app: { appId: '4711', installationId: '1' } }, 'https://github.com/octo/shop', { readSecret: async () => PRIVATE_KEY, localOrigin, clock: SYSTEM_CLOCK });
  await expect(client.signedCommit!(WANTED)).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED });
  server.close();
});
