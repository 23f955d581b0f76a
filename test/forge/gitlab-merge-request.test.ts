import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { CONTENT, GitLabForge } from '../support/gitlab-forge';

let forge: GitLabForge;
beforeEach(async () => {
  forge = await GitLabForge.start();
});
afterEach(async () => {
  await forge.stop();
});

const AUTO = { ...CONTENT, autoMerge: 'MERGE' as const };

test('auto-merge waits until GitLab has looked at the merge request, and is left to its pipeline', async () => {
  Object.assign(forge.project, { pipeline: 'running', unknownFor: 3 });
  expect(await forge.client().pullRequest!({ ...AUTO, autoMerge: 'SQUASH' })).toEqual({ number: 1, url: expect.any(String) });
  expect(forge.project.mergeRequests).toMatchObject([{ autoMerge: true, squash: true, state: 'opened' }]);
  expect(forge.slept).toEqual([1, 2, 4]);
  // It is on already.
  expect(await forge.client().pullRequest!(AUTO)).toEqual({ number: 1, url: expect.any(String), found: true });
  expect(forge.project.mergeRequests).toMatchObject([{ autoMerge: true, squash: true }]);
});

test('auto-merge that GitLab refuses is a warning: there is no pipeline to wait for, or GitLab does not come to an end', async () => {
  expect(await forge.client().pullRequest!(AUTO)).toMatchObject({ warnings: ['auto-merge: 405 Method Not Allowed'] });
  Object.assign(forge.project.mergeRequests[0], { unknownFor: 100 });
  expect(await forge.client().pullRequest!(AUTO)).toMatchObject({ found: true, warnings: ['auto-merge: 405 Method Not Allowed'] });
  expect(forge.slept.slice(-6)).toEqual([1, 2, 4, 8, 16, 32]);
});

test('warns that the method of a merge is a setting of the project', async () => {
  forge.project.pipeline = 'running';
  expect(await forge.client().pullRequest!({ ...AUTO, autoMerge: 'REBASE' })).toMatchObject({ warnings: [expect.stringContaining('merge commit')] });
  forge.project.mergeMethod = 'ff';
  await forge.server.store.moveBranch(forge.project.repository, 'workbench/other');
  const other = await forge.client().pullRequest!({ ...AUTO, head: 'workbench/other', autoMerge: 'REBASE' });
  expect(other.warnings).toBeUndefined();
});

test('what GitLab does not know or does not take is a warning, and the rest is done', async () => {
  for (const name of ['alice', 'bob']) forge.api.state.user(name);
  forge.api.state.user('stranger', false);
  forge.project.maxReviewers = 1;
  const made = await forge.client().pullRequest!({ ...CONTENT, labels: ['a,b', 'bot'], reviewers: ['Alice', 'bob', 'stranger', 'nobody'], teamReviewers: ['core'] });
  expect(made.warnings).toEqual([
    'label a,b: GitLab\'s labels have no commas',
    'reviewer nobody: GitLab has no user with this name',
    expect.stringMatching(/^reviewer bob: GitLab left the user out/),
    expect.stringMatching(/^reviewer stranger: GitLab left the user out/),
    expect.stringMatching(/^team core: /),
  ]);
  expect(forge.project.mergeRequests).toMatchObject([{ labels: ['bot'], reviewers: ['alice'] }]);
});

test('labels and reviewers that people added stay', async () => {
  for (const name of ['alice', 'bob']) forge.api.state.user(name);
  await forge.client().pullRequest!({ ...CONTENT, labels: ['bot'], reviewers: ['alice'] });
  forge.project.mergeRequests[0].labels.push('theirs');
  await forge.client().pullRequest!({ ...CONTENT, labels: ['Bot', 'more'], reviewers: ['ALICE', 'bob'] });
  expect(forge.project.mergeRequests).toMatchObject([{ labels: ['bot', 'theirs', 'more'], reviewers: ['alice', 'bob'] }]);
});

test('fails for a branch that is not there, and says which option to set', async () => {
  await expect(forge.client().pullRequest!({ ...CONTENT, base: 'gone' })).rejects.toMatchObject({
    name: FORGE_ERRORS.REFUSED, summary: 'there is no branch gone for the merge request: set "base" of Commit.pullRequest',
  });
  forge.answerFirst(1, { status: 403, body: '{"message":"403 Forbidden"}' }, /branches/);
  await expect(forge.client().pullRequest!(CONTENT)).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN });
});

test('a merge request that somebody else makes in the meantime is found', async () => {
  const { api } = forge.server;
  let first = true;
  forge.server.api = async (request) => {
    const reply = await api!(request);
    if (!first || request.method !== 'POST') return reply;
    first = false;
    return api!(request); // it exists by now
  };
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
});

test('the merge request of a fork, with branches of the same names, is another one', async () => {
  await forge.client().pullRequest!(CONTENT);
  const { api } = forge.server;
  forge.server.api = async (request) => {
    const reply = await api!(request);
    if (request.method !== 'GET' || !request.path.includes('/merge_requests?')) return reply;
    const [own] = JSON.parse(String(reply.body)) as object[];
    return { ...reply, body: JSON.stringify([{ ...own, iid: 99, source_project_id: 12_345 }, own]) };
  };
  expect(await forge.client().pullRequest!(CONTENT)).toMatchObject({ number: 1, found: true });
});

test('a title becomes ready when somebody has marked the draft as ready, and is at most 255 characters long', async () => {
  await forge.client().pullRequest!({ ...CONTENT, draft: true, title: `draft: ${'x'.repeat(300)}` });
  expect(forge.project.mergeRequests[0].title).toMatch(/^Draft: x{247}…$/);
  forge.project.mergeRequests[0].title = 'Ready';
  await forge.client().pullRequest!({ ...CONTENT, draft: true, title: '[Draft]' });
  expect(forge.project.mergeRequests[0].title).toBe('Change');
});

test('the comment is found behind a hundred others, and one that somebody else wrote with its marker is left alone', async () => {
  const issue = forge.api.state.openIssue(forge.project, 'i').iid;
  await forge.client().comment!(issue, 'run', 'first');
  const { body } = forge.project.notes[0];
  forge.project.notes.unshift(...Array.from({ length: 120 }, (_, index) => ({
    id: 10_000 + index, of: 'issues' as const, iid: issue, author: 'mallory', body, created: '', updated: '',
  })));
  await forge.client().comment!(issue, 'run', 'second');
  expect(forge.project.notes.filter((note) => note.author === 'bot').map((note) => note.body)).toEqual([body.replace('first', 'second')]);
  expect(forge.project.notes).toHaveLength(121);
});

test('a number that no issue has is that of a merge request', async () => {
  await forge.client().pullRequest!(CONTENT);
  await forge.client().comment!(1, 'run', 'done');
  expect(forge.project.notes).toMatchObject([{ of: 'merge_requests', iid: 1 }]);
  await expect(forge.client().comment!(7, 'run', 'done')).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND });
  forge.answerFirst(1, { status: 403, body: '{}' }, /issues/);
  await expect(forge.client().comment!(1, 'run', 'done')).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN });
});
