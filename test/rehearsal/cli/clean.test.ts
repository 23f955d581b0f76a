import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunStore } from '../../../rehearsal/cli/run-store';
import { Lock } from '../../../rehearsal/run/lock';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(240_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ value: 'wrong\n' });
});
afterEach(() => copy.remove());

async function rehearse(...more: string[]): Promise<string> {
  const repository = more.includes('--repository') ? [] : ['--repository', copy.directory];
  const { exitCode, stdout, stderr } = await commandLine('rehearse', ...repository, '--prompt', 'Make it right', '--state', copy.state,
    '--agent', 'cat >/dev/null; echo right >> value', '--gate', 'test=grep right value', ...more);
  expect([exitCode, stderr]).toEqual([0, '']);
  return /^session {4}(\S+)$/m.exec(stdout)![1];
}

const clean = (...more: string[]) => commandLine('rehearse', 'clean', '--state', copy.state, ...more);
const sessions = () => new RunStore(copy.state).sessions().map(({ id }) => id);
const entries = (path: string, depth: number): string[] => !existsSync(join(copy.state, path)) ? []
  : readdirSync(join(copy.state, path)).flatMap((entry) => depth === 1 ? [`${path}/${entry}`] : entries(`${path}/${entry}`, depth - 1));
const kept = () => ({
  runs: entries('runs', 1).length,
  executions: entries('executions', 1).length,
  workspaces: entries('agentcore/workspaces', 3).length,
  logs: entries('agentcore/logs', 2).length,
  copies: entries('repositories', 1).length,
});

/** Makes the session's runs end this many hours ago. */
function aged(id: string, hours: number): void {
  const store = new RunStore(copy.state);
  for (const run of store.all().filter(({ record }) => record.session?.id === id)) {
    const startedAt = new Date(Date.now() - hours * 3_600_000).toISOString();
    writeFileSync(join(store.home(run.record.id), 'record.json'), JSON.stringify({ ...run, record: { ...run.record, startedAt } }));
  }
}

test('removes one session, and another continues from where it was', async () => {
  const [first, second] = [await rehearse('--task', 'one'), await rehearse('--task', 'two')];
  // Each run has a session for its verification, and each execution a history.
  expect(kept()).toEqual({ runs: 2, executions: 4, workspaces: 4, logs: 4, copies: 1 });

  const { exitCode, stdout } = await clean('--session', first);

  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^removed ${first}  one  COMMITTED\nremoved 1 session, [0-9.]+ [kM]B\n$`))]);
  expect([sessions(), kept()]).toEqual([[second], { runs: 1, executions: 2, workspaces: 2, logs: 2, copies: 1 }]);
  expect(await rehearse('--session', second)).toBe(second);
});

test('removes only what ended before the given time; leftovers of a killed run count by their own time', async () => {
  const [old, recent] = [await rehearse(), await rehearse()];
  aged(old, 30);
  for (const [name, hours] of [['killed-long-ago', 30], ['killed-just-now', 0]] as const) {
    const home = join(copy.state, 'agentcore/workspaces/runtime/DEFAULT', name);
    mkdirSync(join(home, 'data'), { recursive: true });
    const time = Date.now() / 1_000 - hours * 3_600;
    utimesSync(home, time, time);
  }

  const { stdout } = await clean('--older-than', '1d');

  expect(stdout).toMatch(new RegExp(`^removed ${old}  .*\nremoved 1 session, `));
  expect(sessions()).toEqual([recent]);
  expect(entries('agentcore/workspaces/runtime', 2)).toEqual([expect.stringContaining('killed-just-now')]);
});

test('keeps branches that the original does not have', async () => {
  await rehearse('--task', 'one');
  const { repository } = new RunStore(copy.state).all()[0].record;

  const { stdout } = await clean();

  expect(stdout).toContain(`kept ${repository.copy}, since ${copy.directory} does not have workbench/one: fetch what you want from there, then remove it\n`);
  expect(kept()).toEqual({ runs: 0, executions: 0, workspaces: 0, logs: 0, copies: 1 });
  copy.git('fetch', '--quiet', repository.copy, 'workbench/one:one');
  await rehearse('--task', 'one');
  copy.git('fetch', '--quiet', repository.copy, '+workbench/one:one');
  await clean();
  expect(kept().copies).toBe(0);
});

test('removes a copy of a remote that has all of it, and keeps one whose remote does not answer', async () => {
  const bare = `${copy.directory}.git`;
  copy.git('clone', '--quiet', '--bare', copy.directory, bare);
  for (const task of ['one', 'two']) {
    await rehearse('--task', task, '--repository', `file://${bare}`);
    const { repository } = new RunStore(copy.state).all()[0].record;
    copy.git('--git-dir', bare, 'fetch', '--quiet', repository.copy, `workbench/${task}:${task}`);
    if (task === 'two') rmSync(bare, { recursive: true });
    await clean();
    expect(kept().copies).toBe(task === 'two' ? 1 : 0);
  }
});

test('refuses an unknown session, an invalid time and a state directory in use, and removes nothing', async () => {
  const id = await rehearse();

  expect(await clean('--session', `${id}x`)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/there is no session ".*x" in .*: "rehearse sessions" lists them: did you mean /) });
  expect(await clean('--older-than', 'a week')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--older-than must be a time in minutes, hours or days, such as 90m, 12h or 7d, not "a week"') });
  expect(await commandLine('rehearse', '--older-than', '7d')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--older-than applies only to "rehearse clean"') });
  const lock = Lock.take(copy.state);
  expect(await clean()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is in use by the rehearsal with process ID') });
  lock.release();
  expect([sessions(), readFileSync(join(copy.state, '.gitignore'), 'utf8')]).toEqual([[id], '*\n']);
});

test('does nothing without a state directory', async () => {
  expect(await clean()).toEqual({ exitCode: 0, stdout: `there is nothing in ${copy.state}\n`, stderr: '' });
  expect(existsSync(copy.state)).toBe(false);
});
