import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useWorkspaces, Workspaces } from '../support/workspace-runs';

const start = useWorkspaces();

const COMMITTED = { outcome: 'COMMITTED', message: undefined };
const of = (remote: Workspaces, ref = 'main') => remote.git('rev-parse', ref).trim();
const inMain = (script: string, subject: string) => `${script}; git add --all; git commit -qm "${subject}"; git push -q origin HEAD:main`;
const files = (remote: Workspaces, ref: string) => remote.git('ls-tree', '-r', '--name-only', ref).split('\n').slice(0, -1);
const clone = (remote: Workspaces, path: string) => readFileSync(join(remote.mount(), 'repo', path), 'utf8');
const inClone = (remote: Workspaces, ...args: string[]) => execFileSync('git', args, { cwd: join(remote.mount(), 'repo'), encoding: 'utf8' });
const status = (remote: Workspaces) => inClone(remote, 'status', '--porcelain');

describe.each([
  ['with the complete history', { history: true }], ['of a shallow clone', { depth: 1 }], ['of a whole clone', { depth: 0 }],
])('a run that resumes a workspace %s', (_, props) => {
  const withRemote = () => {
    const remote = start(props);
    remote.git('config', 'uploadpack.allowFilter', 'true');
    return remote;
  };

  test('reports its base commit and the number of new commits at the remote', async () => {
    const remote = withRemote();
    const beginning = of(remote);
    expect((await remote.run()).loop.upstream).toEqual({ ref: 'main', base: beginning });
    remote.others(['one', 'two', 'three'].map((name) => inMain(`echo ${name} > ${name}.txt`, name)).join('\n'));
    const { loop } = await remote.run({ agent: 'echo two > two' });
    expect(loop.upstream).toEqual({ ref: 'main', base: beginning, tip: of(remote), behind: 3 });
    expect(remote.subjects()).toEqual(['Prompt 2', 'Prompt 1', 'the beginning']);
  });

  test('moves uncommitted work onto the newest commit', async () => {
    const remote = withRemote();
    const beginning = of(remote);
    expect((await remote.run({ agent: 'echo right > value.txt; echo new > new', gate: 'false' })).outcome).toBe('RED');
    remote.others(inMain('echo theirs > theirs.txt; echo more >> .gitignore', 'theirs'));
    const { outcome, message, loop, run } = await remote.run({ agent: 'git log -1 --format=%s > log; cat theirs.txt >> log', update: true });
    expect({ outcome, message }).toEqual(COMMITTED);
    expect(loop.upstream).toEqual({ ref: 'main', base: of(remote), updatedFrom: beginning });
    expect(loop.work).toEqual({ names: ['new', 'value.txt'], count: 2 });
    expect([loop.base, run.base]).toEqual([of(remote), of(remote)]);
    expect(remote.changed(loop.commit!)).toEqual(['log', 'new', 'value.txt']);
    expect(clone(remote, 'log')).toBe('theirs\ntheirs\n');
    expect(status(remote)).toBe('');
  });

  test('merges the newest commit into the branch', async () => {
    const remote = withRemote();
    expect((await remote.run({ agent: 'echo one > one' })).outcome).toBe('COMMITTED');
    await remote.run({ agent: 'echo kept > kept', gate: 'false' });
    remote.others(inMain('echo theirs > theirs.txt; echo theirs > value.txt', 'theirs'));
    const { outcome, message, loop } = await remote.run({ agent: 'echo two > two', update: true });
    expect({ outcome, message }).toEqual(COMMITTED);
    // The run's commit contains only the agent's change.
    expect(remote.changed(loop.commit!)).toEqual(['kept', 'two']);
    expect(remote.git('log', '--first-parent', '--format=%s', 'workbench/task-1').trim().split('\n')).toEqual(['Prompt 3', 'Merge the default branch into workbench/task-1', 'Prompt 1', 'the beginning']);
    expect(remote.git('log', '--format=%s', 'main..workbench/task-1').trim().split('\n')).toEqual(['Prompt 3', 'Merge the default branch into workbench/task-1', 'Prompt 1']);
    expect(files(remote, 'workbench/task-1')).toEqual(['.gitignore', 'kept', 'one', 'theirs.txt', 'two', 'value.txt']);
    expect(remote.git('show', 'workbench/task-1:value.txt')).toBe('theirs\n');
    const again = await remote.run({ agent: 'echo three > three', update: true });
    expect(again.loop.upstream).toEqual({ ref: 'main', base: of(remote) });
  });

  test.each([['committed', 'true'], ['not committed', 'false']])('changes nothing if that conflicts with work that is %s, and names the files', async (__, gate) => {
    const remote = withRemote();
    await remote.run({ agent: 'echo right > value.txt; echo new > new', gate });
    const before = { status: status(remote), head: inClone(remote, 'rev-parse', 'HEAD') };
    remote.others(inMain('echo theirs > value.txt', 'theirs'));
    const { outcome, message } = await remote.run({ update: true });
    expect(outcome).toBe('CodingLoop.CheckoutFailed');
    expect(message).toContain('"session.update": new commits of the default branch conflict with the work in the workspace, and nothing was changed: CONFLICT (content): Merge conflict in value.txt: omit "session.update"');
    expect({ status: status(remote), head: inClone(remote, 'rev-parse', 'HEAD') }).toEqual(before);
    expect(clone(remote, 'value.txt')).toBe('right\n');
    const next = await remote.run({ agent: 'echo more > more' });
    expect({ outcome: next.outcome, message: next.message }).toEqual(COMMITTED);
    expect(files(remote, 'workbench/task-1')).toEqual(['.gitignore', 'more', 'new', 'value.txt']);
  });

  test('is based on what the agent itself has merged', async () => {
    const remote = withRemote();
    await remote.run({ agent: 'echo one > one' });
    remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
    expect((await remote.run({ agent: 'git -c user.name=a -c user.email=a merge -q --no-edit origin/main; echo changed > theirs.txt' })).outcome).toBe('COMMITTED');
    const merged = of(remote);
    remote.others(inMain('echo newer > newer.txt', 'newer'));
    const { loop } = await remote.run({ agent: 'echo two > two' });
    expect(loop.upstream).toEqual({ ref: 'main', base: merged, tip: of(remote), behind: 1 });
    const { outcome, message } = await remote.run({ agent: 'echo three > three', update: true });
    expect({ outcome, message }).toEqual(COMMITTED);
    expect(remote.git('show', 'workbench/task-1:theirs.txt')).toBe('changed\n');
  });

  test('is based on what the agent merged before the branch had a commit, even if the files were recorded twice', async () => {
    const remote = withRemote();
    await remote.run({ gate: 'false' });
    remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
    const { outcome, message } = await remote.run({
      agent: 'git -c user.name=a -c user.email=a merge -q --no-edit origin/main',
      meanwhile: (time) => time === 0 && writeFileSync(join(remote.mount(), 'repo/late'), 'late'),
    });
    expect({ outcome, message, recorded: remote.sent.filter((name) => name.startsWith('adopt')).length }).toEqual({ ...COMMITTED, recorded: 3 });
    expect((await remote.run({ agent: 'echo two > two' })).loop.upstream).toEqual({ ref: 'main', base: of(remote) });
  });

  test('starts another task from the newest commit, and keeps the first task\'s uncommitted work for that task', async () => {
    const remote = withRemote();
    await remote.run({ agent: 'echo one > one' });
    await remote.run({ agent: 'echo right > value.txt; echo open > open; git add open; git -c user.name=a -c user.email=a commit -qm "of the agent"', gate: 'false' });
    remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
    const second = await remote.run({ agent: 'echo second > second', task: 'task-2' });
    expect({ outcome: second.outcome, message: second.message }).toEqual(COMMITTED);
    expect(second.loop.upstream).toEqual({ ref: 'main', base: of(remote) });
    expect(second.loop.setAside).toEqual({ branch: 'workbench/task-1', files: { names: ['open', 'value.txt'], count: 2 } });
    expect(remote.subjects('workbench/task-2')).toEqual(['Prompt 3', 'theirs', 'the beginning']);
    expect(files(remote, 'workbench/task-2')).toEqual(['.gitignore', 'second', 'theirs.txt', 'value.txt']);
    expect(remote.git('show', 'workbench/task-2:value.txt')).toBe('wrong\n');
    expect(execFileSync('git', ['--git-dir', join(remote.mount(), '.workbench/git'), 'show', 'refs/workbench/works/workbench/task-1:open'], { encoding: 'utf8' })).toBe('open\n');

    const first = await remote.run({ agent: 'git log -1 --format=%s > log' });
    expect({ outcome: first.outcome, message: first.message }).toEqual(COMMITTED);
    expect(first.loop.setAside).toBeUndefined();
    expect(first.loop.work).toEqual({ names: ['open', 'value.txt'], count: 2 });
    expect(first.loop.upstream).toMatchObject({ tip: of(remote), behind: 1 });
    expect(remote.subjects()).toEqual(['Prompt 4', 'Prompt 1', 'the beginning']);
    expect(remote.changed(first.loop.commit!)).toEqual(['log', 'open', 'value.txt']);
    expect(clone(remote, 'log')).toBe('of the agent\n');
    expect(files(remote, 'workbench/task-2')).not.toContain('one');
  });

  test('starts another task from the last task\'s branch if asked to, without uncommitted work', async () => {
    const remote = withRemote();
    await remote.run({ agent: 'echo one > one' });
    await remote.run({ agent: 'echo open > open', gate: 'false' });
    remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
    const { outcome, message, loop } = await remote.run({ agent: 'echo second > second', task: 'task-2', onTop: true });
    expect({ outcome, message }).toEqual(COMMITTED);
    expect(loop.upstream).toMatchObject({ behind: 1 });
    expect(remote.subjects('workbench/task-2')).toEqual(['Prompt 3', 'Prompt 1', 'the beginning']);
    expect(files(remote, 'workbench/task-2')).toEqual(['.gitignore', 'one', 'second', 'value.txt']);
    const updated = await remote.run({ agent: 'echo third > third', task: 'task-3', onTop: true, update: true });
    expect({ outcome: updated.outcome, message: updated.message }).toEqual(COMMITTED);
    expect(files(remote, 'workbench/task-3')).toEqual(['.gitignore', 'one', 'second', 'theirs.txt', 'third', 'value.txt']);
  });
});

