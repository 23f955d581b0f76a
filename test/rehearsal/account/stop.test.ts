import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentHandler } from '../../../rehearsal/agentcore';
import { AccountFixture } from '../../support/account';
import { commandLine, ending } from '../../support/command-line';
import { json } from '../../support/moto-loops';

jest.setTimeout(120_000);

const STACK = ['--stack', 'Stack'];

/** Runs at a time. More of them take longer, and are for the night. */
const RUNS = Number(process.env.WORKBENCH_STOPPED_RUNS ?? 20);

let account: AccountFixture;
/** Turns that have started. */
let turns = 0;
let heard = () => {};

/** Never answers. */
const agent: AgentHandler = async () => {
  turns++;
  heard();
  return new Promise(() => {});
};

/** Resolves when that many turns have started. */
async function turnsStarted(count: number): Promise<void> {
  while (turns < count) await new Promise<void>((done) => { heard = done; });
}

interface Stopped {
  readonly run: string;
  readonly execution: string;
  readonly sessions: readonly { readonly id: string; readonly gone: boolean; readonly status: string }[];
}

beforeAll(async () => {
  account = await AccountFixture.start(agent, {}, {}, 0.5);
});
beforeEach(() => {
  turns = 0;
});
afterAll(async () => account?.close());

/** The directories of the microVMs that are left. */
function microvms(): string[] {
  return readdirSync(join(account.rehearsal.directory, 'agentcore', 'microvms'));
}

test('a stop in the midst of a turn ends the execution, and the session does not come back', async () => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'x', '--name', 'one', '--detach'));
  await turnsStarted(1);
  const before = microvms().length;
  const { stdout } = await ending(0, commandLine('runs', 'stop', 'one', ...STACK));

  expect(before).toBe(1);
  expect(stdout).toMatch(/^one: stopped; session one-[0-9a-f]{33} stopped, and gone\n$/);
  expect(microvms()).toEqual([]);
  expect((await ending(130, commandLine('runs', 'watch', 'one', ...STACK))).stdout).toContain('INTERRUPTED in turn 1');
});

test('a stop fails, and says why, if AgentCore does not stop the session', async () => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'x', '--name', 'denied', '--detach'));
  await turnsStarted(1);
  const fault = account.rehearsal.inject({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied', times: 100 });
  const { stdout } = await ending(3, commandLine('runs', 'stop', 'denied', ...STACK));
  account.rehearsal.server.faults.clear();
  await ending(0, commandLine('runs', 'stop', 'denied', ...STACK));

  expect(fault.fired).toBeGreaterThan(0);
  expect(stdout).toMatch(/^denied: stopped; session denied-\w+ not stopped: missing permission: the caller may not perform bedrock-agentcore:StopRuntimeSession on arn:aws:bedrock-agentcore:/);
  expect(microvms()).toEqual([]);
});

test(`${RUNS} runs are stopped in their midst: every run has an end, and every session is gone`, async () => {
  const names = Array.from({ length: RUNS }, (_, index) => `run-${index}`);
  for (const name of names) await ending(0, commandLine('run', ...STACK, '--prompt', 'x', '--name', name, '--detach'));
  // In the midst of all that a run does: some turns have started, and other runs are still being prepared.
  await turnsStarted(Math.ceil(RUNS / 4));
  const stopped = await json<Stopped[]>('runs', 'stop', '--all', '--yes', ...STACK);
  const rows = await json<{ run: string; state: string }[]>('runs', ...STACK, '--max', '1000');

  expect(stopped.map(({ run }) => run).sort()).toEqual([...names].sort());
  expect(stopped.filter(({ sessions }) => sessions.length !== 1 || !sessions[0].gone)).toEqual([]);
  expect(rows.filter(({ state }) => state !== 'ABORTED')).toEqual([]);
  expect(microvms()).toEqual([]);
}, 60_000 + RUNS * 10_000);

test('a session that AgentCore still has after several stops is looked at again until it is gone', async () => {
  await ending(0, commandLine('run', ...STACK, '--prompt', 'x', '--name', 'slow', '--detach'));
  await turnsStarted(1);
  const between = await account.intercept();
  between.answer('StopRuntimeSession', { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }, 4);
  const { stdout } = await ending(0, commandLine('runs', 'stop', 'slow', ...STACK));

  expect(stdout).toMatch(/^slow: stopped; session slow-\w+ stopped, and gone\n$/);
  expect(between.count('StopRuntimeSession')).toBeGreaterThan(4);
  expect(microvms()).toEqual([]);
});
