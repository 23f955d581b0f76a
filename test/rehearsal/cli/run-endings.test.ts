import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RehearsalRecord } from '../../../rehearsal/run/record';
import { endOf } from '../../../src/journal/run-words';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n' });
});
afterEach(() => copy.remove());

const FIXES = 'cat >/dev/null; echo right > value';

async function rehearse(...more: string[]) {
  const run = await commandLine('rehearse', '--repository', copy.directory, '--prompt', 'Make it right', '--state', copy.state, ...more);
  return { ...run, id: /^session {4}(\S+)$/m.exec(run.stdout)?.[1] ?? '', report: /^report {5}/m.test(run.stdout) ? readFileSync(/^report {5}(\S+)$/m.exec(run.stdout)![1], 'utf8') : '' };
}

test('shows the first and last lines of a failed bootstrap once, in the story and in the report, and counts no turn', async () => {
  const { exitCode, stdout, report, id } = await rehearse('--agent', FIXES, '--gate', 'test=./test.sh',
    '--bootstrap', 'for number in $(seq 100 199); do echo "line $number"; done; exit 4');

  expect(exitCode).toBe(1);
  const lines = [...stdout.matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
  expect(lines).toEqual([100, 101, 102, 103, 104, 105, ...Array.from({ length: 14 }, (_, index) => 186 + index)]);
  expect(stdout).toContain('… 80 more lines, all in "rehearse logs" …');
  expect(stdout).toMatch(/^CodingLoop\.BootstrapFailed before the first turn, after [0-9.]+ s\n {2}the bootstrap: FAILED, exit code 4; the whole output is in \S+\n\n/m);
  expect(report).toContain('before the first turn, after ');
  expect(report.match(/line 150$/gm)).toHaveLength(1);
  const { stdout: logs } = await commandLine('rehearse', 'logs', id, '--state', copy.state);
  expect(logs).toMatch(/^== the agent\n\(it was not called\)\n/);
  expect(logs).toMatch(/^== bootstrap: exit code 4\nline 100\n[^]*\nline 199\n/m);
});

test('names a gate whose program does not exist, and puts the subject of a warning first', async () => {
  const { exitCode, stdout } = await rehearse('--agent', `${FIXES}; ln value hard`, '--gate', 'unit tests=./tset.sh');

  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^CodingLoop\.Inert after 1 turn in [0-9.]+ s\n {2}the command of gate "unit tests", or a program that it needs, is neither in the image nor in the repository\n/m);
  expect(stdout).toMatch(/^warning: session storage does not support hard links: repo\/(hard, repo\/value|value, repo\/hard)$/m);
});

test('prints the output of a failed turn once, and keeps everything else out of the agent\'s logs', async () => {
  const { exitCode, stdout, id } = await rehearse('--agent', 'cat >/dev/null; echo "no model is configured"; exit 3', '--gate', 'test=./test.sh');

  expect([exitCode, stdout.match(/no model is configured/g)]).toEqual([1, ['no model is configured']]);
  expect(stdout).toMatch(/^CodingLoop\.TurnFailed in turn 1, after [0-9.]+ s\n {2}FAILED, exit code 3; the whole output is in \S+\n\n/m);
  expect((await commandLine('rehearse', 'logs', id, '--state', copy.state)).stdout).not.toContain('== the agent');
});

test('a gate, a turn and a bootstrap have the given time', async () => {
  const { exitCode, stdout } = await rehearse('--agent', FIXES, '--gate', 'test=sleep 1000', '--bootstrap', 'true', '--max-repairs', '0',
    '--timeout', 'test=1s', '--timeout', 'agent=2m', '--timeout', 'bootstrap=3h', '--json');

  const { steps } = JSON.parse(stdout) as RehearsalRecord;
  const limits = steps.filter(({ limitSeconds }) => limitSeconds !== undefined)
    .map(({ kind, limitSeconds, verdict }) => [kind, limitSeconds, verdict]);
  expect([exitCode, limits]).toEqual([1, [['bootstrap', 10_800, undefined], ['turn', 120, undefined], ['gate', 1, 'TIMED_OUT']]]);
});

test('masks the value of a variable that is passed on in the story, the report and the record', async () => {
  process.env.DOOR_KEY = 'under the "third" pot';
  process.env.DOOR_MODE = 'ajar';
  try {
    const { exitCode, stdout, report } = await rehearse('--agent', `${FIXES}; echo "the key is $DOOR_KEY, $DOOR_MODE"; echo "$DOOR_KEY" > key`,
      '--gate', 'test=echo "--- FAIL: Test$DOOR_KEY (0.00s)"; exit 1', '--max-repairs', '1', '--env', 'DOOR_KEY', '--env', 'DOOR_MODE');

    const record = readFileSync(/^report {5}(\S+)$/m.exec(stdout)![1].replace(/report\.html$/, 'record.json'), 'utf8');
    expect([exitCode, stdout, record]).toEqual([1, expect.stringContaining('agent: the key is ***, ajar\n'), expect.stringContaining('the key is ***, ajar')]);
    for (const text of [stdout, report, record]) expect(text).not.toMatch(/under the|third/);
  } finally {
    delete process.env.DOOR_KEY;
    delete process.env.DOOR_MODE;
  }
});

