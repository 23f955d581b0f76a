import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { useWorkspaces, Workspaces } from '../support/workspace-runs';

const start = useWorkspaces();

const commitTo = (branch: string, script: string, from = branch) => [`git checkout -q ${from}`, script, 'git add --all', 'git commit -qm "of others: $(git diff --cached --name-only | xargs)"', `git push -q --force origin HEAD:${branch}`].join('\n');
const BRANCH = 'workbench/task-1';
const of = (workspaces: Workspaces, ref = BRANCH) => workspaces.git('rev-parse', ref).trim();
const file = (workspaces: Workspaces, path: string, ref = BRANCH) => workspaces.git('show', `${ref}:${path}`);
const files = (workspaces: Workspaces, ref = BRANCH) => workspaces.git('ls-tree', '-r', '--name-only', ref).split('\n').slice(0, -1);

describe.each([['of a shallow clone', 1], ['of a whole clone', 0]])('the commit does not contain the work of others, %s', (_, depth) => {
  test('when the main branch advanced after the branch was pushed', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one', session: 'first' });
    remote.others(commitTo('main', 'echo new > main.txt; echo more > value.txt'));
    const { outcome, message, loop } = await remote.run({ agent: 'echo two > two', session: 'second' });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.changed(loop.commit!)).toEqual(['two']);
    expect(remote.subjects()).toEqual(['Prompt 2', 'Prompt 1', 'the beginning']);
    expect(files(remote)).toEqual(['.gitignore', 'one', 'two', 'value.txt']);
  });

  test('when the main branch reverted a commit that a run had seen', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one', session: 'first' });
    remote.others(commitTo('main', 'echo bad > bad.txt'));
    await remote.run({ agent: 'echo two > two', session: 'second' });
    remote.others('git revert --no-edit HEAD >/dev/null; git push -q origin HEAD:main');
    await remote.run({ agent: 'echo three > three', session: 'third' });
    expect(files(remote)).toEqual(['.gitignore', 'one', 'three', 'two', 'value.txt']);
    // Whoever merges the branch does not get it back, either.
    remote.others(`git merge -q --no-edit origin/${BRANCH} && ! test -e bad.txt`);
  });

  test('when the branch was rewritten without a commit of an earlier run of the session', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.others(commitTo(BRANCH, 'echo theirs > theirs', 'main'));
    const { outcome, loop } = await remote.run({ agent: 'echo two > two' });
    expect(outcome).toBe('COMMITTED');
    expect(loop.branchMoves).toBeUndefined(); // the rewrite happened before the run started
    expect(remote.subjects()).toEqual(['Prompt 2', 'of others: theirs', 'the beginning']);
    expect(files(remote)).toEqual(['.gitignore', 'theirs', 'two', 'value.txt']);
  });

  test('when the branch was reset', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.git('update-ref', `refs/heads/${BRANCH}`, 'main');
    expect((await remote.run({ agent: 'echo two > two' })).outcome).toBe('COMMITTED');
    expect(remote.subjects()).toEqual(['Prompt 2', 'the beginning']);
  });

  test('when the branch was merged and deleted', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.others(`git merge -q --squash origin/${BRANCH} && git commit -qm squashed && git push -q origin HEAD:main :${BRANCH}`);
    remote.others(commitTo('main', 'echo new > main.txt'));
    const { outcome, message, loop } = await remote.run({ agent: 'echo two > two' });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.changed(loop.commit!)).toEqual(['two']);
    expect(remote.subjects()).toEqual(['Prompt 2', 'of others: main.txt', 'squashed', 'the beginning']);
  });

  test('when the branch has nothing in common with the main branch', async () => {
    const remote = start({ depth });
    remote.others(`git checkout -q --orphan lonely && git rm -qrf . && echo x > x && git add x && git commit -qm lonely && git push -q origin HEAD:${BRANCH}`);
    const { outcome, loop } = await remote.run({ agent: 'echo two > two' });
    expect(outcome).toBe('COMMITTED');
    expect(remote.changed(loop.commit!)).toEqual(['two']);
    expect(remote.subjects()).toEqual(['Prompt 1', 'lonely']);
  });

  test('when they have renamed what the agent changed', async () => {
    const remote = start({ depth });
    remote.others(commitTo('main', 'seq 20 > list'));
    const moved = () => remote.others(commitTo(BRANCH, 'git mv list numbers; echo 21 >> numbers', 'main'));
    const { outcome, loop } = await remote.run({ agent: 'sed -i "s/^5$/five/" list', meanwhile: (time) => { if (time === 0) moved(); } });
    expect(outcome).toBe('COMMITTED');
    expect(remote.changed(loop.commit!)).toEqual(['numbers']);
    expect(file(remote, 'numbers')).toBe(execFileSync('bash', ['-c', 'seq 21 | sed "s/^5$/five/"'], { encoding: 'utf8' }));
  });

  test('when they push to the branch of a session that is resumed', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.others(commitTo(BRANCH, 'echo theirs > theirs'));
    const { outcome, loop } = await remote.run({ agent: 'echo two > two' });
    expect(outcome).toBe('COMMITTED');
    expect(remote.changed(loop.commit!)).toEqual(['two']);
    expect(remote.subjects()).toEqual(['Prompt 2', 'of others: theirs', 'Prompt 1', 'the beginning']);
  });

  test.each([
    ['rebases on', 'git add --all && git commit -qm own && git pull -q --rebase origin main'],
    ['merges', 'git add --all && git commit -qm own && git pull -q --no-rebase --no-edit origin main'],
    ['starts to merge', 'git fetch -q origin main && git merge -q --no-commit --no-ff FETCH_HEAD'],
    ['rewinds to', 'git fetch -q origin main && git reset -q --hard FETCH_HEAD && echo two > two'],
  ])('when the agent %s the main branch', async (__, pull) => {
    const remote = start({ depth });
    const prompt = { agent: `sleep 0.01; echo two > two; ${pull}`, meanwhile: () => {} };
    const others = `git clone -q ${remote.remote} ${remote.directory}/now && cd ${remote.directory}/now && git config user.name o && git config user.email o@o && echo new > main.txt && git add . && git commit -qm newer && git push -q origin HEAD:main && cd - >/dev/null`;
    const { outcome, message, loop } = await remote.run({ ...prompt, agent: `(${others}); ${prompt.agent}` });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.changed(loop.commit!)).toEqual(['two']);
    expect(remote.subjects()).toEqual(['Prompt 1', 'newer', 'the beginning']);
  });

  test('when the agent of a resumed session merges the main branch, and the commit is a merge', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.others(commitTo('main', 'echo new > main.txt'));
    const { outcome, loop } = await remote.run({ agent: 'git pull -q --no-rebase --no-edit origin main; echo two > two' });
    expect(outcome).toBe('COMMITTED');
    expect(remote.git('show', '-s', '--format=%P', loop.commit!).trim().split(' ')).toEqual([expect.any(String), of(remote, 'main')]);
    expect(remote.git('diff-tree', '--name-only', '--no-commit-id', '-r', 'main', loop.commit!)).toBe('one\ntwo\n');
    const again = await remote.run({ agent: 'echo three > three' });
    expect(remote.changed(again.loop.commit!)).toEqual(['three']);
  });

  test('when the agent merged the main branch, and others pushed to the branch meanwhile', async () => {
    const remote = start({ depth });
    await remote.run({ agent: 'echo one > one' });
    remote.others(commitTo('main', 'echo new > main.txt'));
    const { outcome, message, loop } = await remote.run({
      agent: 'git pull -q --no-rebase --no-edit origin main; echo two > two',
      meanwhile: (time) => { if (time === 0) remote.others(commitTo(BRANCH, 'echo theirs > theirs')); },
    });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.git('show', '-s', '--format=%P', loop.commit!).trim().split(' ')).toEqual([expect.any(String), of(remote, 'main')]);
    expect(remote.subjects().sort()).toEqual(['Prompt 1', 'Prompt 2', 'of others: main.txt', 'of others: theirs', 'the beginning']);
  });
});

