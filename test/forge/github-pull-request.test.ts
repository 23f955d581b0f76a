import { PullRequestContent } from '../../src/forge/publish/forge-client';
import { APP, GitHubForge } from '../support/github-forge';

let forge: GitHubForge;
beforeEach(async () => {
  forge = await GitHubForge.start();
});
afterEach(async () => {
  await forge.stop();
  // Each request and each answer is one of GitHub's description.
  expect(forge.openApi.violations).toEqual([]);
});

const CONTENT: PullRequestContent = {
  head: 'workbench/task', base: 'main', title: 'Mend the sum', body: 'It was wrong.', draft: false, labels: [], reviewers: [], teamReviewers: [],
};

test('a pull request is made once, found again, and updated', async () => {
  const made = await forge.client().pullRequest!(CONTENT);
  expect(made).toEqual({ number: 1, url: `${forge.server.origin}/octo/shop/pull/1` });
  expect(forge.shop.pulls).toMatchObject([{ title: 'Mend the sum', body: 'It was wrong.', head: 'workbench/task', base: 'main', login: 'workbench[bot]', draft: false }]);

  const again = await forge.client().pullRequest!({ ...CONTENT, title: 'Mend the sum, and the mean', body: 'Both were wrong. ☃ 🦄' });
  expect(again).toEqual({ number: 1, url: made.url, found: true });
  expect(forge.shop.pulls).toMatchObject([{ title: 'Mend the sum, and the mean', body: 'Both were wrong. ☃ 🦄' }]);
});

describe('what GitHub refuses beside the pull request becomes a warning', () => {
  test('labels, reviewers and teams are added, and none is removed', async () => {
    forge.shop.collaborators.add('alice').add('bob');
    forge.shop.teams.add('core');
    await forge.client().pullRequest!({ ...CONTENT, labels: ['bot'], reviewers: ['alice'], teamReviewers: ['core'] });
    forge.shop.pulls[0].labels.push('by hand');
    const again = await forge.client().pullRequest!({ ...CONTENT, labels: ['BOT', 'more ☃'], reviewers: ['Alice', 'bob'] });
    expect(again.warnings).toBeUndefined();
    expect(forge.shop.pulls).toMatchObject([{ labels: ['bot', 'by hand', 'more ☃'], reviewers: ['alice', 'bob'], teams: ['core'] }]);
  });

  test('one that GitHub does not know does not keep the others out', async () => {
    forge.shop.collaborators.add('alice');
    const { warnings } = await forge.client().pullRequest!({
      ...CONTENT, labels: ['good', 'x'.repeat(51)], reviewers: ['nobody', 'alice', 'workbench[bot]'], teamReviewers: ['none'],
    });
    expect(warnings).toEqual([
      `label ${'x'.repeat(51)}: Validation Failed; name is too long (maximum is 50 characters)`,
      'reviewer nobody: Reviews may only be requested from collaborators. One or more of the users you specified is not a collaborator of the octo/shop repository.',
      'reviewer workbench[bot]: Review cannot be requested from pull request author.',
      'team none: Reviews may only be requested from collaborators. One or more of the teams you specified is not a collaborator of the octo/shop repository.',
    ]);
    expect(forge.shop.pulls).toMatchObject([{ labels: ['good'], reviewers: ['alice'] }]);
  });

  test('auto-merge is enabled once, where the repository allows it and something is to wait for', async () => {
    expect((await forge.client().pullRequest!({ ...CONTENT, autoMerge: 'SQUASH' })).warnings).toEqual(['auto-merge: Pull request Pull request is in clean status']);
    forge.repository.rules = { ...forge.repository.rules, protectedBranches: [{ branch: 'main', says: ['Changes must be made through a pull request.'] }] };
    forge.shop.allowsAutoMerge = false;
    expect((await forge.client().pullRequest!({ ...CONTENT, autoMerge: 'SQUASH' })).warnings).toEqual(['auto-merge: Pull request Auto merge is not allowed for this repository']);
    forge.shop.allowsAutoMerge = true;
    expect((await forge.client().pullRequest!({ ...CONTENT, autoMerge: 'SQUASH' })).warnings).toBeUndefined();
    await forge.client().pullRequest!({ ...CONTENT, autoMerge: 'MERGE' });
    expect(forge.shop.pulls).toMatchObject([{ autoMerge: { method: 'squash' } }]);
    expect(forge.requests.filter((name) => name.includes('graphql'))).toHaveLength(3);
  });

  test('a draft, where the plan has none', async () => {
    expect((await forge.client().pullRequest!({ ...CONTENT, draft: true }))).not.toHaveProperty('warnings');
    expect(forge.shop.pulls).toMatchObject([{ draft: true }]);
    forge.shop.pulls[0].state = 'closed';
    forge.shop.hasDrafts = false;
    expect(await forge.client().pullRequest!({ ...CONTENT, draft: true })).toMatchObject({ number: 2, warnings: ['draft: Draft pull requests are not supported in this repository.'] });
    expect(forge.shop.pulls[1]).toMatchObject({ draft: false });
  });

  test('faults of all of it', async () => {
    forge.server.faults.add({ operation: 'api', at: 'beforeStart', kind: 500, times: 100, match: (name) => /labels|reviewers|graphql/.test(name) });
    const { number, warnings } = await forge.client().pullRequest!({ ...CONTENT, labels: ['a', 'b'], reviewers: ['c'], autoMerge: 'MERGE' });
    expect(number).toBe(1);
    expect(warnings).toHaveLength(4);
  });
});

