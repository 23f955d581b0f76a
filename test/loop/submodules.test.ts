import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useWorkspaces, Workspaces, WorkspacesProps } from '../support/workspace-runs';

const start = useWorkspaces();

/** Returns a remote with a submodule at `libs/sub`, which has its own submodule. Their URLs are relative. */
function withSubmodules(props: WorkspacesProps): Workspaces {
  const remote = start(props);
  execFileSync('bash', ['-euc', 'git init -q --bare --initial-branch main sub.git; git init -q --bare --initial-branch main inner.git'], { cwd: remote.directory });
  const sub = (path: string, url: string) => `git -c protocol.file.allow=always submodule --quiet add ${url} ${path}`;
  const push = (name: string) => `git push -q ${join(remote.directory, name)} HEAD:main`;
  remote.others([
    `git init -q inner; (cd inner; echo inner > inner.txt; git add .; git commit -qm inner; ${push('inner.git')}); rm -rf inner`,
    `git init -q sub; (cd sub; echo sub > sub.txt; git add .; git remote add origin ${join(remote.directory, 'sub.git')}; ${sub('inner', '../inner.git')}; git commit -qm sub; ${push('sub.git')}); rm -rf sub`,
    `${sub('libs/sub', '../sub.git')}; git commit -qm "with a submodule"; git push -q origin HEAD:main`,
  ].join('\n'));
  return remote;
}

test('submodules that are not requested are empty, and the run names them', async () => {
  const remote = withSubmodules({ history: true });
  const { outcome, loop } = await remote.run();
  expect({ outcome, submodules: loop.submodules }).toEqual({ outcome: 'COMMITTED', submodules: { names: ['libs/sub'], count: 1 } });
  expect(existsSync(join(remote.mount(), 'repo/libs/sub/sub.txt'))).toBe(false);
});

test.each([[{ history: true }], [{ depth: 1 }]])('requested submodules are checked out recursively, and do not count as a change, %j', async (props) => {
  const remote = withSubmodules({ ...props, submodules: true });
  const { outcome, message, loop } = await remote.run({ gate: 'cat libs/sub/sub.txt libs/sub/inner/inner.txt' });
  expect({ outcome, message, submodules: loop.submodules }).toEqual({ outcome: 'COMMITTED', message: undefined, submodules: undefined });
  expect(readFileSync(join(remote.mount(), 'repo/libs/sub/inner/inner.txt'), 'utf8')).toBe('inner\n');
  expect(remote.changed(loop.commit!)).toEqual(['value.txt']);
});

test('a submodule that an earlier run has moved stays where it is', async () => {
  const remote = withSubmodules({ submodules: true });
  const moved = 'cd libs/sub; git -c user.name=a -c user.email=a commit -q --allow-empty -m moved';
  await remote.run({ push: false, agent: moved });
  const { loop } = await remote.run({ push: false, gate: 'test "$(git -C libs/sub log -1 --format=%s)" = moved' });
  expect(loop.commit).toBeDefined();
});

test('fails the run before a turn when a submodule cannot be fetched, and says which', async () => {
  const remote = withSubmodules({ submodules: true });
  execFileSync('rm', ['-r', join(remote.directory, 'inner.git')]);
  const { outcome, message } = await remote.run();
  expect(outcome).toBe('CodingLoop.CheckoutFailed');
  expect(message).toContain('cannot fetch the submodules: libs/sub');
});

test('submodules are fetched again if the microVM is lost while they are fetched', async () => {
  const remote = withSubmodules({ submodules: true });
  remote.lose.push('surroundings');
  const { outcome, message } = await remote.run({ gate: 'cat libs/sub/inner/inner.txt' });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
});

describe('in a resumed session, a submodule', () => {
  const moved = 'cd libs/sub; git -c user.name=a -c user.email=a commit -q --allow-empty -m moved';
  const newer = (remote: Workspaces) => remote.others([
    'git -c protocol.file.allow=always submodule --quiet update --init libs/sub',
    `(cd libs/sub; git checkout -q --detach; echo newer > newer.txt; git add .; git commit -qm newer; git push -q ${join(remote.directory, 'sub.git')} HEAD:main)`,
    'git commit -qam "with a newer submodule"; git push -q origin HEAD:main',
  ].join('\n'));

  test('moves to the commit of the new base, and does not count as the run\'s change', async () => {
    const remote = withSubmodules({ submodules: true });
    await remote.run();
    newer(remote);
    const { outcome, message, loop } = await remote.run({ agent: 'echo two > two', update: true, gate: 'test -e libs/sub/newer.txt' });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.changed(loop.commit!)).toEqual(['two']);
  });

  test('that one task moved is at the base\'s commit for another task, and moves back afterwards', async () => {
    const remote = withSubmodules({ submodules: true });
    await remote.run({ push: false, gate: 'false', agent: moved });
    const second = await remote.run({ push: false, task: 'task-2', gate: 'test "$(git -C libs/sub log -1 --format=%s)" = sub' });
    expect({ outcome: second.outcome, message: second.message, aside: second.loop.setAside?.files.names }).toEqual({ outcome: 'COMMITTED', message: undefined, aside: ['libs/sub'] });
    const first = await remote.run({ push: false, agent: 'true', gate: 'test "$(git -C libs/sub log -1 --format=%s)" = moved' });
    expect({ outcome: first.outcome, message: first.message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  });

  test('is named and stays unchanged if somebody else initialized it and the loop does not', async () => {
    const remote = withSubmodules({ history: true });
    await remote.run({ agent: 'git -c protocol.file.allow=always submodule --quiet update --init libs/sub; echo right > value.txt' });
    newer(remote);
    const { outcome, message } = await remote.run({ update: true });
    expect({ outcome, message }).toEqual({ outcome: 'CodingLoop.CheckoutFailed', message: expect.stringContaining('the submodule libs/sub would have to move to another commit') });
    expect((await remote.run({ agent: 'echo two > two' })).outcome).toBe('COMMITTED');
  });
});
