import { execFileSync } from 'node:child_process';
import { Gate, Verification } from '../../src';
import { IN_PROCESS, LoopFixture, useLoops } from '../support/loop-fixture';

// A verification: the recorded tree again, in a new session, separate from the agent's.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const verification = Verification.inFreshSession();

test('a green change is verified in another session, committed there, and both sessions are stopped', async () => {
  const loop = await start({ loop: { verification, bootstrap: ['echo ready > ignored.ready'] }, files: { '.gitignore': 'ignored.ready\n' } });
  const { status, record, cause } = await loop.run();
  if (status !== 'SUCCEEDED') console.log(cause, loop.logs.slice(-12).join('\n'));
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, verification: { separateUser: true, stopped: true, gates: [{ name: 'test', verdict: 'PASSED' }] } });
  expect(record.verification!.sessions).toHaveLength(1);
  expect(record.verification!.sessions[0]).not.toBe(record.session.id);
  expect(loop.show()).toBe('right\n');
  const stopped = loop.server.calls.of('StopRuntimeSession').map(({ sessionId }) => sessionId);
  expect(new Set(stopped)).toEqual(new Set([record.session.id, ...record.verification!.sessions]));
});

test('a dependency that no manifest names passes in the workspace, fails in a clean checkout, and is repaired', async () => {
  const loop = await start({
    files: { '.gitignore': 'deps/\n', 'deps.txt': '', 'install.sh': '#!/bin/bash\nmkdir -p deps && while read -r name; do touch "deps/$name"; done <deps.txt\n' },
    // The program is on ephemeral disk, where the gates of the agent's session find it.
    agent: (turn) => turn === 0 ? 'echo right > value.txt; mkdir -p /tmp/deps && touch /tmp/deps/left-pad' : 'echo left-pad >> deps.txt',
    loop: { verification, bootstrap: ['./install.sh'], gates: [Gate.command('test', '(test -e deps/left-pad || test -e /tmp/deps/left-pad) && ./test.sh')] },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, verified: true });
  expect(record.verification!.sessions).toHaveLength(2);
  expect(loop.turns[1].prompt).toContain('not in a clean checkout');
  expect(loop.turns[1].feedback).toMatchObject({ gate: 'test', cleanCheckout: true });
  expect(loop.show(undefined, 'deps.txt')).toBe('left-pad\n');
});

describe('a bootstrap that does not pass in the verification', () => {
  const NEEDS_ROOT = '[[ $(id -u) == 0 ]]';

  test('is not held against the change if it needs more rights without it, too', async () => {
    const loop = await start({ loop: { verification, bootstrap: [NEEDS_ROOT] } });
    const { record } = await loop.run();
    // One session in which it failed, one that found out why, and one that verified.
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, verification: { separateUser: false, stopped: true } });
    expect(record.verification!.sessions).toHaveLength(3);
  });

  test('leads to a repair if it is the change that breaks it', async () => {
    const loop = await start({
      agent: (turn) => turn === 0 ? 'echo right > value.txt; echo x > broken' : 'rm broken',
      loop: { verification, bootstrap: ['test ! -e broken'] },
    });
    const { record } = await loop.run();
    expect(loop.turns[1].feedback).toMatchObject({ gate: 'bootstrap', cleanCheckout: true });
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, verified: true, verification: { separateUser: true } });
  });

  test('does not get more rights by failing without them', async () => {
    const loop = await start({
      files: { 'setup.sh': 'true\n' },
      agent: `echo right > value.txt; echo '${NEEDS_ROOT}' > setup.sh`,
      loop: { verification, bootstrap: ['. ./setup.sh'] },
    });
    const { error, record } = await loop.run();
    expect([error, record.verified]).toEqual(['CodingLoop.Stuck', false]);
    expect(loop.branches()).toEqual(['main']);
  });

  test('leads to a repair if commands must run as a user of their own', async () => {
    const loop = await start({ loop: { verification: Verification.inFreshSession({ separateUser: true }), bootstrap: [NEEDS_ROOT], maxRepairs: 0 } });
    const { error, record } = await loop.run();
    expect([error, record.feedback!.cleanCheckout]).toEqual(['CodingLoop.Red', true]);
  });
});

