import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecOptions, Sandbox, SandboxDriver, SandboxOptions } from '../../rehearsal/sandbox';

/** Counts the processes of a sandbox by name, using only programs that every image has. */
export const count = (program: string) => `grep -lxs ${program} /proc/[0-9]*/comm | wc -l`;

/** The sandboxes of one test file, with checks that they leave nothing behind. */
export class SandboxBench {
  directory = '';
  private disks = 0;
  private readonly sandboxes: Sandbox[] = [];

  open(): void {
    this.directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
    mkdirSync(join(this.directory, 'workspace'));
  }

  async close(): Promise<void> {
    await Promise.all(this.sandboxes.splice(0).map((sandbox) => sandbox.kill()));
    const disks = join(this.directory, 'disks');
    expect(existsSync(disks) ? readdirSync(disks) : []).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(this.directory);
    expect(hostProcesses(this.directory)).toEqual([]);
    rmSync(this.directory, { recursive: true });
  }

  async start(driver: SandboxDriver, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
    const sandbox = await driver.start({
      disk: join(this.directory, 'disks', `${++this.disks}`),
      mounts: [{ source: join(this.directory, 'workspace'), target: '/mnt/workspace' }],
      environment: driver.image ? {} : { PATH: process.env.PATH!, HOME: '/root' },
      ...options,
    });
    this.sandboxes.push(sandbox);
    return sandbox;
  }
}

