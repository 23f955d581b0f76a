import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useWorkspaces, Workspaces } from '../support/workspace-runs';

const start = useWorkspaces();
const BRANCH = 'workbench/task-1';
const tip = (remote: Workspaces, branch = BRANCH) => remote.git('rev-parse', branch).trim();
const branches = (remote: Workspaces) => remote.git('for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n').slice(0, -1);
const byUrl = (branch = BRANCH) => `git push -q "$(git config remote.origin.url)" HEAD:refs/heads/${branch}`;
const own = 'git add --all && git -c user.name=agent -c user.email=a@a commit -qm own';

/** Puts a script in front of the session's git; the script sees the arguments of the call as "$*". */
function withGit(remote: Workspaces, script: string): void {
  const directory = join(remote.directory, 'bin');
  mkdirSync(directory, { recursive: true });
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  writeFileSync(join(directory, 'git'), `#!/bin/bash\nreal=${real}\nhere=${directory}\n${script}\nexec $real "$@"\n`);
  chmodSync(join(directory, 'git'), 0o755);
  remote.path = `${directory}:${process.env.PATH}`;
}

describe('an agent that pushes', () => {
  test.each(['git -c push.default=current push', 'git push origin HEAD', 'git push -u origin HEAD:main', 'git push --force origin HEAD:main', `git push origin HEAD:${BRANCH}`])('cannot do so by accident, and is told why: %s', async (habit) => {
    const remote = start();
    const result = await remote.run({ agent: `echo right > value.txt; ${own}; if said=$(${habit} 2>&1); then exit 1; else echo "$said" > said; fi` });
    expect(result.outcome).toBe('COMMITTED');
    expect(result.loop.branchMoves).toBeUndefined();
    expect(remote.git('show', `${BRANCH}:said`)).toContain('do not push: the run does, once all gates have passed');
    expect(branches(remote)).toEqual(['main', BRANCH]);
    // Nor in the next run, whatever the agent configured.
    const again = await remote.run({ agent: `${habit} && exit 1; git fetch -q origin && git config --unset remote.origin.pushurl; echo more > more` });
    expect(again.outcome).toBe('COMMITTED');
    expect((await remote.run({ agent: `${habit} && exit 1; git rev-parse -q --verify origin/main || exit 1` })).outcome).toBe('NO_CHANGES');
  });

  test('all of its change: the run reports that commit, and that the branch moved', async () => {
    const remote = start();
    const { outcome, loop } = await remote.run({ agent: `echo right > value.txt; ${own}; ${byUrl()}` });
    expect({ outcome, commit: loop.commit, pushed: loop.pushed }).toEqual({ outcome: 'FOUND', commit: tip(remote), pushed: true });
    expect(loop.branchMoves).toEqual([{ round: 0, to: tip(remote) }]);
    expect(remote.subjects()).toEqual(['own', 'the beginning']);
  });

  test('a part of its change: the run commits the rest on top', async () => {
    const remote = start();
    const { outcome, message, loop } = await remote.run({ agent: `echo half > value.txt; ${own}; ${byUrl()}; echo right > value.txt` });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
    expect(remote.subjects()).toEqual(['Prompt 1', 'own', 'the beginning']);
    expect(remote.git('show', `${BRANCH}:value.txt`)).toBe('right\n');
    expect(loop.branchMoves).toHaveLength(1);
  });

  test('to another branch: the run ignores it', async () => {
    const remote = start();
    const { outcome, loop } = await remote.run({ agent: `echo right > value.txt; ${own}; ${byUrl('other')}` });
    expect([outcome, loop.branchMoves]).toEqual(['COMMITTED', undefined]);
  });

  test('and then reverts the push', async () => {
    const remote = start();
    remote.git('branch', BRANCH, 'main');
    const { outcome, loop } = await remote.run({ agent: `echo right > value.txt; git push -q "$(git config remote.origin.url)" :${BRANCH}` });
    expect([outcome, loop.branchMoves]).toEqual(['COMMITTED', [{ round: 0, from: tip(remote, 'main') }]]);
  });
});

test('a run whose change another run has pushed reports that commit once the gates have passed on it', async () => {
  const remote = start();
  const first = await remote.run({ session: 'first' });
  const second = await remote.run({ session: 'second' });
  expect([second.outcome, second.loop.commit]).toEqual(['FOUND', first.loop.commit]);
  // With others' work around it, all of it is tested.
  remote.others('echo theirs > theirs; git add .; git commit -qm theirs; git push -q', BRANCH);
  const third = await remote.run({ session: 'third' });
  expect([third.outcome, third.loop.commit]).toEqual(['FOUND', tip(remote)]);
  expect((await remote.run({ session: 'fourth', gate: '! test -e theirs' })).outcome).toBe('RED');
  expect(remote.subjects()).toEqual(['theirs', 'Prompt 1', 'the beginning']);
});