describe('a change that is based on a commit which is no longer at the remote', () => {
  test.each([
    ['is put on top of what runs start from, and verified there, if the branch was deleted', (git: Git) => git('update-ref', '-d', 'refs/heads/workbench/task-1')],
    ['is put on top of the branch, and verified there, if that was rewritten', (git: Git) => git('update-ref', 'refs/heads/workbench/task-1', git('commit-tree', '-m', 'rewritten', '-p', 'main', 'main^{tree}').trim())],
  ])('%s', async (_, change) => {
    const loop = await start({ agent: (turn) => `echo ${turn} > file-${turn}`, loop: { verification, gates: [Gate.command('test', 'true')] } });
    const first = await loop.run();
    const git = by(loop);
    change(git);
    git('gc', '--quiet', '--prune=now');
    const { record } = await loop.run({ session: { id: first.record.session.id } });
    expect(record).toMatchObject({ outcome: 'COMMITTED', verified: true, rounds: 1 });
    expect(loop.git('diff', '--name-only', 'main', 'workbench/task-1')).toBe('file-1\n');
    expect(loop.git('merge-base', 'main', 'workbench/task-1')).toBe(loop.git('rev-parse', 'main'));
  });
});

describe('a branch that the run updates from the base', () => {
  const gates = [Gate.command('test', 'test -e theirs || test ! -e file-1')];
  const prepared = async (loop: LoopFixture) => {
    const { record } = await loop.run();
    const tree = loop.git('rev-parse', 'main^{tree}').trim();
    const entry = `100644 blob ${loop.git('rev-parse', 'main:value.txt').trim()}\ttheirs\n`;
    const files = execFileSync('git', ['--git-dir', loop.remote, 'mktree'], { input: loop.git('ls-tree', tree) + entry, encoding: 'utf8' }).trim();
    loop.git('update-ref', 'refs/heads/main', by(loop)('commit-tree', '-m', 'theirs', '-p', 'main', files).trim());
    return record.session;
  };

  test('is verified and pushed with the merge of the base', async () => {
    const loop = await start({ agent: (turn) => `echo ${turn} > file-${turn}`, loop: { verification, gates } });
    const { id } = await prepared(loop);
    const { record, cause } = await loop.run({ session: { id, update: true }, prompt: 'Second' });
    expect({ outcome: record?.outcome, verified: record?.verified, cause }).toEqual({ outcome: 'COMMITTED', verified: true, cause: undefined });
    expect(loop.git('log', '--format=%s', 'main..workbench/task-1').trim().split('\n')).toEqual(['Second', 'Merge the default branch into workbench/task-1', 'Make it right']);
    expect(loop.git('diff', '--name-only', 'main', 'workbench/task-1')).toBe('file-0\nfile-1\n');
    expect(record.verification!.sessions).toHaveLength(1);
  });

  test('is not pushed with a merge that cannot be made again from what is at the remote', async () => {
    const forge = 'git --git-dir=../.workbench/git config --replace-all "workbench.$(git rev-parse HEAD).from" "$(git rev-parse HEAD^2)"';
    const loop = await start({ agent: (turn) => `echo ${turn} > file-${turn}; ${turn === 0 ? 'true' : forge}`, loop: { verification, gates, maxRepairs: 0 } });
    const { id } = await prepared(loop);
    const { error } = await loop.run({ session: { id, update: true }, prompt: 'Second' });
    // Without the merge, the gate misses a file.
    expect(error).toBe('CodingLoop.Red');
    expect(loop.git('log', '--format=%s', 'main..workbench/task-1')).toBe('Make it right\n');
  });
});

const by = (loop: LoopFixture): Git => (...args) => loop.git('-c', 'user.name=o', '-c', 'user.email=o@localhost', ...args);

type Git = (...args: string[]) => string;
