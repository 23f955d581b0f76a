/** Tests the driver's own reaction to a session that does not end a job in time, or does not answer as a session does. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SYSTEM_CLOCK } from '../../src/handler/clock';
import { ERRORS } from '../../src/jobs/constants';
import { Job, JobResult } from '../../src/jobs/job';
import { runJob, RunJobOptions } from '../../src/jobs/run-job';
import { DriverFixture } from '../support/session-driver';

let driver: DriverFixture;
beforeAll(async () => {
  driver = await DriverFixture.start({ environment: { BASH_ENV: '/mnt/workspace/profile' } });
});
afterAll(() => driver.close());

function run(request: Job, options: Partial<RunJobOptions> = {}): Promise<JobResult> {
  return runJob(request, {
    client: driver.fixture.client, clock: SYSTEM_CLOCK, until: Date.now() + 60_000, backoffSeconds: 0, onRetry: () => undefined, ...options,
  });
}

const calls = (sessionId: string) => driver.server.calls.of('InvokeAgentRuntimeCommand').filter((call) => call.sessionId === sessionId && call.command!.includes('job='));

/** Replaces the job's watcher, so that nothing in the session watches the time, and reports success in the end. */
const cheat = (free: string) => `
  cd /mnt/workspace/.workbench/jobs/*; read -ra stat </proc/$$/stat
  echo "$$ \${stat[21]}" >pid; kill -KILL $PPID; trap "" TERM
  while [[ ! -e ${free} ]]; do read -t 0.05 <> <(:); done
  printf "%-63s\\n" "EXITED 0 1000 1001 0" >exit`;

describe('a command that exceeds its time by the driver\'s clock', () => {
  test('is ended by the driver, and does not pass', async () => {
    const sessionId = await driver.session();
    const result = await run(driver.request(sessionId, { command: cheat(`${driver.shared}/never`), timeoutSeconds: 1 }), { overtimeSeconds: 1 });
    expect(result).toMatchObject({ status: 'ENDED', verdict: 'TIMED_OUT' });
    expect(result.seconds).toBeGreaterThanOrEqual(1);
    expect(calls(sessionId).pop()!.command).toMatch(/mode='?cancel/);
  }, 60_000);

  test('is ended even across invocations of the driver', async () => {
    const sessionId = await driver.session();
    const request = driver.request(sessionId, { command: cheat(`${driver.shared}/never`), timeoutSeconds: 600 });
    const first = await run(request, { until: Date.now() + 2_000 });
    expect(first).toMatchObject({ status: 'RUNNING', timeoutSeconds: 600 });
    expect(first.overtimeAt! - Date.now()).toBeGreaterThan(600_000);
    const later = await run({ ...request, mode: 'attach', previous: { ...first, overtimeAt: Date.now() - 1 } });
    expect(later).toMatchObject({ status: 'ENDED', verdict: 'TIMED_OUT' });
  }, 60_000);

  test('keeps its result if it had ended in time, unobserved', async () => {
    const request = driver.request(await driver.session(), { command: 'exit 0' });
    const { job } = await run(request);
    expect(await run({ ...request, mode: 'attach', previous: { job, overtimeAt: 1 } })).toMatchObject({ verdict: 'PASSED' });
    // The time of another job does not count.
    expect(await run({ ...request, name: 'other', command: 'sleep 1', previous: { job, overtimeAt: 1 } })).toMatchObject({ verdict: 'PASSED' });
  });
});

describe('a session that answers, but never about the job', () => {
  test.each([
    ['without a state', 'exit 0', 'without the state'],
    ['with another call\'s words', 'echo noise', 'noise'],
    ['with an error', 'exit 3', 'exit code 3'],
    ['with only an acknowledgement', 'printf() { builtin printf "$@"; [[ $1 != @job* ]] || exit 0; }', 'without the state'],
  ])('is broken: %s', async (_, profile, said) => {
    const sessionId = await driver.session();
    await driver.fixture.command(`echo '${profile}' >/mnt/workspace/profile`, { runtimeSessionId: sessionId });
    const retried: string[] = [];
    const request = driver.request(sessionId, { command: `touch ${driver.shared}/${sessionId}` });
    const running = run(request, { onRetry: ({ name }) => retried.push(name) });
    await expect(running).rejects.toMatchObject({ name: ERRORS.BROKEN, message: expect.stringContaining(said) });
    expect(retried).toEqual([ERRORS.STREAM_CUT, ERRORS.STREAM_CUT]);
  });

  test('is broken if it lacks the programs to send the output', async () => {
    const sessionId = await driver.session();
    await driver.fixture.command('echo "stat() { false; }; base64() { return 127; }" >/mnt/workspace/profile', { runtimeSessionId: sessionId });
    await expect(run(driver.request(sessionId, { command: 'echo out' }))).rejects.toMatchObject({ name: ERRORS.BROKEN });
    expect(calls(sessionId)).toHaveLength(1);
  });

  test('is not broken if it answers again', async () => {
    const sessionId = await driver.session();
    await driver.fixture.command(`echo '[[ -e ${driver.shared}/second ]] || { [[ ! -e ${driver.shared}/first ]] || : >${driver.shared}/second; : >${driver.shared}/first; exit 0; }' >/mnt/workspace/profile`, { runtimeSessionId: sessionId });
    expect(await run(driver.request(sessionId, { command: 'echo out' }))).toMatchObject({ verdict: 'PASSED', tail: 'out\n' });
    expect(existsSync(join(driver.shared, 'second'))).toBe(true);
  });
});
