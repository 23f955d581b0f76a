import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandLine, CommandResult, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

const withSsh = spawnSync('ssh-agent', ['-h']).error === undefined ? test : test.skip;

let copy: WorkingCopy;
let directory: string;
beforeEach(() => {
  copy = new WorkingCopy({ value: 'wrong\n' });
  directory = mkdtempSync(join(tmpdir(), 'private-'));
});
afterEach(() => {
  copy.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** A run that commits the output of a command in a session. */
async function printedBy(command: string, env: NodeJS.ProcessEnv, ...more: string[]): Promise<CommandResult & { readonly printed?: string }> {
  const agent = `cat >/dev/null; { ${command}; } >value 2>&1; echo "$RANDOM" >>value`;
  const args = ['rehearse', '--repository', copy.directory, '--agent', agent, '--gate', 'test=true', '--prompt', 'x', '--state', copy.state, ...more];
  const result = await new CommandLine(args, { env: { ...process.env, ...env } }).ended;
  const [, take, branch] = /fetch {6}git (-C .*:(\S+))\n/.exec(result.stdout) ?? [];
  if (take === undefined) return result;
  copy.git(...take.split(' '));
  return { ...result, printed: copy.git('show', `${branch}:value`) };
}

withSsh('sessions can use an SSH agent only with --ssh-agent, and no temporary file remains', async () => {
  const socket = join(directory, 'agent');
  const [, pid] = /SSH_AGENT_PID=(\d+)/.exec(execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' }))!;
  try {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'the key of a test', '-f', join(directory, 'key')]);
    const env = { SSH_AUTH_SOCK: socket, TMPDIR: directory };
    execFileSync('ssh-add', ['-q', join(directory, 'key')], { env: { ...process.env, ...env } });
    const key = readFileSync(join(directory, 'key.pub'), 'utf8').trim();

    expect((await printedBy('echo "${SSH_AUTH_SOCK-none}"', env)).printed).toMatch(/^none\n/);
    const { exitCode, stdout, printed } = await printedBy(`echo '${key}' >/mnt/workspace/key.pub; ssh-add -l; ssh-add -T /mnt/workspace/key.pub && echo signed`, env, '--ssh-agent');

    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('sessions can use your ssh agent\n')]);
    expect(printed).toMatch(/the key of a test \(ED25519\)\nsigned\n/);
    expect(readdirSync(directory).sort()).toEqual(['agent', 'key', 'key.pub']);
  } finally {
    process.kill(Number(pid));
  }
});

test('caches are kept between sessions only with --cache', async () => {
  const cache = join(directory, 'cache');
  const look = 'ls "$XDG_CACHE_HOME" 2>/dev/null; mkdir -p "$npm_config_cache"; touch "$XDG_CACHE_HOME/seen"';

  expect((await printedBy(look, {})).printed).toMatch(/^\d+\n$/);
  expect((await printedBy(look, {}, '--cache', cache)).printed).toMatch(/^\d+\n$/);
  expect((await printedBy(look, {}, '--cache', cache)).printed).toMatch(/^npm\nseen\n\d+\n$/);
  expect(existsSync(join(cache, 'seen'))).toBe(true);
});

test.each([
  ['without an agent', [''], ['--ssh-agent'], /^--ssh-agent: SSH_AUTH_SOCK is not set: start an agent/],
  ['for an agent that has exited', ['/nowhere/agent'], ['--ssh-agent'], /^--ssh-agent: SSH_AUTH_SOCK is "\/nowhere\/agent", which is not a socket: /],
  ['for a cache that is a file', [''], ['--cache', __filename], /^--cache .* cannot be written to \(ENOTDIR\): choose a directory that you can write to/],
])('fails with 2 %s', async (_, [socket], options, message) => {
  const { exitCode, stderr } = await printedBy('true', { SSH_AUTH_SOCK: socket }, ...options);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
});
