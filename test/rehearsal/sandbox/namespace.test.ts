import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { NamespaceDriver, Sandbox, SandboxOptions, SandboxUnavailableError } from '../../../rehearsal/sandbox';
import { describeSandbox, hostProcesses, runIn, SandboxBench } from '../../support/sandbox-suite';

jest.setTimeout(60_000); // these are real processes, on a machine that may be busy with other tests

const AS_ROOT = process.getuid!() === 0;

const bench = new SandboxBench();
const scratches: string[] = [];
beforeEach(() => bench.open());
afterEach(async () => {
  await bench.close();
  scratches.splice(0).forEach(path => rmSync(path, { recursive: true }));
});

/** A directory outside /tmp, because a sandbox has its own /tmp. */
function scratch(): string {
  scratches.push(mkdtempSync(join(process.cwd(), '.rehearsal-test-')));
  return scratches.at(-1)!;
}

interface Options extends Partial<SandboxOptions> {
  readonly userNamespace?: boolean;
}

const start = ({ userNamespace, ...options }: Options = {}): Promise<Sandbox> => bench.start(new NamespaceDriver({ userNamespace }), options);

const KINDS = [...AS_ROOT ? [['as root', false] as const] : [], ['with a user namespace', true] as const];

KINDS.forEach(([kind, userNamespace]) => describeSandbox(`a namespace sandbox ${kind}`, () => new NamespaceDriver({ userNamespace })));

describe.each(KINDS)('a namespace sandbox %s', (_, userNamespace) => {
  test('has only its own processes, and a boot id that no other has', async () => {
    const [one, two] = await Promise.all([start({ userNamespace }), start({ userNamespace })]);
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const ids = [(await runIn(one, bootId)).stdout, (await runIn(two, bootId)).stdout, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')];
    expect(new Set(ids).size).toBe(3);
    const running = runIn(one, 'exec sleep 321');
    expect((await runIn(one, 'until pgrep -x sleep; do :; done; ls -d /proc/[0-9]* | wc -l')).stdout).toMatch(/^\d+\n[45]\n$/);
    expect((await runIn(two, 'pgrep -x sleep')).exitCode).toBe(1);
    await one.kill();
    expect(await running).toMatchObject({ sandboxKilled: true });
  });

  test('keeps changes outside the mounts from the host, even with other mounts', async () => {
    const beside = scratch();
    mkdirSync(join(beside, 'mount'));
    if (AS_ROOT) {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(beside, 'mount')]);
    }
    try {
      const sandbox = await start({ userNamespace });
      await runIn(sandbox, `touch ${beside}/change`);
      expect(readdirSync(beside)).toEqual(['mount']);
    } finally {
      execFileSync('umount', AS_ROOT ? [join(beside, 'mount')] : ['--version']);
    }
  });

  test('does not show hidden directories', async () => {
    const hidden = scratch();
    writeFileSync(join(hidden, 'secret'), '');
    const sandbox = await start({ userNamespace, hidden: [hidden, join(hidden, 'not-there')] });
    expect(await runIn(sandbox, `ls ${hidden}`)).toMatchObject({ stdout: '', exitCode: 0 });
  });

  test.each(['project', 'a b:c,d\\e "f"'])('shows a project below /tmp, and nothing else there, and discards changes: %s', async (name) => {
    const project = join(bench.directory, name);
    mkdirSync(join(project, 'hidden'), { recursive: true });
    writeFileSync(join(project, 'program'), 'echo it runs');
    writeFileSync(join(project, 'hidden', 'secret'), '');
    const driver = new NamespaceDriver({ userNamespace, visible: [join(project, 'hidden'), project, '/tmp', '/usr', '/tmp/not/there'] });
    const sandbox = await bench.start(driver, { hidden: [join(project, 'hidden')] });

    const { stdout } = await runIn(sandbox, 'bash ./program; ls hidden; touch changed; rm program; ls; ls -A /tmp ..', { workingDirectory: project });

    expect(stdout.split('\n').filter(line => line !== '')).toEqual(['it runs', 'changed', 'hidden', '..:', basename(project), '/tmp:', basename(bench.directory)]);
    expect(readdirSync(project).sort()).toEqual(['hidden', 'program']);
  });
});

describe('a process in a namespace sandbox', () => {
  test('has exactly the given environment and working bench.directory', async () => {
    const sandbox = await start({ environment: { PATH: process.env.PATH!, A: '1', B: '1' } });
    const { stdout } = await runIn(sandbox, '', { command: ['env'], environment: { B: '2' } });
    expect(stdout.trim().split('\n').filter(line => !line.startsWith('REHEARSAL_EXEC_ID=')).sort()).toEqual(['A=1', 'B=2', `PATH=${process.env.PATH}`]);
    expect((await runIn(sandbox, 'pwd; exit 3', { workingDirectory: '/mnt/workspace' }))).toMatchObject({ stdout: '/mnt/workspace\n', exitCode: 3 });
    expect((await runIn(sandbox, 'pwd', { workingDirectory: '/not/there' })).exitCode).toBe(1);
  });

  test('is one of hundreds, some concurrent', async () => {
    const sandbox = await start();
    const results = [];
    for (let i = 0; i < 15; i++) {
      results.push(...await Promise.all(Array.from({ length: 10 }, (_, j) => runIn(sandbox, `echo ${i}-${j}`))));
    }
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 150 }, (_, i) => `${Math.floor(i / 10)}-${i % 10}`));
    expect((await runIn(sandbox, 'ls -d /proc/[0-9]* | wc -l')).stdout.trim()).toMatch(/^[34]$/); // nor any zombies
  });
});

test('an ordinary user can create one and run commands in it as that user, and nothing of it is left', async () => {
  const program = join(bench.directory, 'program.js');
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
  execFileSync('chmod', ['-R', '777', bench.directory]);
  const output = execFileSync(asUser[0], [...asUser.slice(1), process.execPath, '-e', script, bench.directory], { encoding: 'utf8' });
  expect(output).toBe(`${AS_ROOT ? 65534 : process.getuid!()}\n`);
  expect(readdirSync(join(bench.directory, 'workspace'))).toEqual(['made']);
  expect(readdirSync(join(bench.directory, 'user'))).toEqual([]);
});

test('nothing is left when the rehearsal itself is killed', async () => {
  const script = `
    const { NamespaceDriver } = require(${JSON.stringify(join(__dirname, '../../../rehearsal/sandbox/index.ts'))});
    new NamespaceDriver().start({ disk: process.argv[1], mounts: [], environment: { PATH: process.env.PATH } }).then(async sandbox => {
      await sandbox.spawn({ command: ['sleep', '7654'] });
      console.log('started');
    });`;
  const disk = join(bench.directory, 'disks', 'orphan');
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

test('fails for a sandbox that cannot be created, with what is missing', async () => {
  const start1 = start({ mounts: [{ source: join(bench.directory, 'not-there'), target: '/mnt/workspace' }] });
  await expect(start1).rejects.toThrow(SandboxUnavailableError);
  await expect(start1).rejects.toThrow(/not-there.*needs bash, coreutils and util-linux/s);
});
