import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { CommandLine, CommandLineOptions, WorkingCopy } from '../../support/command-line';
import { commandLines } from '../../support/host-processes';

jest.setTimeout(120_000);

/** No other process on this machine sleeps that long. */
const NAP = `sleep 7${process.pid}`;
const FIXES = 'cat >/dev/null; echo right > value';
const SLEEPS = `cat >/dev/null; echo right > value; ${NAP}`;

let copy: WorkingCopy;
let started: CommandLine[];
beforeEach(() => {
  started = [];
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n' });
});
afterEach(async () => {
  started.forEach((command) => command.kill('SIGKILL'));
  await Promise.all(started.map(({ ended }) => ended));
  copy.remove();
});

function rehearse(args: readonly string[], options?: CommandLineOptions): CommandLine {
  return started.at(started.push(new CommandLine(['rehearse', ...args, '--state', copy.state], options)) - 1)!;
}

function run(agent: string, more: readonly string[] = [], options?: CommandLineOptions): CommandLine {
  return rehearse(['--repository', copy.directory, '--agent', agent, '--gate', 'test=./test.sh', '--prompt', 'Make it right', '--task', 'right', ...more], options);
}

/** Waits for the agent, whose process is the last that a run starts. */
async function asleep(): Promise<string> {
  while (!commandLines().includes(NAP)) await new Promise((resolve) => setTimeout(resolve, 20));
  return (JSON.parse(readFileSync(join(copy.state, 'current.json'), 'utf8')) as { sessionId: string }).sessionId;
}

function expectNothingLeft(): void {
  expect(commandLines().filter((line) => line.includes(NAP) || line.includes(copy.state))).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(copy.state);
  expect(readdirSync(join(copy.state, 'agentcore', 'microvms'))).toEqual([]);
  expect(['lock', 'current.json'].filter((file) => existsSync(join(copy.state, file)))).toEqual([]);
}

test('a project below /tmp has its own programs in its sessions, and changes to it are discarded', async () => {
  writeFileSync(join(copy.directory, 'agent.sh'), `#!/bin/bash\ncat >"${copy.directory}/value"\necho right >value\n`, { mode: 0o755 });
  const args = ['--repository', '.', '--agent', join(copy.directory, 'agent.sh'), '--gate', 'test=./test.sh', '--prompt', 'Make it right', '--json'];

  const { exitCode, stderr } = await new CommandLine(['rehearse', ...args], { cwd: copy.directory }).ended;

  expect([exitCode, stderr]).toEqual([0, 'preparing …\n']);
  expect(readFileSync(join(copy.directory, 'value'), 'utf8')).toBe('wrong\n');
});

test('Ctrl-C on a terminal leaves no process, mount or lock; the workspace stays, and the session can continue there', async () => {
  const command = run(SLEEPS, [], { terminal: true });
  const id = await asleep();
  command.type('\x03');

  const { exitCode, stdout } = await command.ended;
  expect([exitCode, stdout]).toEqual([130, expect.stringMatching(/interrupted: stopping the session; its workspace is kept[^]*INTERRUPTED/)]);
  expect(stdout).not.toContain('retried'); // the end of the session is no fault
  expectNothingLeft();

  const { exitCode: next, stdout: json } = await rehearse(['--session', id, '--prompt', 'Go on', '--agent', 'cat >/dev/null; git status --short > seen; echo right > value', '--json']).ended;
  const record = JSON.parse(json) as RehearsalRecord;
  expect([next, record.outcome, record.session?.id]).toEqual([0, 'COMMITTED', id]);
});

