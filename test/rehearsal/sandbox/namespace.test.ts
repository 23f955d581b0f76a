import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ExecOptions, NamespaceDriver, Sandbox, SandboxMount, SandboxOptions, SandboxUnavailableError } from '../../../rehearsal/sandbox';

jest.setTimeout(60_000); // real processes, on a machine that may be busy with other tests

const AS_ROOT = process.getuid!() === 0;

let directory: string;
const scratches: string[] = [];
const sandboxes: Sandbox[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
  mkdirSync(join(directory, 'workspace'));
});
afterEach(async () => {
  await Promise.all(sandboxes.splice(0).map(sandbox => sandbox.kill()));
  expect(existsSync(join(directory, 'disks')) ? readdirSync(join(directory, 'disks')) : []).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(directory);
  expect(hostProcesses(directory)).toEqual([]);
  [directory, ...scratches.splice(0)].forEach(path => rmSync(path, { recursive: true }));
});

/** A directory that is not in /tmp, which a sandbox has an own one of. */
function scratch(): string {
  scratches.push(mkdtempSync(join(process.cwd(), '.rehearsal-test-')));
  return scratches.at(-1)!;
}

/** Ids of the host's processes whose command line has a text. */
function hostProcesses(text: string): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && name !== `${process.pid}`).filter(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

interface Options extends Partial<SandboxOptions> {
  readonly userNamespace?: boolean;
}

let disks = 0;
async function start({ userNamespace, ...options }: Options = {}): Promise<Sandbox> {
  const mounts: SandboxMount[] = [{ source: join(directory, 'workspace'), target: '/mnt/workspace' }];
  const sandbox = await new NamespaceDriver({ userNamespace }).start({
    disk: join(directory, 'disks', `${++disks}`), mounts, environment: { PATH: process.env.PATH!, HOME: '/root' }, ...options,
  });
  sandboxes.push(sandbox);
  return sandbox;
}

async function run(sandbox: Sandbox, command: string, options: Partial<ExecOptions> = {}) {
  const output = { stdout: '', stderr: '' };
  const result = await sandbox.exec({
    command: ['bash', '-c', command],
    onStdout: chunk => { output.stdout += chunk.toString(); },
    onStderr: chunk => { output.stderr += chunk.toString(); },
    ...options,
  });
  return { ...output, ...result };
}

describe.each([...AS_ROOT ? [['as root', false] as const] : [], ['with a user namespace', true] as const])('a namespace sandbox %s', (_, userNamespace) => {
  test('sees the workspace at its mount path, and shares it with the host', async () => {
    writeFileSync(join(directory, 'workspace', 'from-host'), 'host');
    const sandbox = await start({ userNamespace });
    expect((await run(sandbox, 'cat /mnt/workspace/from-host; echo inside >/mnt/workspace/from-sandbox; ls /mnt')).stdout).toBe('hostworkspace\n');
    expect(readFileSync(join(directory, 'workspace', 'from-sandbox'), 'utf8')).toBe('inside\n');
  });

  test('has /tmp, /dev/shm and all other changes to itself', async () => {
    const [one, two] = await Promise.all([start({ userNamespace }), start({ userNamespace })]);
    const name = `sandbox-test-${process.pid}`;
    const paths = ['/tmp', '/dev/shm', '/etc', '/var/tmp', '/root', '/opt'].map(parent => join(parent, name));
    expect(await run(one, `touch ${paths.join(' ')} && ls -d ${paths.join(' ')} && ls -A /tmp`)).toMatchObject({ stdout: `${[...paths].sort().join('\n')}\n${name}\n`, exitCode: 0 });
    expect((await run(two, `ls -d ${paths.join(' ')}`)).stdout).toBe('');
    expect(paths.filter(existsSync)).toEqual([]);
  });

  test('has only its own processes, and another boot id than any other', async () => {
    const [one, two] = await Promise.all([start({ userNamespace }), start({ userNamespace })]);
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const ids = [(await run(one, bootId)).stdout, (await run(two, bootId)).stdout, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')];
    expect(new Set(ids).size).toBe(3);
    const running = run(one, 'exec sleep 321');
    expect((await run(one, 'until pgrep -x sleep; do :; done; ls -d /proc/[0-9]* | wc -l')).stdout).toMatch(/^\d+\n[45]\n$/);
    expect((await run(two, 'pgrep -x sleep')).exitCode).toBe(1);
    await one.kill();
    expect(await running).toMatchObject({ sandboxKilled: true });
  });

  test('keeps the host from changes beside other mounts too', async () => {
    const beside = scratch();
    mkdirSync(join(beside, 'mount'));
    if (AS_ROOT) {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(beside, 'mount')]);
    }
    try {
      const sandbox = await start({ userNamespace });
      await run(sandbox, `touch ${beside}/change`);
      expect(readdirSync(beside)).toEqual(['mount']);
    } finally {
      execFileSync('umount', AS_ROOT ? [join(beside, 'mount')] : ['--version']);
    }
  });

  test('shows nothing of hidden directories', async () => {
    const hidden = scratch();
    writeFileSync(join(hidden, 'secret'), '');
    const sandbox = await start({ userNamespace, hidden: [hidden, join(hidden, 'not-there')] });
    expect(await run(sandbox, `ls ${hidden}`)).toMatchObject({ stdout: '', exitCode: 0 });
  });

  test('takes several mounts, outside /mnt too, whatever their names', async () => {
    const odd = join(directory, 'a b:c,d\\e "f"');
    mkdirSync(odd);
    const shared = join(directory, 'shared');
    mkdirSync(shared);
    const sandbox = await start({ userNamespace, mounts: [{ source: odd, target: '/mnt/odd' }, { source: shared, target: shared }] });
    await run(sandbox, `touch /mnt/odd/x ${shared}/y`);
    expect([existsSync(join(odd, 'x')), existsSync(join(shared, 'y'))]).toEqual([true, true]);
  });

  test('leaves no process and no disk when it is killed', async () => {
    const sandbox = await start({ userNamespace });
    await run(sandbox, 'setsid sleep 4321 & nohup sleep 4321 & head -c 1000000 /dev/zero >/tmp/file; mkdir -p /var/x/y; chmod 000 /tmp/file /var/x');
    await sandbox.kill();
    expect(hostProcesses('4321')).toEqual([]);
    await sandbox.kill();
    expect(await run(sandbox, 'true')).toMatchObject({ exitCode: 137, sandboxKilled: true });
  });
});