test.each(['prepare', 'move', 'surroundings'])('a microVM that is lost after "%s" does not change where a run continues', async (step) => {
  const remote = start();
  await remote.run({ agent: 'echo one > one' });
  await remote.run({ agent: 'echo open > open', gate: 'false' });
  remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
  remote.lose.push(step);
  const { outcome, message, loop } = await remote.run({ agent: 'echo second > second', task: 'task-2', update: true });
  expect({ outcome, message, lost: remote.lose }).toEqual({ ...COMMITTED, lost: [] });
  expect(loop.setAside).toEqual({ branch: 'workbench/task-1', files: { names: ['open'], count: 1 } });
  expect(files(remote, 'workbench/task-2')).toEqual(['.gitignore', 'second', 'theirs.txt', 'value.txt']);
});

test('the next run completes a checkout that the loss of the microVM interrupted', async () => {
  const remote = start();
  await remote.run({ agent: 'echo one > one' });
  await remote.run({ agent: 'echo open > open; echo right > value.txt', gate: 'false' });
  remote.others(inMain('echo theirs > theirs.txt', 'theirs'));
  // Interrupted in the middle: some files are there, some are half written, and the index is unchanged.
  const bin = join(remote.directory, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), `#!/bin/bash
if [[ " $* " == *" read-tree -m "* ]]; then
  echo theirs > ${remote.mount()}/repo/theirs.txt; echo half > ${remote.mount()}/repo/value.txt; rm ${remote.mount()}/repo/open
  kill -KILL $PPID
fi
exec ${execFileSync('bash', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()} "$@"\n`);
  chmodSync(join(bin, 'git'), 0o755);
  const { path } = remote;
  remote.path = `${bin}:${path}`;
  expect((await remote.run({ task: 'task-2' })).outcome).toBe('CodingLoop.CheckoutFailed');
  remote.path = path;
  const second = await remote.run({ agent: 'cat value.txt > seen', task: 'task-2' });
  expect({ outcome: second.outcome, message: second.message, work: second.loop.work }).toEqual({ ...COMMITTED, work: undefined });
  expect(files(remote, 'workbench/task-2')).toEqual(['.gitignore', 'seen', 'theirs.txt', 'value.txt']);
  expect(remote.git('show', 'workbench/task-2:seen')).toBe('wrong\n');
  const { outcome, message, loop } = await remote.run({ agent: 'cat value.txt > seen' });
  expect({ outcome, message }).toEqual(COMMITTED);
  expect(loop.work).toEqual({ names: ['open', 'value.txt'], count: 2 });
  expect(files(remote, 'workbench/task-1')).toEqual(['.gitignore', 'one', 'open', 'seen', 'value.txt']);
  expect(remote.git('show', 'workbench/task-1:seen')).toBe('right\n');
});

