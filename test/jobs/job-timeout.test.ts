/** Tests the ways in which a command may outlive its timeout, by mistake or by accident, and the end of the processes that it leaves. */
import { spawn } from 'child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { isAlive } from '../support/host-processes';
import { LocalJobs } from '../support/local-jobs';

const jobs = new LocalJobs();
const path = jobs.path;
afterEach(() => {
  jobs.path = path;
  rmSync('evil', { force: true }); // or a leftover of one test would fail the next
});
afterAll(() => jobs.close());

/** Waits without starting a program. */
const wait = (seconds: number) => `read -t ${seconds} <> <(:)`;
const pids = (output: Buffer) => output.toString().trim().split('\n').map(Number);

describe('a command is ended at its timeout, and does not pass', () => {
  test.each([
    ['that ignores TERM and ends every sleep', `trap "" TERM; for i in {1..150}; do pkill -KILL -s 0 -x sleep; ${wait(0.1)}; done; exit 0`],
    ['that ends every program of the protocol', `for i in {1..150}; do pkill -KILL -s 0 -x "sleep|dd|stat|cat|mv"; ${wait(0.1)}; done; exit 0`],
    ['that stops itself', 'kill -STOP $$; exit 0'],
    ['that stops its watcher', `kill -STOP $PPID; ${wait(15)}; exit 0`],
    ['that stops everything that its watcher has started', `pkill -STOP -P $PPID -x "bash|dd"; ${wait(15)}; exit 0`],
    ['that asks its watcher to end', `kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID; ${wait(15)}; exit 0`],
    ['that has closed its outputs', `exec >&- 2>&-; ${wait(15)}; exit 0`],
    ['that exits with 0 when it is told to end', `trap "exit 0" TERM; for i in {1..150}; do ${wait(0.1)}; done`],
  ])('%s', async (name, command) => {
    const { end } = await jobs.call({ job: name.replace(/\W+/g, '-'), command, timeoutSeconds: 1, budgetSeconds: 40 });
    expect(end).toMatchObject({ state: 'TIMED_OUT' });
  }, 60_000);

  test('that removes the programs of the protocol', async () => {
    const tools = mkdtempSync(join(tmpdir(), 'tools-'));
    for (const tool of ['base64', 'cat', 'dd', 'head', 'ln', 'mkdir', 'mv', 'rm', 'stat', 'sleep', 'tail']) symlinkSync(`/bin/${tool}`, join(tools, tool));
    jobs.path = tools;
    const { end } = await jobs.call({ job: 'tools', command: `rm ${tools}/*; ${wait(15)}; exit 0`, timeoutSeconds: 1, budgetSeconds: 40 });
    rmSync(tools, { recursive: true });
    expect(end).toMatchObject({ state: 'TIMED_OUT' });
  }, 60_000);

  test('that stops its watcher while nobody follows it, and exits with 0 after its timeout', async () => {
    const done = join(jobs.mount, 'stopped-done');
    // The call has ended by then; otherwise it would resume the watcher.
    const command = `${wait(2)}; kill -STOP $PPID; ${wait(2)}; : >${done}; exit 0`;
    await jobs.call({ job: 'unseen', command, timeoutSeconds: 3, budgetSeconds: 1 });
    const pid = Number(jobs.file('unseen', 'group'));
    while (!existsSync(done) && isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    const { end } = await jobs.call({ job: 'unseen', mode: 'attach', budgetSeconds: 40 });
    expect(end).toMatchObject({ state: 'TIMED_OUT' });
  }, 60_000);

  test('that starts as many processes as the limit permits, and ignores TERM', async () => {
    const others = new LocalJobs();
    chmodSync(others.mount, 0o777);
    // Root has no limit; and unreaped processes count for the next run of this test.
    const user = String(100_000 + process.pid);
    const limited = ['/bin/bash', '-c', 'ulimit -u 40; exec "$@"', 'bash'];
    others.prefix = process.getuid!() === 0 ? ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', ...limited] : limited;
    const command = 'trap "" TERM; exec 9<> <(:); (while :; do (trap "" TERM; exec sleep 60) & done) 2>/dev/null & read -t 15 -u 9; exit 0';
    const { end } = await others.call({ job: 'full', command, timeoutSeconds: 2, budgetSeconds: 50 });
    others.close();
    expect(end).toMatchObject({ state: 'TIMED_OUT' });
  }, 60_000);
});

describe('the end of a command ends what it started', () => {
  const daemon = 'trap "" TERM; exec >&- 2>&-; while read -t 0.1 <> <(:); (($? > 128)); do :; done';
  const left = `setsid env -i /bin/bash -c '${daemon}' & echo $!; setsid /bin/bash -c '${daemon}' & echo $!; (${daemon}) & echo $!; sleep 300 & kill -STOP $!; echo $!`;

  test.each([['when it is over', 'true', 'EXITED'], ['at its timeout', 'sleep 60', 'TIMED_OUT']])('%s, whatever its session or environment', async (name, command, state) => {
    const { end, output } = await jobs.call({ job: name.replace(/\W+/g, '-'), command: `${left}; ${command}`, timeoutSeconds: 2 });
    expect(end).toMatchObject({ state });
    expect(pids(output)).toHaveLength(4);
    expect(pids(output).filter(isAlive)).toEqual([]);
  }, 30_000);

  test('when its watcher was killed, which loses the job', async () => {
    const { end, output } = await jobs.call({ job: 'unwatched', command: `echo $$; ${left}; kill -KILL $PPID; exec sleep 60` });
    expect(end).toMatchObject({ state: 'LOST', detail: 'supervisor' });
    expect(pids(output).filter(isAlive)).toEqual([]);
  });

  test('but not before it had a second to exit', async () => {
    const { end, output } = await jobs.call({ job: 'late', command: '(exec >&-; sleep 0.3; echo written >late) & (sleep 0.4; echo said) & exit 0' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
    expect(output.toString()).toBe('said\n');
    expect(readFileSync(join(jobs.mount, 'late'), 'utf8')).toBe('written\n');
  });

  test('and nothing else: not its neighbors, and not another job with that name', async () => {
    const other = new LocalJobs();
    const server = spawn('sleep', ['300'], { stdio: 'ignore' });
    let running = await other.call({ job: 'same', command: 'echo $$; exec sleep 300', budgetSeconds: 1 });
    while (running.output.length === 0) running = await other.call({ job: 'same', mode: 'attach', budgetSeconds: 1 });
    await jobs.call({ job: 'same', command: 'sleep 300 & true' });
    expect([server.pid!, ...pids(running.output)].map(isAlive)).toEqual([true, true]);
    server.kill('SIGKILL');
    await other.call({ job: 'same', mode: 'cancel' });
    expect(pids(running.output).filter(isAlive)).toEqual([]);
    other.close();
  });
});

describe('text from files is not evaluated as arithmetic', () => {
  const folder = (job: string) => join(jobs.mount, '.workbench/jobs', job);
  const evil = 'BASH_VERSINFO[$(>evil)0]'; // one word, wherever a line of a file is split

  test.each([
    ['the name of a segment', (file: string) => `touch "$d/log.${file}" "$d/log.08"`],
    ['the process', (file: string) => `echo "${file} 1" >$d/pid`],
    ['the group', (file: string) => `echo "${file}" >$d/group`],
    ['the end', (file: string) => `echo "EXITED ${file} 1 2 3" >$d/exit`],
  ])('%s', async (name, write) => {
    const job = name.replace(/\W+/g, '-');
    const command = `d=${folder(job)}; echo out; ${write(evil.replace('$', '\\$'))}; exec sleep 30`;
    await jobs.call({ job, command, budgetSeconds: 1 });
    await jobs.call({ job, mode: 'attach', budgetSeconds: 1 });
    await jobs.call({ job, mode: 'cancel' });
    expect(existsSync('evil') || existsSync(join(jobs.mount, 'evil'))).toBe(false);
  }, 60_000);

  test('nor is the output of a program that somebody has placed before another on PATH', async () => {
    const tools = mkdtempSync(join(tmpdir(), 'tools-'));
    writeFileSync(join(tools, 'stat'), `#!/bin/bash\necho '${evil}'\n`, { mode: 0o755 });
    jobs.path = `${tools}:${path}`;
    const { end } = await jobs.call({ job: 'program', command: 'echo out' });
    rmSync(tools, { recursive: true });
    expect(end).toMatchObject({ state: 'REFUSED', detail: 'tools' });
    expect(existsSync('evil') || existsSync(join(jobs.mount, 'evil'))).toBe(false);
  });
});