describe('a branch that cannot exist', () => {
  test.each([
    ['workbench', 'task-1', 'workbench/', 'a branch "workbench", and git cannot have both it and "workbench/task-1"'],
    ['workbench/task-1/more', 'task-1', 'workbench/', 'a branch "workbench/task-1/more", and git cannot have both it and "'],
    ['a/b', 'task-1', 'a/b/c/', 'a branch "a/b", and git cannot have both it and "'],
    ['workbench/Task-1', 'task-1', 'workbench/', 'a branch "workbench/Task-1", and a case-insensitive file system cannot have both it and "'],
    ['Workbench', 'task-1', 'workbench/', 'a branch "Workbench", and a case-insensitive file system cannot have both'],
  ])('is found before the first turn, next to %s', async (there, task, branchPrefix, message) => {
    const remote = start();
    remote.git('branch', there, 'main');
    const result = await remote.run({ task, branchPrefix, agent: 'touch ../asked' });
    expect([result.outcome, result.message]).toEqual(['CodingLoop.BranchConflict', expect.stringContaining(message)]);
    expect(result.message).toContain('rename or delete it, or use another "taskId" or "branchPrefix"');
    execFileSync('test', ['!', '-e', join(remote.mount(), 'asked')]);
  });

  test.each([
    ['workbench-2', 'workbench/'], ['workbench/task-11', 'workbench/'], ['workbench/task', 'workbench/'], ['x/workbench/task-1', 'workbench/'], ['task-1', 'workbench/'],
  ])('is not confused with a branch that looks similar: %s', async (there, branchPrefix) => {
    const remote = start();
    remote.git('branch', there, 'main');
    expect((await remote.run({ branchPrefix })).outcome).toBe('COMMITTED');
  });

  test('is found when the other branch is created during the run', async () => {
    const remote = start();
    const { outcome, message } = await remote.run({ meanwhile: () => remote.git('branch', 'workbench/TASK-1', 'main') });
    expect([outcome, message]).toEqual(['CodingLoop.BranchConflict', expect.stringContaining('"workbench/TASK-1"')]);
  });

  test('does not matter to a loop that pushes nothing, or to a branch that exists', async () => {
    const remote = start();
    remote.git('branch', 'workbench', 'main');
    expect((await remote.run({ push: false })).outcome).toBe('COMMITTED');
    remote.git('branch', '-D', 'workbench');
    remote.git('branch', 'Workbench', 'main');
    remote.git('branch', BRANCH, 'main');
    expect((await remote.run({ session: 'other' })).outcome).toBe('COMMITTED');
  });

  test('does not matter if it is only in the workspace of an earlier run', async () => {
    const remote = start();
    await remote.run({ task: 'workbench', branchPrefix: '' });
    remote.git('branch', '-D', 'workbench');
    const { outcome, message } = await remote.run({ agent: 'echo more > more' });
    expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  });
});

describe('git of the image', () => {
  test.each([
    ['2.24.4', 'CodingLoop.Inert', /the image has git 2\.24\.4, but a run needs 2\.25 or later/],
    ['1.8.3.1', 'CodingLoop.Inert', /the image has git 1\.8\.3\.1, but a run needs 2\.25 or later/],
    ['2.25.1', 'COMMITTED', /^$/],
    ['2.39.5 (Apple Git-154)', 'COMMITTED', /^$/],
    ['3.0.0', 'COMMITTED', /^$/],
  ])('that is %s: %s', async (version, outcome, message) => {
    const remote = start();
    withGit(remote, `[[ $1 != version ]] || { echo "git version ${version}"; exit; }`);
    const result = await remote.run();
    expect([result.outcome, result.message ?? '']).toEqual([outcome, expect.stringMatching(message)]);
  });
});