test('an ignored file that now exists at the remote is moved away and named', async () => {
  const remote = start();
  await remote.run({ agent: 'mkdir -p ignored; echo mine > ignored/settings; echo right > value.txt', gate: 'false' });
  remote.inClone('mkdir -p ignored; echo mine > ignored/settings');
  remote.others(inMain('mkdir ignored; echo theirs > ignored/settings; git add -f ignored', 'theirs'));
  const { outcome, message, loop } = await remote.run({ agent: 'cat ignored/settings > seen', update: true });
  expect({ outcome, message }).toEqual(COMMITTED);
  expect(loop.inTheWay).toEqual({ names: ['ignored/settings'], count: 1 });
  expect(clone(remote, 'seen')).toBe('theirs\n');
  expect(readFileSync(join(remote.mount(), '.workbench/left/in-the-way/ignored/settings'), 'utf8')).toBe('mine\n');
});

test('fails to update a workspace without the remote, and continues without it if no update is requested', async () => {
  const remote = start();
  await remote.run();
  const { remote: directory } = remote;
  execFileSync('mv', [directory, `${directory}.away`]);
  const { outcome, message } = await remote.run({ update: true });
  expect({ outcome, message }).toEqual({ outcome: 'CodingLoop.CheckoutFailed', message: expect.stringContaining('omit "session.update" to continue without the update') });
  expect((await remote.run({ agent: 'echo two > two', push: false })).outcome).toBe('COMMITTED');
  execFileSync('mv', [`${directory}.away`, directory]);
});

