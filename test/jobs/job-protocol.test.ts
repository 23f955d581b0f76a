import { spawnSync } from 'child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { jobCommand } from '../../src/jobs/job-command';
import { JOB_SCRIPT } from '../../src/jobs/job-script.generated';
import { isAlive } from '../support/host-processes';
import { LocalJobs } from '../support/local-jobs';

const SOURCE = join(__dirname, '../../src/jobs/job.sh');
const jobs = new LocalJobs();
afterAll(() => jobs.close());

describe('the script', () => {
  test('passes shellcheck', () => {
    const check = spawnSync('shellcheck', ['--shell', 'bash', SOURCE], { encoding: 'utf8' });
    expect(check.stdout).toBe('');
    expect(check.status).toBe(0);
  });

  test('is sent as it is, without its comments', () => {
    const lines = readFileSync(SOURCE, 'utf8').split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
    expect(JOB_SCRIPT.split('\n').length).toBe(lines.length);
    expect(JOB_SCRIPT).toContain('mkdir "$dir/go"');
  });

  test('leaves space for a command of 32 KiB, even of nothing but quotes', () => {
    for (const command of ["'".repeat(32_768), 'é'.repeat(16_384), 'x'.repeat(32_768)]) {
      const text = jobCommand({
        mode: 'start',
        job: 'x'.repeat(64),
        nonce: 'x'.repeat(36),
        mount: `/mnt/${'x'.repeat(195)}`,
        command,
        workingDirectory: `/mnt/${'x'.repeat(1_000)}`,
        timeoutSeconds: 28_800,
        budgetSeconds: 3_590,
        offset: 999_999_999,
        logBytes: 32_000_000,
      });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    }
  });
});