describe('a push', () => {
  test.each([
    ['declined by a hook', 'echo "not today" >&2; exit 1', ['not today', 'pre-receive hook declined']],
    ['declined with more text than a record can hold', 'echo "GH013: the rules of this branch" >&2; for i in {1..2000}; do echo "line $i of many" >&2; done; exit 1', ['line 2000 of many', 'pre-receive hook declined', '[…]']],
  ])('that is %s fails with the remote\'s message', async (_, hook, words) => {
    const remote = start();
    remote.hook('pre-receive', `cat >/dev/null; ${hook}`);
    const { outcome, message } = await remote.run();
    expect(outcome).toBe('CodingLoop.CommitFailed');
    for (const word of words) expect(message).toContain(word);
    expect(message!.length).toBeLessThan(2_200);
    expect(branches(remote)).toEqual(['main']);
  });

  test('is not taken for a failure if a hook prints a lot, including text that looks like a result', async () => {
    const remote = start();
    remote.hook('post-receive', 'for i in {1..3000}; do echo "commit $i"; done; echo "rejected 0123456789012345678901234567890123456789"; exit 1');
    const { outcome, loop } = await remote.run();
    expect([outcome, loop.commit]).toEqual(['COMMITTED', tip(remote)]);
  });

  test.each([['before it arrived', ''], ['after it arrived', '$real "$@" >/dev/null 2>&1;']])('whose connection is cut %s arrives once', async (_, before) => {
    const remote = start();
    withGit(remote, `if [[ " $* " == *" push "* && ! -e $here/cut ]]; then touch $here/cut; ${before} echo "fatal: the remote end hung up unexpectedly" >&2; exit 128; fi`);
    const { outcome, loop } = await remote.run();
    expect([outcome, loop.commit, loop.branchMoves]).toEqual(['COMMITTED', tip(remote), undefined]);
    expect(remote.subjects()).toEqual(['Prompt 1', 'the beginning']);
  });

  test('that arrived before others pushed on top of it counts as pushed', async () => {
    const remote = start();
    const hook = `${join(remote.directory, 'on-top')}`;
    writeFileSync(hook, `git clone -q --branch ${BRANCH} ${remote.remote} ${remote.directory}/on-top-clone; cd ${remote.directory}/on-top-clone; git -c user.name=o -c user.email=o@o commit -q --allow-empty -m "on top"; git push -q`);
    withGit(remote, `if [[ " $* " == *" push "* && ! -e $here/cut ]]; then touch $here/cut; $real "$@" >/dev/null 2>&1; PATH=\${PATH#*:} bash ${hook} 2>/dev/null; exit 128; fi`);
    const { outcome, loop } = await remote.run();
    expect([outcome, loop.commit]).toEqual(['COMMITTED', remote.git('rev-parse', `${BRANCH}~1`).trim()]);
    expect(remote.subjects()).toEqual(['on top', 'Prompt 1', 'the beginning']);
  });

  test('that never arrives is not a success', async () => {
    const remote = start();
    withGit(remote, '[[ " $* " != *" push "* ]] || { echo "fatal: the remote end hung up unexpectedly" >&2; exit 128; }');
    const { outcome, message } = await remote.run();
    expect([outcome, message]).toEqual(['CodingLoop.CommitFailed', expect.stringContaining('the push did not arrive: fatal: the remote end hung up')]);
    expect(branches(remote)).toEqual(['main']);
  });

  test('has an unknown outcome if nobody can tell whether it arrived', async () => {
    const remote = start();
    withGit(remote, 'if [[ " $* " == *" push "* ]]; then touch $here/down; $real "$@" >/dev/null 2>&1; exit 128; fi; [[ " $* " != *" ls-remote "* || ! -e $here/down ]] || exit 128');
    const { outcome, message } = await remote.run();
    expect([outcome, message]).toEqual(['CodingLoop.PushUnknown', expect.stringContaining('it is unknown whether the push arrived')]);
    expect(remote.subjects()).toEqual(['Prompt 1', 'the beginning']);
    // A later run in the session recovers.
    execFileSync('rm', [join(remote.directory, 'bin/git')]);
    const again = await remote.run({ agent: 'true' });
    expect([again.outcome, again.loop.commit]).toEqual(['FOUND', tip(remote)]);
  });

  test('is retried if another process holds the lock', async () => {
    const remote = start();
    const lock = join(remote.remote, 'refs/heads', `${BRANCH}.lock`);
    withGit(remote, `if [[ " $* " == *" push "* && ! -e $here/locked ]]; then touch $here/locked; mkdir -p $(dirname ${lock}); touch ${lock}; $real "$@"; code=$?; rm ${lock}; exit $code; fi`);
    expect((await remote.run()).outcome).toBe('COMMITTED');
  });
});

test.each(['commit', 'rebase'])('a microVM that is lost at the end of "%s" loses nothing', async (step) => {
  const remote = start();
  remote.lose.push(step);
  const { outcome, message, loop } = await remote.run({
    meanwhile: (time) => { if (time === 0 && step === 'rebase') remote.others(`echo theirs > theirs; git add .; git commit -qm theirs; git push -q origin HEAD:${BRANCH}`); },
  });
  expect({ outcome, message }).toEqual({ outcome: 'COMMITTED', message: undefined });
  expect(remote.lose).toEqual([]);
  expect(remote.subjects()).toEqual(['Prompt 1', ...(step === 'rebase' ? ['theirs'] : []), 'the beginning']);
  expect(remote.changed(loop.commit!)).toEqual(['value.txt']);
});