describe('a process in a sandbox', () => {
  test.each([
    ['exit 42', 42],
    ['kill -SEGV $$', 139],
  ])('ends with its code: %s', async (command, exitCode) => {
    expect(await run(await start(), command)).toMatchObject({ exitCode, sandboxKilled: false });
  });

  test('has exactly the environment and the working directory that it is given', async () => {
    const sandbox = await start({ environment: { PATH: process.env.PATH!, A: '1', B: '1' } });
    const { stdout } = await run(sandbox, '', { command: ['env'], environment: { B: '2' } });
    expect(stdout.trim().split('\n').filter(line => !line.startsWith('REHEARSAL_EXEC_ID=')).sort()).toEqual(['A=1', 'B=2', `PATH=${process.env.PATH}`]);
    expect((await run(sandbox, 'pwd; exit 3', { workingDirectory: '/mnt/workspace' }))).toMatchObject({ stdout: '/mnt/workspace\n', exitCode: 3 });
    expect((await run(sandbox, 'pwd', { workingDirectory: '/not/there' })).exitCode).toBe(1);
  });

  test('is killed with its group by the signal of the call', async () => {
    const sandbox = await start();
    const controller = new AbortController();
    const running = run(sandbox, 'sleep 987 & sleep 987', { signal: controller.signal, onStdout: () => undefined });
    await run(sandbox, 'until [ $(pgrep -c sleep) = 2 ]; do :; done');
    controller.abort();
    expect(await running).toMatchObject({ exitCode: 137, sandboxKilled: false });
    expect((await run(sandbox, 'pgrep sleep')).exitCode).toBe(1);
  });

  test('that is aborted before it starts does not stay', async () => {
    const sandbox = await start();
    expect(await run(sandbox, 'sleep 987', { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 137 });
  });

  test('waits while its output is not taken', async () => {
    const sandbox = await start();
    let release = () => {};
    const released = new Promise<void>(resolve => release = resolve);
    let bytes = 0;
    const running = run(sandbox, 'head -c 1000000 /dev/zero; touch /tmp/done', {
      onStdout: chunk => {
        bytes += chunk.length;
        return released;
      },
    });
    await run(sandbox, 'until pgrep -x head && grep -q pipe /proc/$(pgrep -x head)/wchan; do :; done');
    expect(bytes).toBeLessThanOrEqual(65_536);
    expect((await run(sandbox, 'ls /tmp/done')).exitCode).toBe(2);
    release();
    await running;
    expect(bytes).toBe(1_000_000);
  });

  test('is one of hundreds, some at once', async () => {
    const sandbox = await start();
    const results = [];
    for (let i = 0; i < 15; i++) {
      results.push(...await Promise.all(Array.from({ length: 10 }, (_, j) => run(sandbox, `echo ${i}-${j}`))));
    }
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 150 }, (_, i) => `${Math.floor(i / 10)}-${i % 10}`));
    expect((await run(sandbox, 'ls -d /proc/[0-9]* | wc -l')).stdout.trim()).toMatch(/^[34]$/); // no zombies either
  });
});

