import { readFileSync } from 'node:fs';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ greeting: 'Hi\n' });
});
afterEach(() => copy.remove());

function rehearse(agent: string, bootstrap: string, gate: string, ...more: string[]) {
  return commandLine('rehearse', '--repository', copy.directory, '--agent', agent, '--bootstrap', bootstrap, '--gate', `test=${gate}`, '--state', copy.state, ...more);
}

test('bootstrap commands, gates and turns may be scripts of several lines', async () => {
  const agent = '# an agent\n{ cat; echo; } >prompt\ncp prompt greeting && rm prompt\n';
  const bootstrap = 'cat >/tmp/expected <<END\nHello,\nit\'s me\nEND\necho "$PWD" >/tmp/where';
  const gate = '\ndiff greeting /tmp/expected\n[[ $(</tmp/where) == "$PWD" ]]\n';

  const { exitCode, stdout } = await rehearse(agent, bootstrap, gate, '--prompt', 'Hello,\nit\'s me');

  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('COMMITTED after 1 turn')]);
  expect(stdout).toContain('gates: test (diff greeting /tmp/expected … and 1 more line); at most 3 repairs\nprompt: Hello, … and 1 more line\n');
});

test('no line of a bootstrap command may fail', async () => {
  const { exitCode, stdout } = await rehearse('true', 'echo first\nfalse\necho never', 'true', '--prompt', 'x', '--json');

  const record = JSON.parse(stdout) as RehearsalRecord;
  expect([exitCode, record.error]).toEqual([1, { name: 'CodingLoop.BootstrapFailed', message: expect.stringMatching(/FAILED, exit code 1.*\n+first\n*$/) }]);
});

test('a pipe in a gate fails with any of its programs, unless --no-pipefail is given', async () => {
  const gate = '[ -e greeting ]\nfalse | cat';
  expect((await rehearse('true', 'true', gate, '--prompt', 'x', '--max-repairs', '0')).stdout).toMatch(/^CodingLoop\.Red /m);
  expect((await rehearse('true', 'true', gate, '--prompt', 'x', '--no-pipefail')).stdout).toMatch(/^NO_CHANGES /m);
});

test('the agent is told about a gate line by line', async () => {
  const agent = 'cat > "prompt-$WORKBENCH_ROUND"';

  const { stdout } = await rehearse(agent, 'true', 'echo one\n[[ -e prompt-1 ]]', '--prompt', 'x', '--json');

  const { outcome, session, commit } = JSON.parse(stdout) as RehearsalRecord;
  expect([outcome, commit?.stat]).toEqual(['COMMITTED', expect.stringContaining('prompt-1')]);
  expect(readFileSync(`${session!.workspace}/repo/prompt-1`, 'utf8')).toContain('\nThe check runs: echo one\n  [[ -e prompt-1 ]]\nThe end of its output');
});