/** Returns the ids of the host's processes whose command line contains the text. */
export function hostProcesses(text: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

export async function runIn(sandbox: Sandbox, command: string, options: Partial<ExecOptions> = {}) {
  const output = { stdout: '', stderr: '' };
  const result = await sandbox.exec({
    command: ['bash', '-c', command],
    onStdout: (chunk) => { output.stdout += chunk.toString('latin1'); },
    onStderr: (chunk) => { output.stderr += chunk.toString('latin1'); },
    ...options,
  });
  return { ...output, ...result };
}

/** Describes the behaviour that all sandbox drivers share. */
export function describeSandbox(name: string, driver: () => SandboxDriver): void {
  describe(name, () => {
    const bench = new SandboxBench();
    const start = (options?: Partial<SandboxOptions>) => bench.start(driver(), options);
    beforeEach(() => bench.open());
    afterEach(() => bench.close());

    describe('a sandbox', () => {
      test('sees the workspace at its mount path, and shares it with the host', async () => {
        writeFileSync(join(bench.directory, 'workspace', 'from-host'), 'host');
        const sandbox = await start();
        expect((await runIn(sandbox, 'cat /mnt/workspace/from-host; echo inside >/mnt/workspace/from-sandbox; ls /mnt')).stdout).toBe('hostworkspace\n');
        expect(readFileSync(join(bench.directory, 'workspace', 'from-sandbox'), 'utf8')).toBe('inside\n');
      });

      test('keeps /tmp, /dev/shm and all other changes to itself', async () => {
        const [one, two] = await Promise.all([start(), start()]);
        const file = `sandbox-test-${process.pid}`;
        const paths = ['/tmp', '/dev/shm', '/etc', '/var/tmp', '/root', '/opt'].map((parent) => join(parent, file));
        const [inTmp] = /(?<=^\/tmp\/)[^/]+/.exec(process.cwd()) ?? ['']; // the path of this project
        const listing = `${[...paths].sort().join('\n')}\n${file}\n`;
        expect(await runIn(one, `touch ${paths.join(' ')} && ls -d ${paths.join(' ')} && ls -A /tmp | grep -vxF '${inTmp}'`)).toMatchObject({ stdout: listing, exitCode: 0 });
        expect((await runIn(two, `ls -d ${paths.join(' ')}`)).stdout).toBe('');
        expect(paths.filter(existsSync)).toEqual([]);
      });

      test('sees only its own processes', async () => {
        const [one, two] = await Promise.all([start(), start()]);
        const running = runIn(one, 'exec sleep 321');
        await runIn(one, `until [ $(${count('sleep')}) = 1 ]; do :; done`);
        expect((await runIn(two, count('sleep'))).stdout).toBe('0\n');
        await one.kill();
        expect(await running).toMatchObject({ sandboxKilled: true });
      });

      test('supports several mounts, also outside /mnt and with any name', async () => {
        const odd = join(bench.directory, 'a b:c,d\\e "f"');
        mkdirSync(odd);
        const shared = join(bench.directory, 'shared');
        mkdirSync(shared);
        const sandbox = await start({ mounts: [{ source: odd, target: '/mnt/odd' }, { source: shared, target: shared }] });
        await runIn(sandbox, `touch /mnt/odd/x ${shared}/y`);
        expect([existsSync(join(odd, 'x')), existsSync(join(shared, 'y'))]).toEqual([true, true]);
      });

      test('leaves no process and no disk when killed', async () => {
        const sandbox = await start();
        await runIn(sandbox, 'setsid sleep 4321 & nohup sleep 4321 & head -c 1000000 /dev/zero >/tmp/file; mkdir -p /var/x/y; chmod 000 /tmp/file /var/x');
        await sandbox.kill();
        expect(hostProcesses('sleep\x004321')).toEqual([]);
        await sandbox.kill();
        expect(await runIn(sandbox, 'true')).toMatchObject({ exitCode: 137, sandboxKilled: true });
      });
    });

    describe('a process', () => {
      test.each([
        ['exit 42', 42],
        ['exit 125', 125],
        ['kill -SEGV $$', 139],
        ['exec not-a-program', 127],
      ])('exits with its exit code: %s', async (command, exitCode) => {
        expect(await runIn(await start(), command)).toMatchObject({ exitCode, sandboxKilled: false });
      });

      test('can be a program, which gets its arguments unchanged', async () => {
        const sandbox = await start();
        const words = ['', 'a b', '$HOME', "it's", '--', '"', '\n', '*'];
        expect((await runIn(sandbox, '', { command: ['printf', '<%s>', ...words] })).stdout).toBe(words.map((word) => `<${word}>`).join(''));
        expect((await runIn(sandbox, '', { command: ['not-a-program'] })).exitCode).toBe(127);
        expect((await runIn(sandbox, '', { command: ['exit', '3'] })).exitCode).toBe(127);
      });

      test('has the given environment and working directory', async () => {
        const sandbox = await start({ environment: { ...driver().image ? {} : { PATH: process.env.PATH! }, A: '1', B: '1', C: 'two\nlines' } });
        const { stdout } = await runIn(sandbox, 'echo "$A $B $C $NODE_ENV"', { environment: { B: '2' } });
        expect(stdout).toBe('1 2 two\nlines \n');
        expect((await runIn(sandbox, 'pwd'))).toMatchObject({ stdout: '/\n' });
        expect((await runIn(sandbox, 'pwd; exit 3', { workingDirectory: '/mnt/workspace' }))).toMatchObject({ stdout: '/mnt/workspace\n', exitCode: 3 });
        expect((await runIn(sandbox, 'pwd', { workingDirectory: '/not/there' })).exitCode).toBe(1);
      });

      test('keeps its outputs separate and byte for byte, and can open them', async () => {
        const everyByte = 'for i in {0..255}; do printf "\\\\x$(printf %x $i)"; done';
        const { stdout, stderr } = await runIn(await start(), `${everyByte}; echo error >/dev/stderr; echo end >/dev/stdout; printf '\\x1e' >&2`);
        expect(Buffer.from(stdout, 'latin1')).toEqual(Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('end\n')]));
        expect(stderr).toBe('error\n\x1e');
      });

      test('is killed with its process group when the call is aborted', async () => {
        const sandbox = await start();
        const controller = new AbortController();
        const running = runIn(sandbox, 'sleep 987 & sleep 987', { signal: controller.signal });
        await runIn(sandbox, `until [ $(${count('sleep')}) = 2 ]; do :; done`);
        controller.abort();
        expect(await running).toMatchObject({ exitCode: 137, sandboxKilled: false });
        expect((await runIn(sandbox, count('sleep'))).stdout).toBe('0\n');
      });

      test('does not stay if it is aborted before it starts', async () => {
        expect(await runIn(await start(), 'sleep 987', { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 137 });
      });

      test('blocks while its output is not read', async () => {
        const sandbox = await start();
        let release = () => {};
        const released = new Promise<void>((resolve) => release = resolve);
        let bytes = 0;
        const running = runIn(sandbox, 'head -c 10000000 /dev/zero; touch /tmp/done', {
          onStdout: (chunk) => {
            bytes += chunk.length;
            return released;
          },
        });
        await runIn(sandbox, 'until pid=$(grep -lxs head /proc/[0-9]*/comm) && grep -q pipe "${pid%comm}wchan"; do :; done');
        expect(bytes).toBeLessThanOrEqual(65_536);
        expect((await runIn(sandbox, 'ls /tmp/done')).exitCode).toBe(2);
        release();
        await running;
        expect(bytes).toBe(10_000_000);
      });

      test('can be one of many, some concurrent', async () => {
        const sandbox = await start();
        const results = [];
        for (let i = 0; i < 5; i++) {
          results.push(...await Promise.all(Array.from({ length: 6 }, (_, j) => runIn(sandbox, `echo ${i}-${j}`))));
        }
        expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 30 }, (_, i) => `${Math.floor(i / 6)}-${i % 6}`));
        expect((await runIn(sandbox, 'grep -l "^State:.Z" /proc/[0-9]*/status')).stdout).toBe('');
      });
    });

    describe('left-over processes', () => {
      const LEAVE = 'setsid sleep 654 & (sleep 654 &) ; nohup sleep 654 >/dev/null 2>&1 & echo done';

      test('are kept if allowed, and do not delay the exit', async () => {
        const sandbox = await start();
        expect(await runIn(sandbox, LEAVE, { leftovers: 'keep' })).toMatchObject({ stdout: 'done\n', exitCode: 0 });
        expect((await runIn(sandbox, `until [ $(${count('sleep')}) = 3 ]; do sleep 0.01; done`)).exitCode).toBe(0);
      });

      test('are killed if not allowed, however they were detached', async () => {
        const sandbox = await start();
        expect(await runIn(sandbox, LEAVE, { leftovers: 'kill' })).toMatchObject({ stdout: 'done\n', exitCode: 0 });
        expect((await runIn(sandbox, count('sleep'))).stdout).toBe('0\n');
      });

      test('are killed with an aborted command', async () => {
        const sandbox = await start();
        const controller = new AbortController();
        const running = runIn(sandbox, 'setsid sleep 654 & sleep 654', { leftovers: 'kill', signal: controller.signal });
        await runIn(sandbox, `until [ $(${count('sleep')}) = 2 ]; do :; done`);
        controller.abort();
        expect(await running).toMatchObject({ exitCode: 137 });
        expect((await runIn(sandbox, count('sleep'))).stdout).toBe('0\n');
      });
    });
  });
}
