import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ContainerDriver, ContainerTool, SandboxUnavailableError } from '../../../../rehearsal/sandbox';
import { ContainerStore, succeed } from '../../../support/container-store';
import { debianRootfs } from '../../../support/image-parts';
import { describeSandbox, hostProcesses, runIn, SandboxBench } from '../../../support/sandbox-suite';

jest.setTimeout(120_000);

const IMAGE = 'localhost/sandbox:1';

let store: ContainerStore;
let tool: ContainerTool;
let driver: ContainerDriver;

beforeAll(async () => {
  store = new ContainerStore();
  await store.importRootfs(await debianRootfs(), IMAGE, '--env', 'OF_THE_IMAGE=yes', '--workingdir', '/srv', '--entrypoint', '["cat"]', '--cmd', '/etc/hostname');
  tool = new ContainerTool('podman', { environment: { ...store.env, OF_THIS_MACHINE: 'yes' } });
  driver = await ContainerDriver.create({ tool, image: IMAGE, network: 'host' });
});

afterAll(() => store.dispose());

const bench = new SandboxBench();
beforeEach(() => bench.open());
afterEach(async () => {
  await bench.close();
  expect(await containers()).toBe('');
});

const containers = () => succeed('podman', ['ps', '--all', '--format', '{{.Names}}'], { env: store.env });

describeSandbox('a container sandbox', () => driver);

test('a container has what the image has, and nothing of this machine', async () => {
  const sandbox = await bench.start(driver);
  const { stdout } = await runIn(sandbox, 'echo "$OF_THE_IMAGE ${OF_THIS_MACHINE-no}"; ls -d /app /work 2>/dev/null; cat /etc/debian_version');
  expect(stdout).toMatch(/^yes no\n12\.\d+\n$/);
});

test('does not confuse the tool\'s variables with those of the sandbox', async () => {
  const sandbox = await bench.start(driver, { environment: { PATH: '/usr/bin', HOME: '/srv', CONTAINERS_CONF: '/none' } });
  expect((await runIn(sandbox, 'echo $PATH $HOME $CONTAINERS_CONF')).stdout).toBe('/usr/bin /srv /none\n');
});

test('a driver reports the image\'s own command and directory', () => {
  expect(driver.image).toEqual({ name: IMAGE, command: ['cat', '/etc/hostname'], workingDirectory: '/srv', user: 0, group: 0 });
});

test('a program that listens on the contract\'s port is reached on a separate port in each of two containers', async () => {
  const published = await ContainerDriver.create({ tool, image: IMAGE });
  const [one, two] = await Promise.all([bench.start(published), bench.start(published)]);
  const ports = await Promise.all([one.agentPort(), two.agentPort()]);
  expect(ports.map(({ inside }) => inside)).toEqual([8080, 8080]);
  expect(new Set(ports.map(({ outside }) => outside)).size).toBe(2);
  const program = 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1); '
    + 'print "listening\\n"; while (my $c = $s->accept) { print $c "HTTP/1.0 200 OK\\r\\n\\r\\n$ARGV[0]"; close $c }';
  for (const [sandbox, name] of [[one, 'one'], [two, 'two']] as const) {
    await new Promise<void>((resolve) => void sandbox.spawn({ command: ['perl', '-e', `$| = 1; ${program}`, name], onStdout: () => resolve() }));
  }
  const answers = await Promise.all(ports.map(async ({ outside }) => (await fetch(`http://127.0.0.1:${outside}/`)).text()));
  expect(answers).toEqual(['one', 'two']);
});

test('nothing is left when the rehearsal itself is killed', async () => {
  const script = `
    const { ContainerDriver, ContainerTool } = require(${JSON.stringify(join(__dirname, '../../../../rehearsal/sandbox/index.ts'))});
    ContainerDriver.create({ tool: new ContainerTool('podman'), image: '${IMAGE}', network: 'host' }).then(async driver => {
      const sandbox = await driver.start({ disk: '/none', mounts: [], environment: {} });
      await sandbox.spawn({ command: ['bash', '-c', 'echo up; exec sleep 7654'], onStdout: () => console.log('started') });
    });`;
  const child = spawn(process.execPath, ['-r', 'ts-node/register/transpile-only', '-e', script], {
    env: { ...store.env, TS_NODE_PROJECT: 'tsconfig.dev.json' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const clients = hostProcesses(IMAGE).filter((pid) => pid !== `${child.pid}`);
  expect(clients).not.toEqual([]);
  child.kill('SIGKILL');
  clients.forEach((pid) => execFileSync('tail', ['--pid', pid, '-s', '0.01', '-f', '/dev/null']));
  expect(hostProcesses('sleep\x007654')).toEqual([]);
});

test('a container that ends by itself is a killed sandbox', async () => {
  const sandbox = await bench.start(driver);
  const running = runIn(sandbox, 'exec sleep 321');
  const name = (await containers()).trim();
  await tool.run(['kill', '--signal', 'KILL', name]);
  await sandbox.kill();
  await running;
  expect(sandbox.killed).toBe(true);
});

test.each([
  ['does not exist', 'localhost/not-there:1', /the image localhost\/not-there:1 cannot be used: podman run: /],
  ['has no bash', 'localhost/empty:1', /cannot be used: podman run: .*; it needs bash$/s],
])('fails if the image %s', async (_, image, message) => {
  await store.importRootfs(join(__dirname, '../../../../package.json'), 'localhost/empty:1');
  const created = ContainerDriver.create({ tool, image });
  await expect(created).rejects.toThrow(SandboxUnavailableError);
  await expect(created).rejects.toThrow(message);
});

test('fails if a mount does not exist', async () => {
  const mounts = [{ source: join(bench.directory, 'not-there'), target: '/mnt/workspace' }];
  await expect(bench.start(driver, { mounts })).rejects.toThrow(/no container could be started: podman run ended with 125: .*not-there/s);
});
