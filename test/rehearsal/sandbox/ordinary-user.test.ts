import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { NamespaceDriver } from '../../../rehearsal/sandbox';
import { AgentTurn, Gate } from '../../../src';
import { RehearsedLoop } from '../../support/rehearsed-loop';
import { describeSandbox, runIn, SandboxBench } from '../../support/sandbox-suite';

jest.setTimeout(120_000);

const ROOT = resolve(__dirname, '../../..');
const AS_ROOT = process.getuid!() === 0;
/** A user who is in no file of the system; or, when an ordinary user runs the tests, that user. */
const UID = AS_ROOT ? 54_321 : process.getuid!();
const GID = AS_ROOT ? 54_322 : process.getgid!();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ordinary-'));
  chmodSync(directory, 0o777);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a program that uses the rehearsal, as `rehearsal`, and returns the JSON that it prints. */
function asUser(entry: string, script: string, environment: NodeJS.ProcessEnv = {}): unknown {
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: join(directory, 'rehearsal.js'),
    bundle: true,
    platform: 'node',
    tsconfig: 'tsconfig.dev.json',
    external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
    logLevel: 'error',
  });
  const wrapper = AS_ROOT ? ['setpriv', `--reuid=${UID}`, `--regid=${GID}`, '--clear-groups'] : ['env'];
  const program = `const rehearsal = require(${JSON.stringify(join(directory, 'rehearsal.js'))});\n(async () => { ${script} })().catch((error) => { console.error(error); process.exit(1); });`;
  const { stdout, stderr, status } = spawnSync(wrapper[0], [...wrapper.slice(1), process.execPath, '-e', program], {
    encoding: 'utf8', cwd: directory, env: { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, ...environment },
  });
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Commands in one sandbox of that user. */
function commands(options: object, ...lines: string[]): { exitCode: number; output: string; warnings: string[] }[] {
  mkdirSync(join(directory, 'workspace'));
  chmodSync(join(directory, 'workspace'), 0o777);
  return asUser('rehearsal/sandbox/index.ts', `
    const sandbox = await new rehearsal.NamespaceDriver(${JSON.stringify(options)}).start({
      disk: ${JSON.stringify(join(directory, 'disks/one'))},
      mounts: [{ source: ${JSON.stringify(join(directory, 'workspace'))}, target: '/mnt/workspace' }],
      environment: { PATH: process.env.PATH },
    });
    const results = [];
    for (const line of ${JSON.stringify(lines)}) {
      let output = '';
      const take = (chunk) => { output += chunk; };
      const { exitCode } = await sandbox.exec({ command: ['bash', '-c', line], onStdout: take, onStderr: take, leftovers: 'kill' });
      results.push({ exitCode, output, warnings: sandbox.warnings });
    }
    await sandbox.kill();
    console.log(JSON.stringify(results));`) as never;
}

test('commands of an ordinary user run as that user, are restricted by permissions, and create files of that user', () => {
  const [id, secret, others, system, mount, left] = commands({},
    'id -u; id -g; grep CapEff /proc/self/status',
    'echo secret >/mnt/workspace/file && chmod 000 /mnt/workspace/file && cat /mnt/workspace/file',
    'cat /etc/shadow',
    'touch /tmp/a /var/tmp/a /dev/shm/a /mnt/workspace/a "/etc/made-$$" && ls -n /tmp/a',
    'mount -t tmpfs tmpfs /mnt',
    'setsid sleep 6543 & echo started');
  expect(id).toMatchObject({ output: `${UID}\n${GID}\nCapEff:\t0000000000000000\n`, warnings: [] });
  expect(secret).toMatchObject({ exitCode: 1, output: expect.stringContaining('Permission denied') });
  expect(others.exitCode).toBe(1);
  expect(system).toMatchObject({ exitCode: 0, output: expect.stringContaining(` ${UID} ${GID} `) });
  expect(mount.exitCode).not.toBe(0);
  expect(left.output).toBe('started\n');

  const made = statSync(join(directory, 'workspace/file'));
  expect([made.uid, made.gid, made.mode & 0o777]).toEqual([UID, GID, 0]);
  expect(readdirSync(join(directory, 'disks'))).toEqual([]);
  expect(spawnSync('pgrep', ['-f', 'sleep 6543']).status).toBe(1);
});

test.each([[0, 0], [4_242, 4_242]])('commands run as user %i if the caller requests that, though files belong to the caller', (user, group) => {
  const [id, made] = commands({ user }, 'id -u; id -g', 'touch /mnt/workspace/file && stat --format %u /mnt/workspace/file');
  expect(id.output).toBe(`${user}\n${group}\n`);
  expect(made.output).toBe(`${user}\n`);
  expect(statSync(join(directory, 'workspace/file')).uid).toBe(UID);
});

