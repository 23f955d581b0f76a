import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ForgeServer } from '../../rehearsal/forge';
import { GitLabApi, GitLabProject } from '../../rehearsal/forge/gitlab';
import { gitLabClient } from '../../src/forge/publish/gitlab/gitlab-client';

let root: string;
let server: ForgeServer;
let api: GitLabApi;
let project: GitLabProject;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gitlab-'));
  server = await ForgeServer.start({ root, api: (store, origin) => (api = new GitLabApi(store, origin)).answer });
  const repository = await server.store.createRepository('group/sub/app');
  await server.store.moveBranch(repository, 'main');
  await server.store.moveBranch(repository, 'workbench/task');
  server.store.addToken({ value: 'glpat-token', repositories: ['group/sub/app'], permissions: { contents: 'write', api: 'write' }, login: 'bot' });
  project = api.state.of(repository);
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const client = () => gitLabClient({ kind: 'gitlab', secretArn: 'arn:token' }, 'https://gitlab.com/group/sub/app.git', {
  readSecret: async () => 'glpat-token\n', localOrigin: server.origin, clock: { now: Date.now, sleep: async () => undefined },
});
const CONTENT = { head: 'workbench/task', base: 'main', title: 'Mend', body: 'It was wrong.', draft: false, labels: ['bot'], reviewers: ['alice', 'nobody'], teamReviewers: [] };

test('a merge request is made once, found again, and updated', async () => {
  api.state.user('alice');
  await client().check(['pullRequest']);
  const made = await client().pullRequest!({ ...CONTENT, draft: true });
  expect(made).toMatchObject({ number: 1, warnings: ['reviewer nobody: GitLab has no user with this name'] });
  expect(await client().pullRequest!({ ...CONTENT, title: 'Mend more' })).toMatchObject({ number: 1, found: true });
  expect(project.mergeRequests).toMatchObject([{ title: 'Draft: Mend more', labels: ['bot'], reviewers: ['alice'] }]);
});

test('text of others is no command, also behind the end of a block of code', async () => {
  await client().pullRequest!({ ...CONTENT, body: '/merge\n\n````text\n```\n/close\n  /approve\n````' });
  expect(project.quickActions).toEqual([]);
});

test('statuses and comments are not doubled', async () => {
  const commit = await server.store.git(project.repository, 'rev-parse', 'workbench/task');
  api.state.openIssue(project, 'i');
  for (const title of ['ok', 'ok']) {
    await client().report!(commit, [{ name: 'lint', conclusion: 'success', title, summary: '' }]);
    await client().comment!(1, 'run', title);
  }
  expect([project.statuses.length, project.notes.length]).toEqual([1, 1]);
});

test('fails for an archived project, and for a role below Developer', async () => {
  project.repository.archived = true;
  await expect(client().check()).rejects.toMatchObject({ name: 'Forge.Forbidden', message: expect.stringContaining('archived') });
  project.repository.archived = false;
  project.members.set('bot', 20);
  await expect(client().check()).rejects.toMatchObject({ name: 'Forge.Forbidden', message: expect.stringContaining('Developer') });
});