test('a new workspace is always at the newest commit', async () => {
  const remote = start();
  await remote.run({ session: 'other' });
  const { outcome, loop } = await remote.run({ update: true, onTop: true, task: 'task-2' });
  expect({ outcome, sent: remote.sent.includes('move'), upstream: loop.upstream }).toEqual({ outcome: 'COMMITTED', sent: false, upstream: { ref: 'main', base: of(remote) } });
});

test.each([[1], [3]])('a clone of %i commits finds a common ancestor with a main branch that has advanced far beyond it', async (depth) => {
  const remote = start({ depth });
  await remote.run({ agent: 'echo one > one' });
  remote.others('for i in {1..80}; do echo $i > theirs.txt; git add .; git commit -qm "number $i"; done; git push -q origin HEAD:main');
  const { outcome, message, loop } = await remote.run({ agent: 'git merge-base HEAD origin/main; git -c user.name=a -c user.email=a merge -q --no-edit origin/main; echo two > two' });
  expect({ outcome, message, behind: loop.upstream?.behind }).toEqual({ ...COMMITTED, behind: 80 });
  expect(files(remote, 'workbench/task-1')).toEqual(['.gitignore', 'one', 'theirs.txt', 'two', 'value.txt']);
  expect(remote.git('log', '--format=%s', 'main..workbench/task-1').trim().split('\n')).toEqual(['Prompt 2', 'Prompt 1']);
});

test('fetches the complete history if it is requested later', async () => {
  const remote = start({ depth: 1 });
  remote.others('for i in {1..60}; do git commit -q --allow-empty -m "number $i"; done; git push -q origin HEAD:main');
  await remote.run({ agent: 'echo one > one' });
  Object.assign(remote, { props: { depth: 0 } });
  await remote.run({ agent: 'git rev-list --count HEAD > count' });
  expect(clone(remote, 'count')).toBe('62\n');
  expect(existsSync(join(remote.mount(), '.workbench/git/shallow'))).toBe(false);
});
