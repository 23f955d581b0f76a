import { PullRequestContent } from '../../src/forge/publish/forge-client';
import { GitHubForge } from '../support/github-forge';

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