describe('a machine that can map only root', () => {
  /** A directory outside /tmp, because a sandbox has its own /tmp. */
  let tools: string;
  beforeEach(() => {
    tools = mkdtempSync(join(ROOT, '.rehearsal-test-'));
    chmodSync(tools, 0o755);
    const real = execFileSync('which', ['unshare'], { encoding: 'utf8' }).trim();
    writeFileSync(join(tools, 'unshare'), `#!/bin/bash\n[[ " $* " != *" --map-user="* ]] || { echo "unshare: unrecognized option" >&2; exit 1; }\nexec ${real} "$@"\n`, { mode: 0o755 });
  });
  afterEach(() => rmSync(tools, { recursive: true }));

  async function with_<T>(action: () => Promise<T> | T): Promise<T> {
    const { PATH: before } = process.env;
    process.env.PATH = `${tools}:${before}`;
    try {
      return await action();
    } finally {
      process.env.PATH = before;
    }
  }

  test('runs commands as root of a user namespace, and says so', async () => {
    const [{ output, warnings }] = await with_(() => commands({}, 'id -u'));
    expect([output, warnings]).toEqual(['0\n', [expect.stringContaining(`not as user ${UID}: unshare: unrecognized option`)]]);
  });

  test('fails if another user is requested', async () => {
    expect(() => commands({}, 'true')).not.toThrow();
    rmSync(join(directory, 'workspace'), { recursive: true });
    await with_(() => expect(() => commands({ user: 4_242 }, 'true')).toThrow('not as user 4242: unshare: unrecognized option'));
  });
});

describe('root', () => {
  const bench = new SandboxBench();
  beforeEach(() => bench.open());
  afterEach(() => bench.close());

  (AS_ROOT ? test : test.skip)('stays root, as in the service, unless another user is requested', async () => {
    const [own, other] = [await bench.start(new NamespaceDriver()), await bench.start(new NamespaceDriver({ user: 1_234 }))];
    expect((await runIn(own, 'id -u')).stdout).toBe('0\n');
    expect(await runIn(other, 'id -u; id -g; touch /mnt/workspace/file; chmod 000 /mnt/workspace/file; cat /mnt/workspace/file')).toMatchObject({
      stdout: '1234\n1234\n', stderr: expect.stringContaining('Permission denied'),
    });
    expect(statSync(join(bench.directory, 'workspace/file')).uid).toBe(0);
  });
});

// Tests a user other than the caller, whether or not the tests run as root.
describeSandbox('a namespace sandbox as another user', () => new NamespaceDriver({ user: 4_242 }));

test('a whole rehearsal of an ordinary user has turns and gates of that user, and leaves nothing', async () => {
  const loop = new RehearsedLoop();
  try {
    const assembly = loop.synth({
      loop: {
        turn: AgentTurn.command('id -u > turn-user; mkdir /mnt/workspace/closed; touch /mnt/workspace/closed/file; chmod 000 /mnt/workspace/closed; echo 42 > answer'),
        gates: [
          Gate.command('user', `[[ $(id -u) == ${UID} && $(<turn-user) == ${UID} ]]`),
          Gate.command('denied', 'touch /tmp/secret && chmod 000 /tmp/secret && ! cat /tmp/secret && ! ls /mnt/workspace/closed'),
          Gate.command('test', './test.sh'),
        ],
      },
    });
    for (const path of [assembly, loop.copy.directory].map(dirname)) if (AS_ROOT) execFileSync('chown', ['-R', `${UID}:${GID}`, path]);
    const result = asUser('rehearsal/rehearsal.ts', `
      const started = await rehearsal.Rehearsal.start({ assembly: ${JSON.stringify(assembly)}, repository: ${JSON.stringify(loop.copy.directory)} });
      const { outcome, error, output, warnings, session } = await started.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
      const { spawnSync } = require('node:child_process');
      const others = spawnSync('find', [started.directory, '!', '-uid', '${UID}'], { encoding: 'utf8' }).stdout;
      await started.close();
      console.log(JSON.stringify({ outcome, error, gates: output && output.gates.map(({ name, verdict }) => name + ' ' + verdict), warnings, others }));`);
    expect(result).toMatchObject({ outcome: 'COMMITTED', gates: ['user PASSED', 'denied PASSED', 'test PASSED'], others: '' });
    expect(readdirSync(directory)).toEqual(['rehearsal.js']);
  } finally {
    await loop.close();
  }
});
