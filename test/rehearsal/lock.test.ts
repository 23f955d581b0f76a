import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOptions } from '../../rehearsal/cli/options';
import { aboutSessions } from '../../rehearsal/cli/sessions';
import { Faults } from '../../rehearsal/common/misuse';
import { Lock } from '../../rehearsal/run/lock';
import { identityOf, ProcessIdentity } from '../../rehearsal/run/process-identity';
import { commandLine } from '../support/command-line';

let state: string;
let other: ChildProcess;
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'lock-'));
  // Ignores SIGINT, and says so.
  other = spawn('bash', ['-c', "trap '' INT; echo; read -r"], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(other.stdout!, 'data');
});
afterEach(async () => {
  jest.restoreAllMocks();
  other.kill('SIGKILL');
  await once(other, 'exit');
  rmSync(state, { recursive: true });
});

const SESSION = 'rehearsal-1-0123456789abcdef0123456789abcdef';

function isHeldBy(identity: ProcessIdentity): void {
  writeFileSync(join(state, 'lock'), JSON.stringify(identity));
  writeFileSync(join(state, 'current.json'), JSON.stringify({ ...identity, sessionId: SESSION, taskId: 'x', startedAt: '2026-01-01T00:00:00Z' }));
}

test('a state directory belongs to one process at a time, and is released when the process ends', () => {
  const lock = Lock.take(state);
  expect(() => Lock.take(state)).toThrow(`${state} is in use by the rehearsal with process ID ${process.pid}: wait for it, or choose another with "stateDirectory" (--state)`);

  lock.release();
  const next = Lock.take(state);
  lock.release();
  expect(() => Lock.take(state)).toThrow('is in use');
  next.release();
  expect(readdirSync(state)).toEqual([]);
});

test('another running process holds it, whoever owns the process', () => {
  isHeldBy(identityOf(other.pid));
  expect(() => Lock.take(state)).toThrow(`process ID ${other.pid}:`);

  jest.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  expect(() => Lock.take(state)).toThrow(`process ID ${other.pid}:`);
});

describe.each<[string, (identity: ProcessIdentity) => ProcessIdentity]>([
  ['that another process has now', (identity) => ({ ...identity, startTime: '1' })],
  ['from before the machine was started', (identity) => ({ ...identity, boot: 'another' })],
  ['that is this process\'s own by now, as in a container', () => ({ ...identityOf(), instance: 'another' })],
])('a process id %s', (_, change) => {
  test('blocks nobody', () => {
    isHeldBy(change(identityOf(other.pid)));
    expect(() => Lock.take(state).release()).not.toThrow();
  });

  test('is not listed as running, and gets no signal', async () => {
    isHeldBy(change(identityOf(other.pid)));
    const kill = jest.spyOn(process, 'kill');

    expect((await commandLine('rehearse', 'sessions', '--state', state)).stdout).toBe('no sessions yet\n');
    expect(await commandLine('rehearse', 'stop', SESSION, '--state', state)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('there is no session') });
    expect(kill.mock.calls.filter(([, signal]) => signal !== 0)).toEqual([]);
  });
});

test('an incomplete lock blocks nobody', () => {
  writeFileSync(join(state, 'lock'), '');
  Lock.take(state).release();
  expect(existsSync(join(state, 'lock'))).toBe(false);
});

test('fails with advice if a stopped run does not end', async () => {
  isHeldBy(identityOf(other.pid));

  await expect(aboutSessions(parseOptions(['stop', SESSION, '--state', state], new Faults()), process.stdout, 100))
    .rejects.toThrow(`process ${other.pid} is still running after 0.1 seconds: wait for it, or end it with "kill -KILL ${other.pid}"`);
});

test('fails for a run of another user', async () => {
  isHeldBy(identityOf(other.pid));
  jest.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });

  await expect(aboutSessions(parseOptions(['stop', SESSION, '--state', state], new Faults()), process.stdout))
    .rejects.toThrow(`is process ${other.pid} of another user: stop it as that user`);
});
