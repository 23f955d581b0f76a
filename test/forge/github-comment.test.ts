import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, TOKEN } from '../support/github-forge';

let forge: GitHubForge;
let issue: number;
beforeEach(async () => {
  forge = await GitHubForge.start();
  issue = forge.shop.openIssue('The sum is wrong');
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

const say = (login: string, body: string, byApp = false) => forge.shop.comments.push({
  id: forge.api.state.nextId(), issue, login, byApp, body, created: '2026-01-01T00:00:00Z', updated: '2026-01-01T00:00:00Z',
});

test.each([['an app', APP, 'workbench[bot]'], ['a token', TOKEN, 'octocat']])('%s writes one comment for a marker, and updates it', async (_, config, login) => {
  await forge.client(config).comment!(issue, 'run-1', 'begun');
  await forge.client(config).comment!(issue, 'run-2', 'another run');
  await forge.client(config).comment!(issue, 'run-1', 'turn 2 ☃');
  expect(forge.shop.comments).toMatchObject([
    { issue, login, body: expect.stringMatching(/^<!-- workbench run%2D1 -->\nturn 2 ☃$/) }, { login, body: expect.stringMatching(/\nanother run$/) },
  ]);
});

test('it is found behind hundreds of others', async () => {
  for (let index = 0; index < 250; index++) say('somebody', `comment ${index}`);
  await forge.client().comment!(issue, 'run', 'begun');
  for (let index = 0; index < 250; index++) say('somebody', `comment ${index}`);
  await forge.client().comment!(issue, 'run', 'done');
  expect(forge.shop.comments.filter(({ login }) => login === 'workbench[bot]')).toMatchObject([{ body: expect.stringMatching(/done$/) }]);
});

test.each([['an app', APP], ['a token', TOKEN]])('a comment of somebody else with the marker of %s is left alone', async (_, config) => {
  await forge.client(config).comment!(issue, 'run', 'begun');
  const [ours] = forge.shop.comments.splice(0, 1);
  say('mallory', ours.body);
  await forge.client(config).comment!(issue, 'run', 'done');
  expect(forge.shop.comments).toMatchObject([{ login: 'mallory', body: ours.body }, { login: ours.login, body: expect.stringMatching(/done$/) }]);
});

test.each(['-->', '--!>', 'a--b', '<!-- -->', '☃ 🦄', 'a\nb', '*/ \'"`'])('nothing in the marker %j ends the hidden part', async (marker) => {
  await forge.client().comment!(issue, marker, 'body');
  await forge.client().comment!(issue, marker, 'body 2');
  expect(forge.shop.comments).toHaveLength(1);
  expect(forge.shop.comments[0].body).toMatch(/^<!-- workbench [\w%.]+ -->\nbody 2$/);
});

test('a large comment is cut, and keeps its marker', async () => {
  await forge.client().comment!(issue, 'run', '🦄'.repeat(100_000));
  await forge.client().comment!(issue, 'run', '☃'.repeat(100_000));
  expect(forge.shop.comments).toHaveLength(1);
  expect(forge.shop.comments[0].body).toMatch(/^<!-- workbench run -->\n☃+\n\n… \(cut/);
  expect(forge.shop.comments[0].body.length).toBeLessThanOrEqual(65_536);
});

test.each(['beforeStart', 'beforeReply'] as const)('there is one comment if the connection breaks %s', async (at) => {
  for (const kind of ['reset', 503] as const) {
    forge.server.faults.add({ operation: 'api', at, kind, match: (name) => name.startsWith('POST') && name.endsWith('/comments') });
  }
  await forge.client().comment!(issue, 'run', 'begun');
  expect(forge.shop.comments).toHaveLength(1);
});

test('fails for an issue that is not there', async () => {
  await expect(forge.client().comment!(99, 'run', 'begun')).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, quote: 'Not Found' });
});