test('pauses of all requests together have an end', async () => {
  forge.server.faults.add({ operation: 'api', at: 'beforeStart', kind: 429, retryAfter: 50, times: 1_000, match: (name) => /labels|reviewers|graphql/.test(name) });
  const { warnings } = await forge.client().pullRequest!({ ...CONTENT, labels: ['a', 'b', 'c'], reviewers: ['d', 'e'], autoMerge: 'MERGE' });
  expect(warnings).toHaveLength(6);
  expect(forge.sleptMilliseconds).toBeLessThanOrEqual(240_000);
});

test.each([
  [{ base: 'gone' }, 'Validation Failed; PullRequest.base is invalid'],
  [{ head: 'gone' }, 'Validation Failed; PullRequest.head is invalid'],
  [{ head: 'main' }, 'Validation Failed; No commits between main and main'],
])('fails for %j, in the words of GitHub', async (content, quote) => {
  await expect(forge.client().pullRequest!({ ...CONTENT, ...content })).rejects.toMatchObject({ name: 'Forge.Refused', quote });
  expect(forge.shop.pulls).toEqual([]);
});

test.each([
  ['of another base', { base: 'next' }], ['of another branch', { head: 'workbench/other' }], ['that is closed', { state: 'closed' as const }],
])('a pull request %s is not taken for this one', async (_, other) => {
  for (const branch of ['next', 'workbench/other']) await forge.server.store.moveBranch(forge.repository, branch);
  await forge.client().pullRequest!({ ...CONTENT, ...other });
  if ('state' in other) forge.shop.pulls[0].state = 'closed';
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 2 });
});

test('the first of a list that GitHub did not filter is not taken for this one', async () => {
  for (const branch of ['next', 'workbench/other']) await forge.server.store.moveBranch(forge.repository, branch);
  for (const other of [{ base: 'next' }, { head: 'workbench/other' }]) await forge.client().pullRequest!({ ...CONTENT, ...other });
  const { api } = forge.server;
  forge.server.api = async (request) => api!({ ...request, path: request.path.replace(/\/pulls\?.*/, '/pulls') });
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 3 });
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 3, found: true });
});

test('a title and a body that GitHub would refuse are cut', async () => {
  await forge.client().pullRequest!({ ...CONTENT, title: '🦄'.repeat(1_000), body: '🦄'.repeat(100_000) });
  const [{ title, body }] = forge.shop.pulls;
  expect(title).toMatch(/^(?:🦄){127}…$/u);
  expect(body).toMatch(/^(?:🦄)+\n\n… \(cut, because the forge takes no more\)$/u);
  expect(body!.length).toBeLessThanOrEqual(65_536);
  expect(await forge.client().pullRequest!({ ...CONTENT, body: 'x'.repeat(65_536) })).toMatchObject({ found: true });
  expect(forge.shop.pulls[0].body).toBe('x'.repeat(65_536));
});