describe('a commit that would contain the value of a variable that is passed on', () => {
  const KEY = 'under the "third" pot';
  beforeEach(() => {
    process.env.DOOR_KEY = KEY;
  });
  afterEach(() => {
    delete process.env.DOOR_KEY;
  });

  test.each([
    ['in a file', 'echo "key = $DOOR_KEY" > config.ini', 'the value of DOOR_KEY in config.ini'],
    ['in a binary file', 'printf "\\0\\1%s" "$DOOR_KEY" > config.bin', 'the value of DOOR_KEY in config.bin'],
    ['in the name of a file', 'echo 1 > "$DOOR_KEY"', 'the value of DOOR_KEY in the name of a file'],
  ])('is not created: %s', async (_, leaks, where) => {
    const { exitCode, stdout, report, id } = await rehearse('--agent', `${FIXES}; ${leaks}; echo "with $DOOR_KEY"`, '--gate', 'test=./test.sh', '--env', 'DOOR_KEY');

    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(new RegExp(`^CodingLoop\\.CommitFailed after 1 turn in .*\n {2}the commit would contain ${where}, which the sessions have from --env: nothing is committed`, 'm'))]);
    const logs = await commandLine('rehearse', 'logs', id, '--state', copy.state);
    for (const text of [stdout, report, logs.stdout]) expect(text).not.toContain('third');
    expect(logs.stdout).toContain('with ***\n');
    delete process.env.DOOR_KEY;
    expect((await commandLine('rehearse', 'logs', id, '--state', copy.state)).stdout).toMatch(/^\(not masked, because it is not set here: DOOR_KEY\)\n/);
  });

  test('is created if the value was there before', async () => {
    copy.git('checkout', '--quiet', '-b', 'known');
    writeFileSync(join(copy.directory, 'README'), `The key is ${KEY}.\nAnother line.\n`);
    copy.git('add', '--all');
    copy.git('-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit', '--quiet', '--message', 'say where the key is');

    const { exitCode } = await rehearse('--agent', `${FIXES}; echo more >> README`, '--gate', 'test=./test.sh', '--env', 'DOOR_KEY');

    expect(exitCode).toBe(0);
  });

  test('is refused before the run if its message or its branch would contain it', async () => {
    const run = await commandLine('rehearse', '--repository', copy.directory, '--state', copy.state, '--agent', FIXES, '--gate', 'test=./test.sh', '--env', 'DOOR_KEY', '--prompt', `It is ${KEY}`);

    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining('the prompt contains the value of DOOR_KEY (--env), and so would the commit: remove it')]);
  });
});

test('names the tests that failed in a gate, in the story and in the report', async () => {
  const go = Array.from({ length: 12 }, (_, number) => `--- FAIL: TestPart${number} (0.00s)`).join('\n');
  const { stdout, report } = await rehearse('--agent', 'cat >/dev/null; echo more >> value', '--gate', `test=echo '${go}'; for line in $(seq 30); do echo "at last $line"; done; exit 1`, '--max-repairs', '0');

  expect(stdout).toMatch(/12 tests fail:\n +✖ TestPart0\n[^]*\n +✖ TestPart9\n +… and 2 more\n +│ at last 17\n/);
  expect(report).toContain('failing tests (12):\n  ✖ TestPart0\n');
});

test('names a gate that stays red at the end', async () => {
  const { stdout } = await rehearse('--agent', 'cat >/dev/null; echo "$RANDOM" >> value', '--gate', 'unit tests=./test.sh', '--max-repairs', '0');

  expect(stdout).toMatch(/^CodingLoop\.Red after 1 turn in [0-9.]+ s\n {2}the gate "unit tests" did not pass, and no repairs are allowed\n/m);
});

test.each([
  ['INTERRUPTED', [['prepare', 0]], 'before the first turn, after 3.0 s'],
  ['INTERRUPTED', [['prepare', 0], ['turn', 0]], 'in turn 1, after 3.0 s'],
  ['INTERRUPTED', [['turn', 0], ['gate', 0], ['turn', 1], ['turn', 1], ['gate', 1]], 'after 2 turns in 3.0 s'],
  ['Workbench.AgentFailed', [['turn', 0], ['snapshot', 0], ['turn', 1], ['stop', 1]], 'in turn 2, after 3.0 s'],
  ['COMMITTED', [['turn', 0], ['gate', 0], ['commit', 0], ['stop', 0]], 'after 1 turn in 3.0 s'],
] as const)('the story says of %s with the steps %j that it ended %s', (outcome, steps, expected) => {
  const record = { outcome, seconds: 3, steps: steps.map(([kind, round]) => ({ kind, round })) };
  expect(endOf(record as unknown as RehearsalRecord)).toBe(expected);
});
