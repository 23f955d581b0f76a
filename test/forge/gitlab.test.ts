import { CONTENT as PLAIN, GitLabForge } from '../support/gitlab-forge';

let forge: GitLabForge;
beforeEach(async () => {
  forge = await GitLabForge.start();
});
afterEach(async () => {
  await forge.stop();
});

const CONTENT = { ...PLAIN, labels: ['bot'], reviewers: ['alice', 'nobody'] };

test('a merge request is made once, found again, and updated', async () => {
  forge.api.state.user('alice');
  await forge.client().check(['pullRequest']);
  const made = await forge.client().pullRequest!({ ...CONTENT, draft: true });
  expect(made).toMatchObject({ number: 1, warnings: ['reviewer nobody: GitLab has no user with this name'] });
  expect(await forge.client().pullRequest!({ ...CONTENT, title: 'Mend more' })).toMatchObject({ number: 1, found: true });
  expect(forge.project.mergeRequests).toMatchObject([{ title: 'Draft: Mend more', labels: ['bot'], reviewers: ['alice'] }]);
});

test('text of others is no command, also behind the end of a block of code', async () => {
  await forge.client().pullRequest!({ ...CONTENT, body: '/merge\n\n````text\n```\n/close\n  /approve\n````' });
  expect(forge.project.quickActions).toEqual([]);
});

test('statuses and comments are not doubled', async () => {
  const commit = await forge.server.store.git(forge.project.repository, 'rev-parse', 'workbench/task');
  forge.api.state.openIssue(forge.project, 'i');
  for (const title of ['ok', 'ok']) {
    await forge.client().report!(commit, [{ name: 'lint', conclusion: 'success', title, summary: '' }]);
    await forge.client().comment!(1, 'run', title);
  }
  expect([forge.project.statuses.length, forge.project.notes.length]).toEqual([1, 1]);
});

test('fails for an archived project, and for a role below Developer', async () => {
  forge.project.repository.archived = true;
  await expect(forge.client().check()).rejects.toMatchObject({ name: 'Forge.Forbidden', message: expect.stringContaining('archived') });
  forge.project.repository.archived = false;
  forge.project.members.set('bot', 20);
  await expect(forge.client().check()).rejects.toMatchObject({ name: 'Forge.Forbidden', message: expect.stringContaining('Developer') });
});
