import { Commit, Gate, ProtectedPaths, ProtectedPathsAction, Verification } from '../../src';
import { IN_PROCESS, LoopFixtureProps, useLoops } from '../support/loop-fixture';

// Files that judge a change are not changed in silence.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const FILES = { 'tests/value.test.sh': '#!/bin/bash\n[[ $(cat value.txt) == right ]]\n', 'tests/old.txt': 'old\n', 'src/a.txt': 'a\n' };
const loopWith = (onChange: ProtectedPathsAction | undefined, agent: LoopFixtureProps['agent'], more: object = {}) => start({
  files: FILES,
  agent,
  loop: {
    gates: [Gate.command('test', 'tests/value.test.sh')],
    ...(onChange === undefined ? {} : { protectedPaths: ProtectedPaths.of(['tests/**', 'package.json'], { onChange }) }),
    ...more,
  },
});
const WEAKENED = 'echo "exit 0" > tests/value.test.sh';

test('without protected paths, the record lists the files of the change that usually judge it', async () => {
  const loop = await loopWith(undefined, 'echo right > value.txt; echo 1 >> tests/old.txt; echo x > src/a.txt; mkdir .github; echo x > .github/ci.yml; echo {} > package.json');
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', judgingFiles: { names: ['.github/ci.yml', 'package.json', 'tests/old.txt'], count: 3 } });
  expect(record).not.toHaveProperty('protectedFiles');
});

describe('REPAIR', () => {
  test('tells the agent to put the files back', async () => {
    const loop = await loopWith(ProtectedPathsAction.REPAIR, (turn, { prompt }) => turn === 0
      ? WEAKENED
      : `${/"(git checkout [0-9a-f]+ -- )<file>"/.exec(prompt)![1]}tests/value.test.sh; echo right > value.txt`);
    const { record } = await loop.run();
    expect(loop.turns[1].prompt).toContain('it changes protected files');
    expect(loop.turns[1].feedback).toMatchObject({ gate: 'protected files', protectedFiles: ['tests/value.test.sh'] });
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(record).not.toHaveProperty('protectedFiles');
    expect(loop.show(undefined, 'tests/value.test.sh')).toBe(FILES['tests/value.test.sh']);
    expect(loop.jobs('gate-')).toHaveLength(1);
  });

  test('ends as stuck if the agent leaves them as they are', async () => {
    const loop = await loopWith(ProtectedPathsAction.REPAIR, WEAKENED);
    const { error, record } = await loop.run();
    expect([error, record.error!.message]).toEqual(['CodingLoop.Stuck', expect.stringContaining('the agent is stuck')]);
    expect(loop.turns).toHaveLength(2);
    expect(loop.branches()).toEqual(['main']);
  });

  test.each([
    ['a renamed file', 'git mv tests/old.txt src/old.txt', 'tests/old.txt'],
    ['a file that is made executable', 'chmod +x tests/old.txt', 'tests/old.txt'],
    ['a file that becomes a symbolic link', 'ln -sf ../src/a.txt tests/old.txt', 'tests/old.txt'],
    ['a removed file', 'rm tests/old.txt', 'tests/old.txt'],
    ['a new file', 'echo x > "tests/a b\n.txt"', 'tests/a b\\n.txt'],
    ['a directory that becomes a file', 'rm -r tests; echo x > tests', 'tests/old.txt'],
    ['a file of the root', 'echo {} > package.json', 'package.json'],
    ['changes that are committed, and hidden from git', 'echo x > tests/old.txt; git commit -qam x; git update-index --skip-worktree tests/old.txt', 'tests/old.txt'],
  ])('counts %s as a change', async (_, agent, file) => {
    const loop = await loopWith(ProtectedPathsAction.REPAIR, `echo right > value.txt; ${agent}`, { maxRepairs: 0 });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.Red');
    expect((record as unknown as { protectedFiles: { names: string[] } }).protectedFiles.names.map((name) => name.replaceAll('\n', '\\n'))).toContain(file);
  });
});

test('RESTORE verifies and commits the files of the base, and tells which were restored', async () => {
  const loop = await loopWith(ProtectedPathsAction.RESTORE, `echo right > value.txt; ${WEAKENED}; git rm -q tests/old.txt; echo x > tests/new.txt`, { verification: Verification.inFreshSession() });
  const { record } = await loop.run();
  expect(record).toMatchObject({
    outcome: 'COMMITTED', rounds: 1, verified: true, protectedFiles: { names: ['tests/new.txt', 'tests/old.txt', 'tests/value.test.sh'], count: 3 },
  });
  expect(loop.git('diff', '--name-only', 'main', 'workbench/task-1')).toBe('value.txt\n');
});

test('RESTORE does not let a weakened test pass', async () => {
  const loop = await loopWith(ProtectedPathsAction.RESTORE, WEAKENED, { maxRepairs: 0 });
  expect(await loop.run()).toMatchObject({ error: 'CodingLoop.Red' });
  expect(loop.branches()).toEqual(['main']);
});

test('REVIEW continues, and names the files', async () => {
  const loop = await loopWith(ProtectedPathsAction.REVIEW, `echo right > value.txt; ${WEAKENED}`, { commit: Commit.local(), verification: Verification.inFreshSession() });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', protectedFiles: { names: ['tests/value.test.sh'], count: 1 } });
});

test('FAIL fails the run, and names the files', async () => {
  const loop = await loopWith(ProtectedPathsAction.FAIL, `echo right > value.txt; ${WEAKENED}`);
  const { error, record } = await loop.run();
  expect(error).toBe('CodingLoop.ProtectedPaths');
  expect(record.error!.message).toContain('tests/value.test.sh');
  expect(record.session.stopped).toBe(true);
});

test('files that others changed, and that the agent merged, do not count', async () => {
  const others = 'git -c user.name=o -c user.email=o@localhost commit -qm others --allow-empty';
  const loop = await start({
    files: FILES,
    // Others push a change to a test while the agent works, which takes it in.
    agent: [
      'git clone -q "$(git remote get-url origin)" /tmp/others && cd /tmp/others && echo others > tests/old.txt && git add -A',
      `${others} && git push -q origin HEAD:main`,
      'cd "$OLDPWD" && echo right > value.txt && git pull -q --no-rebase --no-edit origin main',
    ].join(' && '),
    loop: { gates: [Gate.command('test', 'tests/value.test.sh')], protectedPaths: ProtectedPaths.of(['tests/**'], { onChange: ProtectedPathsAction.FAIL }) },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED' });
  expect(loop.show(undefined, 'tests/old.txt')).toBe('others\n');
  expect(loop.git('diff', '--name-only', 'main', 'workbench/task-1')).toBe('value.txt\n');
});
