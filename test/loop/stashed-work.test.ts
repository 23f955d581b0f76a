import { useLoops } from '../support/loop-fixture';
import { useWorkspaces } from '../support/workspace-runs';

// Work of the agent that is in git, but in no file of the clone.
const start = useLoops();
const workspaces = useWorkspaces();
const AGENT = 'git config user.name agent; git config user.email agent@localhost';
const COMMIT = 'git add --all && git commit -qm wip';

test('stashed work is reported to the agent, which can restore it', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt; git stash push -q -m "for later"' : 'git stash pop -q' });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(record.findings).toBeUndefined();
  expect(loop.turns[1].feedback).toMatchObject({ findings: { putAway: { count: 1, names: [expect.stringMatching(/^stash@\{0\}: On workbench\/task-1: for later$/)] } } });
  expect(loop.turns[1].prompt).toContain('  stash@{0}: On workbench/task-1: for later');
  expect(loop.show()).toBe('right\n');
});

test('work on another branch is reported once, and named in the record of a failed run', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? `git switch -qc fix; echo right > value.txt; ${COMMIT}; git switch -q -` : 'true', loop: { maxRepairs: 1 } });
  const { error, record } = await loop.run();
  expect({ error, findings: record.findings }).toEqual({ error: 'CodingLoop.Red', findings: { putAway: { names: ['branch fix, 1 commit'], count: 1 } } });
  expect(record.feedback).toMatchObject({ unchanged: true, findings: { putAway: { count: 1 } } });
  expect(loop.turns).toHaveLength(2);
});

test.each<[string, string, string]>([
  ['stashed', 'echo a > value.txt; git stash -q', 'stash@{0}: WIP on workbench/task-1: … the beginning'],
  ['stashed with a file that is not tracked', 'echo a > new; git stash -qu', 'stash@{0}: WIP on workbench/task-1: … the beginning'],
  ['on another branch', `git switch -qc fix; echo a > a; ${COMMIT}; echo b > b; ${COMMIT}; git switch -q workbench/task-1`, 'branch fix, 2 commits'],
  ['on the run\'s branch, from which the clone was switched away', `echo a > a; ${COMMIT}; git checkout -qb other HEAD~`, 'branch workbench/task-1, 1 commit'],
  ['on no branch', `git checkout -q --detach; echo a > a; ${COMMIT}; git checkout -q workbench/task-1`, 'no branch, …, 1 commit'],
  ['in another worktree', `git worktree add -q ../tree -b tree; cd ../tree; rm value.txt; ${COMMIT}`, 'branch tree, 1 commit'],
])('work that is %s is named, with another change and without one', async (_, script, name) => {
  const run = workspaces();
  for (const [more, outcome] of [['', 'NO_CHANGES'], ['; cd ../repo; echo more > more', 'COMMITTED']]) {
    const { loop, ...ended } = await run.run({ agent: `${AGENT}; ${script}${more}`, session: outcome });
    expect({ ...ended, names: loop.findings?.putAway?.names.map((each) => each.replace(/[0-9a-f]{7,}/, '…')) }).toMatchObject({ outcome, names: [name] });
  }
});

test.each<[string, string]>([
  ['on the branch that the clone is on', `git switch -qc fix; echo right > value.txt; ${COMMIT}`],
  ['on no branch, where the clone is', `git checkout -q --detach; echo right > value.txt; ${COMMIT}`],
  ['merged', `git switch -qc fix; echo right > value.txt; ${COMMIT}; git switch -q -; git merge -q fix`],
  ['merged without its commits', `git switch -qc fix; echo right > value.txt; ${COMMIT}; git switch -q -; git merge -q --squash fix`],
  ['taken over and changed since', `git switch -qc fix; echo almost > value.txt; ${COMMIT}; git switch -q -; git checkout -q fix value.txt; echo right > value.txt`],
  ['stashed and applied', 'echo right > value.txt; git stash -q; git stash apply -q'],
  ['reverted on its branch', `git switch -qc fix; echo x > x; ${COMMIT}; git rm -q x; ${COMMIT}; git switch -q -; echo right > value.txt`],
])('work that is %s is an ordinary change', async (_, script) => {
  const run = workspaces();
  const { outcome, message, loop } = await run.run({ agent: `${AGENT}; ${script}` });
  expect({ outcome, message, findings: loop.findings }).toEqual({ outcome: 'COMMITTED', message: undefined, findings: undefined });
  expect(run.git('show', 'workbench/task-1:value.txt')).toBe('right\n');
  expect(run.inClone('git symbolic-ref HEAD').output).toContain('refs/heads/workbench/task-1\n');
});

test('does not count others\' commits on a fetched branch, or work that an earlier run put away', async () => {
  const run = workspaces();
  run.others('git switch -qc theirs; echo x > x; git add --all; GIT_COMMITTER_DATE=2020-01-01T00:00:00Z git commit -qm theirs; git push -q origin HEAD:theirs HEAD:refs/pull/1/head');
  const fetched = await run.run({ agent: 'git fetch -q origin theirs:theirs "refs/pull/1/head:pull"; echo right > value.txt' });
  expect(fetched).toMatchObject({ outcome: 'COMMITTED' });
  expect(fetched.loop.findings).toBeUndefined();
  const put = await run.run({ agent: `${AGENT}; echo a > value.txt; git stash -q` });
  expect(put.loop.findings).toMatchObject({ putAway: { count: 1 } });
  run.inClone('sleep 1.1'); // git's timestamps have seconds
  expect((await run.run({ agent: 'echo b > value.txt' })).loop.findings).toBeUndefined();
});