test('names of branches with every odd character that git allows', async () => {
  for (const head of ['workbench/a&b=c', 'workbench/☃', 'workbench/%2F+#']) {
    await forge.server.store.moveBranch(forge.repository, head);
    const { number } = await forge.client().pullRequest!({ ...CONTENT, head });
    expect(await forge.client().pullRequest!({ ...CONTENT, head })).toMatchObject({ number, found: true });
  }
  expect(forge.shop.pulls).toHaveLength(3);
});

describe('races and faults: never two', () => {
  test('two at once', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, async () => forge.client().pullRequest!(CONTENT)));
    expect(new Set(made.map(({ number }) => number))).toEqual(new Set([1]));
    expect(forge.shop.pulls).toHaveLength(1);
  });

  test('somebody makes it between the search and the making', async () => {
    const { api } = forge.server;
    forge.server.api = async (request) => {
      const reply = await api!(request);
      if (request.method === 'GET' && request.path.includes('/pulls?') && forge.shop.pulls.length === 0) {
        forge.server.api = api;
        await forge.client().pullRequest!({ ...CONTENT, title: 'theirs' });
      }
      return reply;
    };
    expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
    expect(forge.shop.pulls).toMatchObject([{ title: 'Mend the sum' }]);
  });

  test('a list that lags behind', async () => {
    await forge.client().pullRequest!(CONTENT);
    const { api } = forge.server;
    let empty = 2;
    forge.server.api = async (request) => {
      const reply = await api!(request);
      return request.path.includes('/pulls?') && empty-- > 0 ? { ...reply, body: '[]' } : reply;
    };
    expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
    empty = 100;
    await expect(forge.client().pullRequest!(CONTENT)).rejects.toMatchObject({ name: 'Forge.Refused', quote: expect.stringContaining('A pull request already exists for octo:workbench/task.') });
  });

  // Every request of the way, at each point, by each kind of fault.
  const KINDS = [['beforeStart', 'reset'], ['beforeStart', 502], ['midRequest', 'reset'], ['beforeReply', 'reset'], ['beforeReply', 503], ['midReply', 'reset'], ['midReply', 'end']] as const;
  test.each(KINDS)('%s: %s', async (at, kind) => {
    const plain = (name: string) => name.replace(/\/\d+/g, '/N');
    const isPost = (name: string) => name.startsWith('POST') || name.startsWith('PATCH');
    await forge.client().pullRequest!({ ...CONTENT, labels: ['a'] });
    const names = [...new Set(forge.server.requests.map(({ name }) => name))];
    for (const name of names.filter((one) => at !== 'midRequest' || isPost(one))) {
      forge.shop.pulls.length = 0;
      const fault = forge.server.faults.add({ operation: 'api', at, kind, match: (one) => plain(one) === plain(name) });
      expect(await forge.client(name.includes('access_tokens') || name.includes('/installation') ? fresh() : undefined).pullRequest!({ ...CONTENT, labels: ['a'] })).toMatchObject({ number: expect.any(Number) });
      expect([name, fault.fired, forge.shop.pulls.length, forge.shop.pulls[0].labels]).toEqual([name, 1, 1, ['a']]);
    }
  });

  test('fails if GitHub stays away, with one or none', async () => {
    forge.server.faults.add({ operation: 'api', at: 'beforeReply', kind: 502, times: 100, match: (name) => name.startsWith('POST /api/v3/repos/octo/shop/pulls') });
    // It had arrived, so that it is found.
    expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
    forge.shop.pulls.length = 0;
    forge.server.faults.clear();
    forge.server.faults.add({ operation: 'api', at: 'beforeStart', kind: 502, times: 100, match: (name) => name.startsWith('POST /api/v3/repos/octo/shop/pulls') });
    await expect(forge.client().pullRequest!(CONTENT)).rejects.toMatchObject({ name: 'Forge.Unavailable' });
    expect(forge.shop.pulls).toEqual([]);
  });
});

/** A configuration for which there is no token yet. */
let secrets = 0;
function fresh() {
  const secretArn = `arn:key${secrets++}`;
  forge.secrets[secretArn] = forge.secrets['arn:key'];
  return { ...APP, secretArn };
}