describe('left-over processes', () => {
  const LEAVE = 'setsid sleep 654 & (sleep 654 &) ; nohup sleep 654 >/dev/null 2>&1 & echo done';

  test('stay if they may, and do not hold up the end', async () => {
    const sandbox = await start();
    expect(await run(sandbox, LEAVE, { leftovers: 'keep' })).toMatchObject({ stdout: 'done\n', exitCode: 0 });
    expect((await run(sandbox, 'until [ $(pgrep -cx sleep) = 3 ]; do sleep 0.01; done')).exitCode).toBe(0);
  });

  test('are killed if they may not, however they were detached', async () => {
    const sandbox = await start();
    expect(await run(sandbox, LEAVE, { leftovers: 'kill' })).toMatchObject({ stdout: 'done\n', exitCode: 0 });
    expect((await run(sandbox, 'pgrep -c sleep')).stdout).toBe('0\n');
  });
});

test('an ordinary user can make one, and nothing of it is left', async () => {
  const program = join(directory, 'program.js');
  await build({ entryPoints: [join(__dirname, '../../../rehearsal/sandbox/index.ts')], bundle: true, platform: 'node', outfile: program, logLevel: 'error' });
  const script = `
    const { NamespaceDriver } = require(process.argv[1] + '/program.js');
    const mounts = [{ source: process.argv[1] + '/workspace', target: '/mnt/workspace' }];
    new NamespaceDriver().start({ disk: process.argv[1] + '/user/disk', mounts, environment: { PATH: process.env.PATH } }).then(async sandbox => {
      const command = 'touch /mnt/workspace/made && mkdir -p /tmp/a/b && chmod 000 /tmp/a/b /tmp/a && id -u';
      await sandbox.exec({ command: ['bash', '-c', command], onStdout: chunk => void process.stdout.write(chunk), onStderr: chunk => void process.stderr.write(chunk) });
      await sandbox.kill();
    });`;
  const asUser = AS_ROOT ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : ['env'];
  execFileSync('chmod', ['-R', '777', directory]);
  const output = execFileSync(asUser[0], [...asUser.slice(1), process.execPath, '-e', script, directory], { encoding: 'utf8' });
  expect(output).toBe('0\n'); // root of its own user namespace
  expect(readdirSync(join(directory, 'workspace'))).toEqual(['made']);
  expect(readdirSync(join(directory, 'user'))).toEqual([]);
});

test('nothing is left when the rehearsal itself is killed', async () => {
  const script = `
    const { NamespaceDriver } = require(${JSON.stringify(join(__dirname, '../../../rehearsal/sandbox/index.ts'))});
    new NamespaceDriver().start({ disk: process.argv[1], mounts: [], environment: { PATH: process.env.PATH } }).then(async sandbox => {
      await sandbox.spawn({ command: ['sleep', '7654'] });
      console.log('started');
    });`;
  const disk = join(directory, 'disks', 'orphan');
  const child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', '-e', script, disk], {
    env: { ...process.env, TS_NODE_PROJECT: 'tsconfig.dev.json' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise(resolve => child.stdout.once('data', resolve));
  const supervisors = hostProcesses(disk).filter(pid => pid !== `${child.pid}`);
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  supervisors.forEach(pid => execFileSync('tail', ['--pid', pid, '-s', '0.01', '-f', '/dev/null']));
  expect(existsSync(disk)).toBe(false);
  expect(hostProcesses('7654')).toEqual([]);
});

test('a sandbox that cannot be made fails with what is missing', async () => {
  const start1 = start({ mounts: [{ source: join(directory, 'not-there'), target: '/mnt/workspace' }] });
  await expect(start1).rejects.toThrow(SandboxUnavailableError);
  await expect(start1).rejects.toThrow(/not-there.*needs bash, coreutils and util-linux/s);
});