describe('a job', () => {
  test('runs once, and returns its output and exit code to every caller, any number of times', async () => {
    const command = 'echo start >> starts; echo out; echo err >&2; exit 3';
    const first = await jobs.call({ job: 'once', command });
    const second = await jobs.call({ job: 'once', command });
    const third = await jobs.call({ job: 'once', mode: 'attach' });
    for (const { end, output } of [first, second, third]) {
      expect(end).toMatchObject({ state: 'EXITED', exitCode: 3, bytes: 8 });
      expect(output.toString()).toBe('out\nerr\n');
    }
    expect(first.records[0]).toEqual({ kind: 'job', attached: false });
    expect(second.records[0]).toEqual({ kind: 'job', attached: true });
    expect(readFileSync(join(jobs.mount, 'starts'), 'utf8')).toBe('start\n');
  });

  test('is started by one of many simultaneous calls', async () => {
    const command = 'echo start >> starts-at-once; sleep 0.2';
    const calls = await Promise.all(Array.from({ length: 10 }, () => jobs.call({ job: 'at-once', command })));
    expect(calls.map(({ end }) => end?.state)).toEqual(Array(10).fill('EXITED'));
    expect(calls.filter(({ records }) => records.some((record) => record.kind === 'job' && !record.attached))).toHaveLength(1);
    expect(readFileSync(join(jobs.mount, 'starts-at-once'), 'utf8')).toBe('start\n');
  });

  test('has its own working directory, environment and input, and none of the protocol\'s', async () => {
    writeFileSync(join(jobs.mount, 'input'), 'from a file');
    const { output } = await jobs.call({
      job: 'surroundings',
      command: 'pwd; echo "$A"; cat; compgen -v | grep -xE "dir|quota|nonce|marker" | wc -l',
      workingDirectory: '/usr',
      environment: { A: "it's \"quoted\"\n$(and) more" },
      input: join(jobs.mount, 'input'),
    });
    expect(output.toString()).toBe("/usr\nit's \"quoted\"\n$(and) more\nfrom a file0\n");
  });

  test('is inert if the working directory does not exist', async () => {
    const { end, output } = await jobs.call({ job: 'nowhere', workingDirectory: '/not/there' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 126 });
    expect(output.toString()).toContain('/not/there');
  });

  test('is ended at its timeout, with children that ignore the signal or left the process group', async () => {
    const { end, output } = await jobs.call({
      job: 'timeout',
      command: 'trap "" TERM; (trap "" TERM; sleep 97) & echo $!; setsid sleep 98 & echo $!; exec 1>&-; sleep 99',
      timeoutSeconds: 1,
    });
    expect(end).toMatchObject({ state: 'TIMED_OUT' });
    const pids = output.toString().trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  }, 30_000);

  test('that is still running can be attached to, and keeps its own timeout', async () => {
    const first = await jobs.call({ job: 'long', command: 'echo a; while [ ! -e go-on ]; do sleep 0.05; done; echo b', budgetSeconds: 1 });
    expect(first.end).toMatchObject({ state: 'RUNNING', detail: 'budget' });
    expect(first.output.toString()).toBe('a\n');
    writeFileSync(join(jobs.mount, 'go-on'), '');
    const second = await jobs.call({ job: 'long', mode: 'attach', offset: 2 });
    expect(second.end).toMatchObject({ state: 'EXITED', exitCode: 0, bytes: 4 });
    expect(second.output.toString()).toBe('b\n');
  });

  test('survives the death of the call that started it', async () => {
    const cut = await jobs.call({ job: 'orphan', command: 'echo $$; while [ ! -e free ]; do sleep 0.05; done; echo done' }, { cutAfterBytes: 60 });
    expect(cut.end).toBeUndefined();
    writeFileSync(join(jobs.mount, 'free'), '');
    const { end, output } = await jobs.call({ job: 'orphan', mode: 'attach' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
    expect(output.toString()).toMatch(/^\d+\ndone\n$/);
  });

  test('that leaves processes running ends anyway, and ends them', async () => {
    const { end, output } = await jobs.call({ job: 'daemon', command: 'sleep 30 & echo $!' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
    expect(isAlive(Number(output.toString()))).toBe(false);
  });

  test('is ended by a call that cancels it', async () => {
    const running = await jobs.call({ job: 'cancel', command: 'echo on; sleep 60', budgetSeconds: 1 });
    expect(running.end?.state).toBe('RUNNING');
    const { end } = await jobs.call({ job: 'cancel', mode: 'cancel' });
    expect(end).toMatchObject({ state: 'CANCELLED', exitCode: 143 });
  });

  test('keeps the beginning and the end of an output that is longer than its log, and counts all of it', async () => {
    const { end } = await jobs.call({ job: 'chatty', command: 'for i in {1..400000}; do echo "line $i"; done', logBytes: 600_000 });
    const size = end!.bytes!;
    const { output, records } = await jobs.call({ job: 'chatty', mode: 'attach' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 0 });
    expect(size).toBe(Array.from({ length: 400_000 }, (_, i) => `line ${i + 1}\n`.length).reduce((a, b) => a + b));
    expect(output.toString()).toMatch(/^line 1\nline 2\n/);
    expect(output.toString()).toMatch(/line 399999\nline 400000\n$/);
    expect(output.length).toBeLessThan(7_000_000);
    const last = records.filter((record) => record.kind === 'out').pop()!;
    expect(last.kind === 'out' && last.offset + last.data.length).toBe(size);
  });

  test('pauses after a quota of output, so that no call exceeds the service\'s limit', async () => {
    const nonce = 'n';
    const text = jobCommand({
      mode: 'start',
      job: 'quota',
      nonce,
      mount: jobs.mount,
      command: 'head -c 1000000 /dev/zero',
      workingDirectory: '/',
      timeoutSeconds: 9,
      budgetSeconds: 9,
      offset: 0,
      logBytes: 10_000_000,
    });
    const { stdout } = spawnSync('/bin/bash', ['-c', `${text} quota=500000`], { encoding: 'utf8', maxBuffer: 1e8 });
    expect(stdout.trim().split('\n').pop()).toBe('@end n quota RUNNING quota - - - -');
  });
});

describe('a job that is lost', () => {
  test('because its microVM was replaced is recognized', async () => {
    await jobs.call({ job: 'replaced', command: 'echo before; sleep 60', budgetSeconds: 2 });
    writeFileSync(join(jobs.mount, '.workbench/jobs/replaced/boot'), 'another boot\n');
    const { end, output } = await jobs.call({ job: 'replaced', mode: 'attach' });
    expect(end).toMatchObject({ state: 'LOST', detail: 'microvm' });
    expect(output.toString()).toBe('before\n');
    process.kill(-Number(jobs.file('replaced', 'group')), 'SIGKILL');
  });

  test('keeps its verdict if it had ended before the microVM was replaced', async () => {
    await jobs.call({ job: 'ended-before', command: 'exit 5' });
    writeFileSync(join(jobs.mount, '.workbench/jobs/ended-before/boot'), 'another boot\n');
    const { end } = await jobs.call({ job: 'ended-before', mode: 'attach' });
    expect(end).toMatchObject({ state: 'EXITED', exitCode: 5 });
  });

  test('has lost its supervisor', async () => {
    await jobs.call({ job: 'alone', command: 'sleep 60', budgetSeconds: 1 });
    process.kill(Number(jobs.file('alone', 'pid').split(' ')[0]), 'SIGKILL');
    const { end } = await jobs.call({ job: 'alone', mode: 'attach' });
    expect(end).toMatchObject({ state: 'LOST', detail: 'supervisor' });
    expect(isAlive(Number(jobs.file('alone', 'group')))).toBe(false);
  });

  test('never started, and does not start later, because the caller that abandons it takes its place', async () => {
    mkdirSync(join(jobs.mount, '.workbench/jobs/half'), { recursive: true });
    const { end } = await jobs.call({ job: 'half', command: 'echo start >> starts-of-half' });
    expect(end).toMatchObject({ state: 'LOST', detail: 'unstarted' });
    expect(existsSync(join(jobs.mount, '.workbench/jobs/half/go'))).toBe(true);
    expect(existsSync(join(jobs.mount, 'starts-of-half'))).toBe(false);
    const again = await jobs.call({ job: 'half' });
    expect(again.end).toMatchObject({ state: 'LOST', detail: 'unstarted' });
  }, 60_000);

  test('does not exist for a call that only attaches, and is not started by it', async () => {
    const { end } = await jobs.call({ job: 'absent', mode: 'attach' });
    expect(end).toMatchObject({ state: 'LOST', detail: 'absent' });
  });

  test('is not started by a call that comes after it was reported as lost', async () => {
    await jobs.call({ job: 'late', mode: 'attach' });
    const late = await jobs.call({ job: 'late', command: 'touch started' });
    expect(late.end).toMatchObject({ state: 'LOST', detail: 'absent' });
    expect(existsSync(join(jobs.mount, 'started'))).toBe(false);
  });

  test.each(['start', 'attach'] as const)('is not started again in a workspace that was wiped: %s', async (mode) => {
    const job = `wiped-${mode}-${process.pid}`;
    await jobs.call({ job, command: 'true' });
    rmSync(join(jobs.mount, '.workbench'), { recursive: true });
    const { end } = await jobs.call({ job, mode, command: 'touch again' });
    expect(end).toMatchObject({ state: 'LOST', detail: 'absent' });
    expect(existsSync(join(jobs.mount, 'again'))).toBe(false);
  });

  test('is told from one that keeps running in a wiped workspace, and is ended', async () => {
    const job = `wiped-running-${process.pid}`;
    const command = 'echo begun; exec sleep 1000';
    await jobs.call({ job, command, budgetSeconds: 2 });
    const pid = jobs.file(job, 'group').trim();
    const following = jobs.call({ job, command });
    rmSync(join(jobs.mount, '.workbench'), { recursive: true });
    expect((await following).end).toMatchObject({ state: 'LOST', detail: 'absent' });
    expect(existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))).toBe(false);
  });

  test('is refused in a workspace that is not the run\'s own', async () => {
    mkdirSync(join(jobs.mount, '.workbench'), { recursive: true });
    writeFileSync(join(jobs.mount, '.workbench/marker'), 'run-1\n');
    const mine = await jobs.call({ job: 'marked', marker: 'run-1' });
    const other = await jobs.call({ job: 'marked-other', marker: 'run-2' });
    expect(mine.end?.state).toBe('EXITED');
    expect(other.end).toMatchObject({ state: 'LOST', detail: 'workspace' });
    expect(existsSync(join(jobs.mount, '.workbench/jobs/marked-other'))).toBe(false);
  });

  test('is refused without a mount', async () => {
    const { end, stderr } = await jobs.call({ job: 'unmounted', mount: '/mnt/not-there' });
    expect(end).toMatchObject({ state: 'REFUSED', detail: 'mount' });
    expect(stderr).toContain('/mnt/not-there');
  });
});

test('all of it works with the tools of BusyBox', async () => {
  const tools = mkdtempSync(join(tmpdir(), 'busybox-'));
  const busybox = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim();
  for (const tool of ['base64', 'cat', 'dd', 'head', 'ln', 'mkdir', 'mv', 'rm', 'sleep', 'stat', 'tail']) symlinkSync(busybox, join(tools, tool));
  const alpine = new LocalJobs();
  alpine.path = tools;
  try {
    const first = await alpine.call({ job: 'a', command: 'for i in {1..100000}; do echo "line $i"; done; exit 7', logBytes: 100_000 });
    expect(first.end).toMatchObject({ state: 'EXITED', exitCode: 7, bytes: 1_088_895 });
    const { output } = await alpine.call({ job: 'a', mode: 'attach' });
    expect(output.toString()).toMatch(/^line 1\n/);
    expect(output.toString()).toMatch(/line 100000\n$/);
    const late = await alpine.call({ job: 'b', command: 'sleep 60', timeoutSeconds: 1 });
    expect(late.end?.state).toBe('TIMED_OUT');
  } finally {
    alpine.close();
    rmSync(tools, { recursive: true });
  }
}, 30_000);
