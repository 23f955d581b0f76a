import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GitRepository } from '../../src';
import { GitHttpServer } from '../support/git-http';
import { useWorkspaces, Workspaces, WorkspacesProps } from '../support/workspace-runs';

const start = useWorkspaces();
const servers: GitHttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Returns a remote with a tag three commits behind the newest, a file with an older version, and a branch next to the default branch. */
function withPast(props: WorkspacesProps, filters = true): Workspaces {
  const remote = start(props);
  remote.git('config', 'uploadpack.allowFilter', `${filters}`);
  remote.others([
    'echo old > old.txt; git add .; git commit -qm two; git tag -a -m release v1.0',
    'for i in 3 4 5; do echo $i > old.txt; git commit -qam $i; done; git push -q --tags origin HEAD:main',
    'git checkout -q -b next; git commit -qm next --allow-empty; git push -q origin next',
  ].join('\n'));
  return remote;
}

/** Returns the output of a script in the clone, as an agent or a gate would see it. */
function said(remote: Workspaces, script: string): string {
  return execFileSync('bash', ['-euc', script], { cwd: join(remote.mount(), 'repo'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

async function overHttp(props: WorkspacesProps): Promise<{ readonly remote: Workspaces; readonly server: GitHttpServer }> {
  let url = '';
  const remote = withPast({ ...props, url: () => url });
  const server = await GitHttpServer.start(remote.directory);
  servers.push(server);
  url = `${server.url}/remote.git`;
  remote.git('config', 'http.receivepack', 'true');
  return { remote, server };
}

test('tools find tags, origin/main and all commits, and ask the remote for the contents of earlier versions', async () => {
  const remote = withPast({ history: true });
  const { outcome, message, loop } = await remote.run({ agent: 'echo right > value.txt' });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(loop.shallow).toBeUndefined();
  expect(said(remote, 'git describe HEAD~1; git describe origin/main; git rev-parse --abbrev-ref origin/HEAD')).toMatch(/^v1\.0-3-g\w+\nv1\.0-3-g\w+\norigin\/main$/);
  expect(said(remote, 'git rev-list --count HEAD; git merge-base HEAD origin/main; git diff --name-only origin/main...HEAD')).toBe(`6\n${remote.git('rev-parse', 'main')}value.txt`);
  // Commits and trees were fetched at once, contents only of the newest commit.
  const missing = said(remote, 'git rev-list --objects --missing=print HEAD | grep -c "^?"');
  expect(Number(missing)).toBe(3);
  expect(said(remote, 'git show HEAD~3:old.txt')).toBe('3');
  expect(said(remote, 'git fsck --connectivity-only --no-dangling 2>&1')).not.toContain('error');
});

test('fetches the history over smart HTTP too, and keeps the run\'s own repository complete', async () => {
  const { remote } = await overHttp({ history: true });
  expect((await remote.run()).outcome).toBe('COMMITTED');
  expect(said(remote, 'git describe origin/main; git rev-list --count HEAD')).toMatch(/^v1\.0-3-g\w+\n6$/);
  const ours = join(remote.mount(), '.workbench/git');
  expect(execFileSync('git', ['--git-dir', ours, 'rev-list', '--objects', '--missing=print', 'refs/workbench/head'], { encoding: 'utf8' })).not.toMatch(/^\?/m);
});

test('an agent\'s commits do not make the run contact the remote more often', async () => {
  const requests = async (agent: string) => {
    const { remote, server } = await overHttp({ history: true });
    expect((await remote.run({ push: false, agent })).outcome).toBe('COMMITTED');
    return server.requests.length;
  };
  expect(await requests('echo right > value.txt; git -c user.name=a -c user.email=a commit -qam mine')).toBe(await requests('echo right > value.txt'));
});

test('the clone has no credential and no push URL, and fetches what others push', async () => {
  const remote = withPast({ history: true });
  await remote.run();
  expect(said(remote, 'git config --get remote.origin.pushurl')).toMatch(/^\/do not push/);
  expect(said(remote, 'git config --list --local')).not.toMatch(/credential|password|token|extraheader/i);
  remote.others('echo 6 > old.txt; git commit -qam six; git push -q origin HEAD:main');
  expect(said(remote, 'git fetch -q && git show origin/main:old.txt && git log -1 --format=%s origin/main')).toBe('6\nsix');
});

test.each([
  ['a depth', { depth: 2 }, true, undefined, '3'],
  ['a remote that cannot omit contents', { history: true }, false, true, '2'],
  ['the complete history, with its contents', { depth: 0 }, false, undefined, '6'],
])('with %s the clone has origin/main and the tags of its own commits', async (_, props, filters, shallow, commits) => {
  const remote = withPast(props, filters);
  remote.others('git tag -a -m newest v2.0; git push -q origin v2.0');
  const { outcome, loop } = await remote.run();
  expect({ outcome, shallow: loop.shallow }).toEqual({ outcome: 'COMMITTED', shallow });
  expect(said(remote, 'git describe HEAD~1; git rev-parse --abbrev-ref origin/HEAD; git rev-list --count HEAD; git rev-list HEAD..origin/main')).toBe(`v2.0\norigin/main\n${commits}`);
  expect(existsSync(join(remote.mount(), '.workbench/history'))).toBe(false);
});

test.each([[{ history: true }], [{ depth: 1 }]])('a run that starts from another branch has both that and the default branch, %j', async (props) => {
  const remote = withPast(props);
  expect((await remote.run({ ref: 'next' })).outcome).toBe('COMMITTED');
  expect(said(remote, 'git log -1 --format=%s origin/next; git log -1 --format=%s origin/main; git rev-parse --abbrev-ref origin/HEAD')).toBe('next\n5\norigin/main');
});

test('a run that starts from a tag has the default branch', async () => {
  const remote = withPast({ history: true });
  expect((await remote.run({ ref: 'v1.0' })).outcome).toBe('COMMITTED');
  expect(said(remote, 'git describe HEAD~1; git log -1 --format=%s origin/main; git merge-base HEAD origin/main')).toBe(`v1.0\n5\n${remote.git('rev-parse', 'v1.0^{commit}').trim()}`);
});

test.each([[{ history: true }], [{ depth: 1 }]])('what others pushed is at origin/main in a later run, and does not count as its change if the agent merges it, %j', async (props) => {
  const remote = withPast(props);
  await remote.run({ push: false });
  remote.others('echo new > new.txt; git add .; git commit -qm new; git tag v3.0; git push -q --tags origin HEAD:main');
  const { outcome, message, loop } = await remote.run({ agent: 'git -c user.name=a -c user.email=a merge -q --no-edit origin/main; git describe --tags origin/main; echo more > more.txt' });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(remote.subjects()).toContain('new');
  expect(said(remote, 'git describe --tags origin/main')).toBe('v3.0');
  expect(loop.merges ?? [loop.base]).toContain(remote.git('rev-parse', 'main').trim());
});

test('restores the history of a clone whose .git the agent deleted', async () => {
  const remote = withPast({ history: true });
  expect((await remote.run({ agent: 'rm -rf .git; echo right > value.txt' })).outcome).toBe('COMMITTED');
  expect(said(remote, 'git rev-list --count HEAD')).toBe('6');
  await remote.run({ agent: 'git describe > described' });
  expect(said(remote, 'cat described')).toMatch(/^v1\.0-4/);
});

test.each([
  ['all commits, and the contents of the newest, by default', {}, { depth: 1, history: true }],
  ['as many commits as its depth', { depth: 3 }, { depth: 3 }],
  ['submodules, if requested', { depth: 0, submodules: true }, { depth: 0, submodules: true }],
])('a clone has %s', (_, options, expected) => {
  expect(GitRepository.fromInput(options)._clone()).toEqual(expected);
});

test('neither the run nor the clone reads unchanged files again', async () => {
  const remote = start({ history: true });
  await remote.run();
  for (const index of ['.workbench/index', 'repo/.git/index']) {
    const debug = execFileSync('git', ['--git-dir', join(remote.mount(), '.workbench/git'), 'ls-files', '--debug', '.gitignore'], {
      cwd: join(remote.mount(), 'repo'), encoding: 'utf8', env: { ...process.env, GIT_INDEX_FILE: join(remote.mount(), index) },
    });
    expect({ index, debug }).toEqual({ index, debug: expect.stringMatching(/size: [1-9]/) });
  }
});
