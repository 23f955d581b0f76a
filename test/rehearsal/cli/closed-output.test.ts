import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { CommandLine, commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n' });
});
afterEach(() => copy.remove());

const AGENT = 'cat >/dev/null; echo right > value';

test.each([
  ['a story', 'head -n 1', []],
  ['a record', 'true', ['--json']],
])('a run whose reader of %s has closed ends as usual, and is kept', async (_, reader, more) => {
  const args = ['rehearse', '--repository', copy.directory, '--agent', AGENT, '--gate', 'test=./test.sh', '--prompt', 'Make it right', '--state', copy.state];
  const by = ['bash', '-c', `set -o pipefail; "$@" | ${reader}`, 'bash']; // with the exit code of the run
  const { exitCode, stderr } = await new CommandLine([...args, ...more], { by }).ended;

  expect(stderr).not.toMatch(/EPIPE|^ +at /m);
  expect(exitCode).toBe(0);
  const { stdout } = await commandLine('rehearse', 'sessions', '--state', copy.state, '--json');
  expect((JSON.parse(stdout) as Pick<RehearsalRecord, 'outcome'>[]).map(({ outcome }) => outcome)).toEqual(['COMMITTED']);
});
