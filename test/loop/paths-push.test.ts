import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate, GitRepository } from '../../src';
import { LoopFixture, useLoops } from '../support/loop-fixture';

const start = useLoops();

/** Returns a function that pushes someone else's commit to a branch, based on a given commit. */
function push(loop: LoopFixture, files: { readonly [path: string]: string }, branch = 'workbench/task-1', from = 'main'): void {
  const directory = mkdtempSync(join(tmpdir(), 'other-'));
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=other', '-c', 'user.email=other@localhost', ...args], { cwd: directory, stdio: 'pipe' });
  git('clone', '--quiet', '--branch', from, loop.remote, '.');
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'of somebody else');
  git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
}

test('when somebody else pushed first, the change is rebased once the gates have passed on both together', async () => {
  let loop: LoopFixture;
  const pushing = (turn: number) => {
    if (turn === 0) push(loop, { 'theirs.txt': 'theirs\n' });
    return 'echo right > value.txt';
  };
  loop = await start({ agent: pushing });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.jobs('gate-test')).toHaveLength(2);
  expect(loop.git('log', '--format=%s', 'workbench/task-1')).toBe('Make it right\nof somebody else\nthe beginning\n');
  expect(loop.show(undefined, 'theirs.txt')).toBe('theirs\n');
});

test('when both together are red, the agent is asked again, and nothing red is pushed', async () => {
  let loop: LoopFixture;
  const agent = (turn: number) => {
    if (turn === 0) push(loop, { forbidden: '' });
    return turn === 0 ? 'echo right > value.txt' : 'rm forbidden';
  };
  loop = await start({ agent, loop: { gates: [Gate.command('test', './test.sh && test ! -e forbidden')] } });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(loop.git('ls-tree', '--name-only', 'workbench/task-1')).toBe('.gitignore\ntest.sh\nvalue.txt\n');
});

test('fails when what somebody else pushed conflicts with the change', async () => {
  let loop: LoopFixture;
  const agent = () => {
    push(loop, { 'value.txt': 'theirs\n' });
    return 'echo right > value.txt';
  };
  loop = await start({ agent });
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.PushRejected');
  expect(record.session.stopped).toBe(true);
  expect(loop.show()).toBe('theirs\n');
});

test('fails when somebody else pushes first every time', async () => {
  let loop: LoopFixture;
  let pushes = 0;
  loop = await start({ loop: { gates: [Gate.command('test', './test.sh')] } });
  const onEvent = (event: { readonly type: string; readonly state?: { readonly name: string } }) => {
    if (event.type === 'StateEntered' && event.state?.name === 'Run gate: test') {
      push(loop, { [`theirs-${pushes}`]: '' }, 'workbench/task-1', pushes++ === 0 ? 'main' : 'workbench/task-1');
    }
  };
  const { error, record } = await loop.run({}, { onEvent: onEvent as never });
  expect(error).toBe('CodingLoop.PushRejected');
  expect(record.error!.message).toContain('3 times');
  expect(pushes).toBe(3);
  expect(loop.git('log', '-1', '--format=%s', 'workbench/task-1')).toBe('of somebody else\n');
});

test('a task with an existing branch continues on that branch, whatever happened to the main branch', async () => {
  const loop = await start();
  expect((await loop.run()).record.outcome).toBe('COMMITTED');
  push(loop, { 'main.txt': 'newer\n' }, 'main');
  push(loop, { 'main2.txt': 'newer\n' }, 'main');
  const { record, cause } = await loop.run({ prompt: 'Once more' });
  expect({ outcome: record?.outcome, cause }).toMatchObject({ cause: undefined });
});

test('a task with an existing branch gets another change, based on a newer main branch', async () => {
  const loop = await start({ agent: (turn) => `echo right > value.txt; echo ${turn} > turn-${turn}` });
  expect((await loop.run()).record.outcome).toBe('COMMITTED');
  push(loop, { 'main.txt': 'newer\n' }, 'main');
  const { record, cause } = await loop.run({ prompt: 'Once more' });
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.git('log', '-1', '--format=%s', 'workbench/task-1')).toBe('Once more\n');
  expect(loop.show(undefined, 'turn-0')).toBe('0\n');
  expect(loop.show(undefined, 'turn-1')).toBe('1\n');
});

test('fails without blaming somebody else\'s push when the remote refuses the branch', async () => {
  const loop = await start({ agent: (turn) => `echo right > value.txt; echo ${turn} > turn` });
  const first = (await loop.run()).record;
  const hook = join(loop.remote, 'hooks/pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho "not today" >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  for (const input of [{ taskId: 'task-2' }, { session: first.session }]) {
    const { error, record } = await loop.run(input);
    expect(error).toBe('CodingLoop.CommitFailed');
    expect(record.error!.message).toContain('not today');
    expect(record.session.stopped).toBe(true);
    expect(loop.jobs('rebase')).toEqual([]);
  }
});

test('a push that arrived is a success even if its response is lost', async () => {
  const loop = await start();
  const hook = join(loop.remote, 'hooks/post-receive');
  writeFileSync(hook, `#!/bin/sh\n[ -e ${loop.remote}/struck ] && exit 0\ntouch ${loop.remote}/struck\nkill -9 $(ps -o ppid= -p $PPID)\nkill -9 $PPID\n`);
  chmodSync(hook, 0o755);
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(loop.git('rev-parse', 'workbench/task-1').trim()).toBe(record.commit!.id);
});

test('fails when the repository or the ref does not exist', async () => {
  for (const repository of [GitRepository.fromUrl('file:///not/there'), undefined]) {
    const loop = await start({ loop: repository === undefined ? {} : { repository } });
    const { error, record } = await loop.run(repository === undefined ? { repository: { ref: 'not-there' } } : {});
    expect(error).toBe('CodingLoop.CheckoutFailed');
    expect(record.session.stopped).toBe(true);
    expect(loop.turns).toEqual([]);
  }
});