test('a second signal ends the run at once, and leaves neither a lock nor a run that seems to be in progress', async () => {
  const command = run(SLEEPS);
  await asleep();
  command.kill('SIGINT');
  command.kill('SIGTERM');

  expect((await command.ended).exitCode).toBe(130);
  expect(['lock', 'current.json'].filter((file) => existsSync(join(copy.state, file)))).toEqual([]);
  while (commandLines().some((line) => line.includes(NAP))) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a run can be stopped from another process, and is listed as running until then', async () => {
  const command = run(SLEEPS);
  const id = await asleep();
  expect((await rehearse(['sessions']).ended).stdout).toMatch(new RegExp(`running .* right +${id}\n`));

  expect(await rehearse(['stop', id]).ended).toEqual({ exitCode: 0, stdout: `stopped ${id}; its workspace is kept\n`, stderr: '' });

  expect((await command.ended).exitCode).toBe(130);
  expectNothingLeft();
  expect((await rehearse(['stop', id]).ended).stdout).toMatch(/^the session is already stopped; its workspace is \//);
});

test('a run whose process is killed leaves no process, and its lock blocks nobody', async () => {
  const command = run(SLEEPS);
  await asleep();
  command.kill('SIGKILL');
  await command.ended;
  while (commandLines().some((line) => line.includes(NAP))) await new Promise((resolve) => setTimeout(resolve, 20));

  expect((await run(FIXES).ended).exitCode).toBe(0);
});

test('a shell opens in the session\'s workspace, on a terminal', async () => {
  const { session } = JSON.parse((await run(FIXES, ['--json']).ended).stdout) as RehearsalRecord;
  const shell = rehearse(['shell', session!.id.slice(-8)], { terminal: true });
  await shell.prints(/session .*\/mnt\/workspace\/repo [$#] /);
  shell.type('[ -t 0 ] && echo "$PWD has $(cat value)"; touch /tmp/mine; exit 3\n');

  const { exitCode, stdout } = await shell.ended;

  expect([exitCode, stdout]).toEqual([3, expect.stringContaining('/mnt/workspace/repo has right')]);
  expect(existsSync('/tmp/mine')).toBe(false);
});

test('a terminal shows the current activity, in color; a file gets plain lines', async () => {
  const { stdout: live } = await run(FIXES, [], { terminal: true }).ended;
  expect(live).toMatch(/\r\x1b\[2K[^\r\n]*Ask the agent \(turn 1\) +\d\.\d\d s …/);
  expect(live).toContain('\x1b[32mPASSED\x1b[0m');

  const { stdout: plain } = await run(FIXES).ended;
  expect(plain).toMatch(/Ask the agent \(turn 1\) +\d\.\d\d s\n/);
  expect(plain.replace(/^preparing …\n/, '')).not.toMatch(/[\x1b\r…]/);
});

test('while a gate runs, a terminal shows its output, its time and its limit', async () => {
  const command = rehearse(['--repository', copy.directory, '--agent', FIXES, '--prompt', 'Make it right', '--gate', `slow=for part in $(seq 20); do echo "part $part is done"; done; ${NAP}`], { terminal: true });
  await command.prints(/Run gate: slow +\d+\.\d\d s …, at most 15 min\r?\n[^]*part 15 is done[^]*part 20 is done/);
  expect(command.stdout).not.toContain('part 14 is done');
  command.type('\x03');

  const { exitCode, stdout } = await command.ended;
  expect([exitCode, stdout]).toEqual([130, expect.stringMatching(/\x1b\[6A\x1b\[J\r\x1b\[2K/)]); // the drawn lines are erased
});

test('with --json, stdout is the record alone', async () => {
  const { exitCode, stdout, stderr } = await run(FIXES, ['--json', '--verbose']).ended;

  const { outcome, commit, session } = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, outcome, commit?.branch, session?.sandbox]).toEqual([0, 'COMMITTED', 'workbench/right', { kind: 'namespace' }]);
  expect(stderr).toMatch(/SessionDriver\w+: /);
});

test('with --user, turns, gates and the shell afterwards are that user\'s', async () => {
  const { exitCode, stdout } = await run('cat >/dev/null; [[ $(id -u) == 4242 ]] && echo right > value', ['--json', '--user', '4242']).ended;
  const { session } = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, session?.sandbox]).toEqual([0, { kind: 'namespace', user: 4_242 }]);

  const shell = rehearse(['shell', session!.id.slice(-8)], { terminal: true });
  await shell.prints(/session .*\/mnt\/workspace\/repo [$#] /);
  shell.type('echo "user-$(id -u)"; exit\n');
  expect((await shell.ended).stdout).toContain('user-4242');
});

test.each([
  [0, 'a commit', FIXES, [], /COMMITTED/, /^$/],
  [1, 'red', 'cat >/dev/null; echo "$RANDOM" > value', ['--max-repairs', '0'], /CodingLoop.Red/, /^$/],
  [2, 'misuse', FIXES, ['--sandbox', 'jail'], /^$/, /--sandbox must be namespace, container or auto, not "jail"\n.*--help/],
  [2, 'a user that is not a number', FIXES, ['--user', 'me'], /^$/, /--user must be the number of a user, such as 0 for root, not "me"/],
  [2, 'a user in a container', FIXES, ['--user', '0', '--sandbox', 'container'], /^$/, /--user needs a namespace/],
  [2, 'an image without a container sandbox', FIXES, ['--sandbox', 'namespace', '--image', 'a:1'], /^$/, /--image needs a container/],
] as const)('the exit code is %d for %s', async (code, _, agent, more, told, complaint) => {
  expect(await run(agent, more).ended).toEqual({ exitCode: code, stdout: expect.stringMatching(told), stderr: expect.stringMatching(complaint) });
});

describe('a machine that lacks what a sandbox needs', () => {
  let bin: string;
  beforeEach(() => {
    bin = join(mkdtempSync(join(tmpdir(), 'bin-')), 'bin');
    mkdirSync(bin);
    symlinkSync(execFileSync('bash', ['-c', 'type -P git'], { encoding: 'utf8' }).trim(), join(bin, 'git'));
  });
  afterEach(() => rmSync(join(bin, '..'), { recursive: true }));

  test('fails with 3, and says what to install', async () => {
    const { exitCode, stdout, stderr } = await run(FIXES, [], { env: { ...process.env, PATH: bin } }).ended;

    expect([exitCode, stdout]).toEqual([3, 'preparing …\n']);
    expect(stderr).toMatch(/^no sandbox can be started here:\n {2}namespace: .*\n {2}container: docker ps: not installed\n[^]*install Docker, Podman or Finch[^]*apt-get install bash/);
  });

  test('fails with 3 without git', async () => {
    rmSync(join(bin, 'git'));
    expect(await run(FIXES, [], { env: { ...process.env, PATH: bin } }).ended).toMatchObject({ exitCode: 3, stderr: 'git cannot be found: install it\n' });
  });

  test('uses containers if there is an engine, and fails without an image for them', async () => {
    writeFileSync(join(bin, 'podman'), '#!/bin/sh\n', { mode: 0o755 });
    const { exitCode, stderr } = await run(FIXES, [], { env: { ...process.env, PATH: bin } }).ended;
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('podman is installed, but there is no image\nTry one of these:\n  name an image that has bash')]);
  });
});
