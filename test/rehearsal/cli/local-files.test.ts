import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { missingInSessions } from '../../../rehearsal/cli/local-files';
import { CommandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
let beside: string;
beforeEach(() => {
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n', '.gitignore': 'made/\n' });
  beside = dirname(copy.directory);
});
afterEach(() => copy.remove());

function run(agent: string, cwd: string, ...more: string[]) {
  const args = ['rehearse', '--repository', copy.directory, '--agent', agent, '--gate', 'test=./test.sh', '--prompt', 'Make it right', '--state', copy.state, ...more];
  return new CommandLine(args, { cwd }).ended;
}

test('names a program that exists here but not in sessions, before the run and when it was not found', async () => {
  writeFileSync(join(copy.directory, 'agent.sh'), 'cat >/dev/null; echo right > value\n');
  const hint = `--agent: agent.sh is here, but not in the commit that sessions start from, in a clone: give its absolute path, ${join(copy.directory, 'agent.sh')}, or commit it`;

  const { exitCode, stdout } = await run('bash agent.sh', copy.directory);

  expect([exitCode, stdout.slice(0, hint.length + 10)]).toEqual([1, `warning: ${hint}\n`]);
  expect(stdout.slice(stdout.indexOf('CodingLoop.'))).toContain(`\n  ${hint}\n`);
  expect(stdout).toMatch(/^warning: the run did not see 1 uncommitted file: agent\.sh$/m);

  writeFileSync(join(copy.directory, 'more.txt'), '');
  const found = await run(`bash ${join(copy.directory, 'agent.sh')}`, copy.directory);
  expect([found.exitCode, found.stdout]).toEqual([0, expect.stringMatching(/^warning: the run did not see 2 uncommitted files: agent\.sh, more\.txt$/m)]);
  expect(found.stdout).not.toContain('is here, but');
});

test.each([
  ['a file of the commit', './test.sh && cat value', []],
  ['an ignored file that a command creates', 'made/tool.sh', []],
  ['a program that a bootstrap installs', 'node_modules/.bin/tool.sh', []],
  ['a name without a dot or a slash', 'test', []],
  ['a file of another directory', 'cd sub && ./mine.sh', []],
  ['a file that is not committed', 'bash ./mine.sh --quick', ['./mine.sh is here, but not in the commit']],
  ['a file in quotes', "bash -c 'bash mine.sh'", ['mine.sh is here, but not in the commit']],
])('in a gate, %s is judged by the directory where sessions start', (_, command, expected) => {
  for (const file of ['mine.sh', 'test', 'made/tool.sh', 'node_modules/.bin/tool.sh']) {
    mkdirSync(dirname(join(copy.directory, file)), { recursive: true });
    writeFileSync(join(copy.directory, file), '');
  }
  const hints = missingInSessions({ repository: copy.directory, agent: 'true', gates: [{ name: 'test', command }] }, copy.directory);
  expect(hints).toEqual(expected.map((hint) => expect.stringContaining(`--gate test: ${hint}`)));
});

test('hides a file below /tmp from sessions, unless the run was started there', () => {
  const agent = `python3 ${join(beside, 'agent.py')}`;
  writeFileSync(join(beside, 'agent.py'), '');
  const target = { repository: copy.directory, agent };
  expect(missingInSessions(target, copy.directory)).toEqual([expect.stringMatching(/^--agent: \/tmp\/\S+\/agent\.py is here, but sessions have their own \/tmp: move it elsewhere/)]);
  expect([missingInSessions(target, beside), missingInSessions({ ...target, sandbox: 'container' }, copy.directory)]).toEqual([[], []]);
});

test('the server of an app starts in the workspace, without this machine\'s files', () => {
  const home = mkdtempSync(join(homedir(), 'local-files-'));
  try {
    writeFileSync(join(home, 'server.mjs'), '');
    const agent = (command: string) => missingInSessions({ app: '/cdk.out', agent: command }, home);
    expect(agent('node server.mjs')).toEqual([`--agent: server.mjs is here, but the agent starts in the session's workspace: give its absolute path, ${join(home, 'server.mjs')}`]);
    expect(agent(`node ${join(home, 'server.mjs')}`)).toEqual([]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
