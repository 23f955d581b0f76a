import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { AgentTurn, Gate } from '../../../src';
import { commandLine, ending, WorkingCopy } from '../../support/command-line';
import { RehearsedLoop } from '../../support/rehearsed-loop';

jest.setTimeout(240_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ 'value.txt': 'wrong\n' });
});
afterEach(() => copy.remove());

function rehearse(exitCode: number, agent: string, gate: string, ...more: string[]) {
  const words = ['--prompt', 'Do it', '--agent', agent, '--gate', `test=${gate}`, '--max-repairs', '0'];
  return ending(exitCode, commandLine('rehearse', '--repository', copy.directory, '--state', copy.state, ...words, ...more));
}

const short = (ref: string) => copy.git('rev-parse', ref).trim().slice(0, 12);
const sessionOf = (story: string) => /^session {4}(\S+)$/m.exec(story)![1];
const reportOf = (story: string) => readFileSync(/^report {5}(\S+)$/m.exec(story)![1], 'utf8');

function others(name: string): void {
  writeFileSync(join(copy.directory, name), 'theirs\n');
  copy.git('add', '.');
  copy.git('commit', '-qm', `with ${name}`);
}

test('the story of a continued session names its commit, the new commits, and what belongs to which task; the report names the commits of the branch', async () => {
  const first = await rehearse(0, 'echo right > value.txt', 'true', '--task', 'one');
  expect(first.stdout).not.toContain('continues from');
  const session = sessionOf(first.stdout);
  const beginning = short('main');
  others('theirs.txt');

  const red = await rehearse(1, 'echo open > open.txt', 'false', '--session', session);
  expect(red.stdout).toContain(`continues from main at ${beginning}\n`);
  expect(red.stdout).toContain(`main now has 1 more commit, up to ${short('main')}: "--update", or "session.update" in the input, brings them into the workspace\n`);

  const second = await rehearse(0, 'echo second > second.txt', '! test -e open.txt && test -e theirs.txt', '--session', session, '--task', 'two');
  expect(second.stdout).toContain(`continues from main at ${short('main')}\n`);
  expect(second.stdout).toContain('set aside, since it belongs to workbench/one and is not committed; a run of that task in this session brings it back: open.txt\n');

  const updated = await rehearse(0, 'echo more > more.txt', 'test -e open.txt && test -e theirs.txt', '--session', session, '--task', 'one', '--update');
  expect(updated.stdout).toContain(`continues from main at ${short('main')}, updated from ${beginning}\n`);
  expect(updated.stdout).toContain('with uncommitted work of earlier runs: open.txt\n');
  const commits = [/\n {4}\w{7,} Do it\n/, / {4}\w{7,} Merge the default branch into workbench\/one\n/, / {4}\w{7,} Do it\n/].map(({ source }) => source).join('');
  expect(updated.stdout).toMatch(new RegExp(`the branch has 3 commits on top of main at ${short('main')}:${commits}`));
  expect(reportOf(updated.stdout)).toMatch(/The branch has 3 commits:<\/p>\n<ul><li>\w{7,} Do it<\/li><li>\w{7,} Merge the default branch into workbench\/one<\/li><li>\w{7,} Do it<\/li><\/ul>/);
  expect(reportOf(first.stdout)).not.toContain('The branch has');

  const stacked = await rehearse(0, 'echo third > third.txt', 'test -e more.txt', '--session', session, '--task', 'three', '--on-top');
  expect(stacked.stdout).toContain('the branch has 4 commits on top of main');
});

test('refuses an update that conflicts with the workspace, and the story says where and what to do', async () => {
  const first = await rehearse(1, 'echo right > value.txt', 'false', '--task', 'one');
  others('value.txt');
  const refused = await rehearse(2, 'true', 'true', '--session', sessionOf(first.stdout), '--update');
  expect(refused.stdout).toContain('CONFLICT (content): Merge conflict in value.txt: omit "session.update", and let the agent merge origin/HEAD');
  const next = await rehearse(0, 'true', 'grep -q right value.txt', '--session', sessionOf(first.stdout));
  expect(next.stdout).toContain('COMMITTED');
});

test.each([
  [['--depth', '1'], '1'],
  [['--depth', '2'], '2'],
  [[], '4'],
])('with %j, the clone has that number of commits', async (options, commits) => {
  ['a', 'b', 'c'].forEach(others);
  const { stdout } = await rehearse(0, 'git rev-list --count HEAD > count', `[[ $(cat count) == ${commits} ]]`, ...options);
  expect(stdout).toContain('COMMITTED');
});

test('a session keeps the depth that it was started with', async () => {
  others('a');
  const first = await rehearse(0, 'echo x > x', 'true', '--depth', '1');
  const next = await rehearse(0, 'echo y > y', 'true', '--session', sessionOf(first.stdout), '--json');
  const { outcome, commit, session } = JSON.parse(next.stdout) as RehearsalRecord;
  expect([outcome, commit!.commits.map(({ subject }) => subject)]).toEqual(['COMMITTED', ['Do it', 'Do it']]);
  // It would exist without a depth.
  expect(existsSync(join(session!.workspace, '.workbench/history'))).toBe(false);
});

test('names submodules that are not initialized in the story', async () => {
  writeFileSync(join(copy.directory, '.gitmodules'), '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n');
  copy.git('add', '.gitmodules');
  copy.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib`);
  copy.git('commit', '-qm', 'with a submodule');
  const { stdout } = await rehearse(0, 'echo right > value.txt', 'true');
  expect(stdout).toContain('submodules that are not initialized, so that their directories are empty ("submodules" of GitRepository initializes them): lib\n');
});

test('changes the depth of an app\'s loop without a change to the app', async () => {
  const loop = new RehearsedLoop();
  try {
    ['a', 'b', 'c'].forEach(others);
    const app = loop.synth({ loop: { turn: AgentTurn.command('git rev-list --count HEAD > count'), gates: [Gate.command('test', '[[ $(cat count) == 2 ]]')], maxRepairs: 0 } });
    const run = (...more: string[]) => commandLine('rehearse', '--app', app, '--repository', copy.directory, '--state', copy.state, '--prompt', 'Do it', ...more);
    await expect(ending(1, run())).resolves.toBeDefined();
    await expect(ending(0, run('--depth', '2'))).resolves.toBeDefined();
  } finally {
    await loop.close();
  }
});
