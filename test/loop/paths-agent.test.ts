import { Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

const start = useLoops();

describe('commits what the gates saw', () => {
  test('when a gate changes tracked files: it fails, and the feedback names them', async () => {
    const loop = await start({
      agent: (turn) => turn === 0 ? 'echo right > value.txt; printf "unformatted" > "a b.txt"' : 'echo right > value.txt; echo formatted > "a b.txt"',
      loop: { gates: [Gate.command('format', 'echo formatted > "a b.txt"'), Gate.command('test', './test.sh')] },
    });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(loop.turns[1].feedback).toMatchObject({ gate: 'format', verdict: 'FAILED', exitCode: 0, changedFiles: ['a b.txt'] });
    expect(loop.turns[1].prompt).toContain('  a b.txt\n');
    expect(loop.show(undefined, 'a b.txt')).toBe('formatted\n');
  });

  test('when a gate deletes files, or changes a mode', async () => {
    const loop = await start({ loop: { gates: [Gate.command('test', 'rm .gitignore; chmod a+x value.txt')], maxRepairs: 0 } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.Red');
    expect(record.feedback!.changedFiles).toEqual(['.gitignore', 'value.txt']);
  });

  test('when a gate leaves files: they are moved away, and neither committed nor visible to the next gate', async () => {
    const loop = await start({
      loop: { gates: [Gate.command('test', 'mkdir -p report/a && touch report/a/b "odd \n name"; ./test.sh'), Gate.command('clean', 'test ! -e report')] },
    });
    for (let run = 0; run < 3; run++) {
      const { record } = await loop.run({ taskId: `task-${run}` });
      expect(record.outcome).toBe('COMMITTED');
      expect(loop.git('ls-tree', '--name-only', `workbench/task-${run}`)).toBe('.gitignore\ntest.sh\nvalue.txt\n');
    }
  });

  test('when a gate leaves files in run after run of the same session', async () => {
    const loop = await start({
      agent: (turn) => `echo right > value.txt; echo ${turn} > turn`,
      loop: { gates: [Gate.command('test', 'mkdir -p report/a && touch report/a/b; ./test.sh')] },
    });
    let session = {};
    for (let run = 0; run < 4; run++) {
      const { record, cause } = await loop.run(session);
      expect({ outcome: record.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
      session = { session: record.session };
    }
  });

  test('when the agent keeps writing while the gates run: the gate fails', async () => {
    const loop = await start({
      agent: (turn) => turn === 0
        ? 'echo right > value.txt; (until [ -e /tmp/gate ]; do sleep 0.02; done; echo late > value.txt; touch /tmp/written) >/dev/null 2>&1 </dev/null &'
        : 'echo right > value.txt; touch new',
      loop: { gates: [Gate.command('test', 'code=0; ./test.sh || code=$?; touch /tmp/gate; until [ -e /tmp/written ]; do sleep 0.02; done; exit $code')] },
    });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(loop.turns[1].feedback).toMatchObject({ verdict: 'FAILED', exitCode: 0, changedFiles: ['value.txt'] });
    expect(loop.show()).toBe('right\n');
  });
});

describe('the agent may change its own repository in any way', () => {
  test.each([
    ['commits by itself', 'git commit -qam "my own" && git log -1 --format=%s | grep -q own'],
    ['commits on another branch', 'git checkout -qb other && git commit -qam "my own"'],
    ['moves HEAD', 'git commit -qam a && git checkout -q --detach HEAD~1 && echo right > value.txt'],
    ['deletes .git', 'rm -rf .git'],
    ['replaces .git', 'rm -rf .git && git init -q --separate-git-dir /tmp/elsewhere .'],
    ['replaces .git by a broken file', 'rm -rf .git && echo broken > .git'],
    ['breaks its index', 'echo broken > .git/index'],
    ['leaves locks', 'touch .git/index.lock .git/HEAD.lock'],
    ['configures filters and hooks', 'git config core.hooksPath /nowhere; git config filter.x.clean "tr a-z A-Z"; printf "* filter=x\\n" > .git/info/attributes'],
    ['excludes the files', 'printf "*\\n" > .git/info/exclude; git config --global core.excludesFile /tmp/all; printf "*\\n" > /tmp/all'],
    ['changes line ends', 'git config --global core.autocrlf true; git config core.autocrlf true'],
  ])('an agent that %s', async (_, mischief) => {
    const loop = await start({ agent: (turn) => `echo right > value.txt; echo ${turn} > turn.txt; ${turn === 0 ? mischief : 'git status && git log'}` });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(loop.show()).toBe('right\n');
    expect(loop.git('rev-list', '--count', 'workbench/task-1').trim()).toBe('2');
    expect(loop.git('log', '-1', '--format=%s', 'workbench/task-1')).toBe('Make it right\n');
    const again = await loop.run({ session: record.session });
    expect({ outcome: again.record?.outcome, cause: again.cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  });

  test('an agent that deletes the whole clone: nothing is committed', async () => {
    const loop = await start({ agent: 'cd / && rm -rf /mnt/workspace/repo' });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.SnapshotFailed');
    expect(record.session.stopped).toBe(true);
    expect(loop.branches()).toEqual(['main']);
    const again = await loop.run({ session: record.session, prompt: 'again' });
    expect(again.record.outcome).toBe('CodingLoop.SnapshotFailed');
  });

  test('an agent that deletes the run\'s records has lost the workspace', async () => {
    const loop = await start({ agent: 'rm -rf /mnt/workspace/.workbench' });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.WorkspaceLost');
    expect(record.session.stopped).toBe(true);
  });

  test('an agent that creates a repository inside the repository: its files are committed', async () => {
    const loop = await start({ agent: 'echo right > value.txt; mkdir -p app && cd app && git init -q && echo x > x && git add x && git commit -qm own && echo y > y' });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(loop.git('ls-tree', '-r', '--name-only', 'workbench/task-1').split('\n')).toEqual(expect.arrayContaining(['app/x', 'app/y']));
  });
});