describe('changes without textual conflicts are tested together', () => {
  test('fails as a conflict, with the file\'s name, when both changed the same lines', async () => {
    const remote = start();
    const { outcome, message } = await remote.run({ meanwhile: () => remote.others(commitTo(BRANCH, 'echo other > value.txt', 'main')) });
    expect(outcome).toBe('CodingLoop.PushRejected');
    expect(message).toContain('conflicts with what others pushed: CONFLICT (content): Merge conflict in value.txt');
    expect(remote.subjects()).toEqual(['of others: value.txt', 'the beginning']);
  });

  test('fails with another error when git cannot merge', async () => {
    const remote = start();
    const meanwhile = () => {
      remote.others(commitTo(BRANCH, 'echo theirs > theirs', 'main'));
      execFileSync('bash', ['-c', `printf '#!/bin/bash\\n[[ " $* " != *" merge-recursive "* ]] || { echo "it cannot" >&2; exit 128; }\\nexec ${gitPath()} "$@"\\n' > ${remote.directory}/bin/git; chmod a+x ${remote.directory}/bin/git`]);
    };
    execFileSync('mkdir', [join(remote.directory, 'bin')]);
    remote.path = `${remote.directory}/bin:${process.env.PATH}`;
    const { outcome, message } = await remote.run({ meanwhile });
    expect(outcome).toBe('CodingLoop.CommitFailed');
    expect(message).toContain('git cannot merge: it cannot');
  });

  test('fails the gate when both together are red', async () => {
    const remote = start();
    const meanwhile = () => remote.others(commitTo(BRANCH, 'echo x > forbidden', 'main'));
    expect((await remote.run({ meanwhile, gate: '! test -e forbidden' })).outcome).toBe('RED');
  });
});

const gitPath = () => execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
