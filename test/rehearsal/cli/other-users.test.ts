import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandLine, CommandLineOptions, CommandResult, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

/** A user who is in no file of the system. */
const STRANGER = ['setpriv', '--reuid=54321', '--regid=54322', '--clear-groups'];
const asRoot = process.getuid!() === 0 ? test : test.skip;

let copy: WorkingCopy;
let home: string;
beforeEach(() => {
  copy = new WorkingCopy({ value: 'wrong\n' });
  chmodSync(join(copy.directory, '..'), 0o755); // it is a temporary directory of this test
  home = mkdtempSync(join(tmpdir(), 'home-'));
  chmodSync(home, 0o777);
});
afterEach(() => {
  copy.remove();
  rmSync(home, { recursive: true, force: true });
});

const { PATH } = process.env;

function rehearse(options: CommandLineOptions, ...more: string[]): Promise<CommandResult> {
  const agent = 'cat >/dev/null; git config --global a.b c && echo right >value';
  const args = ['rehearse', '--repository', copy.directory, '--agent', agent, '--gate', 'test=grep -q right value', '--prompt', 'x', ...more];
  return new CommandLine(args, options).ended;
}

const COMMITTED = { exitCode: 0, stderr: '', stdout: expect.stringContaining('COMMITTED after 1 turn') };

asRoot('a user unknown to the system, without a home directory, can rehearse repeatedly on somebody else\'s repository', async () => {
  const options = { by: STRANGER, cwd: home, env: { PATH } };
  expect(await rehearse(options)).toEqual(COMMITTED);
  copy.git('checkout', '--quiet', '--detach');
  expect(await rehearse(options)).toEqual(COMMITTED);
});

asRoot('a read-only state directory is refused, with advice', async () => {
  const options = { by: STRANGER, cwd: copy.directory, env: { PATH, HOME: home } };
  const state = join(copy.directory, '.rehearsal');
  expect(await rehearse(options)).toEqual({
    exitCode: 2, stdout: '', stderr: expect.stringMatching(new RegExp(`^--state ${state} cannot be written to \\(EACCES\\): choose a directory that you can write to\n`)),
  });
  expect(await rehearse(options, '--state', join(home, 'state'))).toEqual(COMMITTED);
});

test('a run needs no home directory: it may be unset or missing', async () => {
  const state = ['--state', copy.state];
  expect(await rehearse({ env: { PATH, HOME: join(home, 'nowhere') } }, ...state)).toEqual(COMMITTED);
});
