import { readFileSync } from 'node:fs';
import { commandLine, WorkingCopy } from '../../support/command-line';
import { junitSuite } from '../../support/junit-suite';
import { blocksOf } from '../../support/page';

jest.setTimeout(180_000);

let copy: WorkingCopy;
beforeEach(() => {
  copy = new WorkingCopy(junitSuite({ one: 'true', two: 'false' }));
});
afterEach(() => copy.remove());

const REPORT = ['--report', 'test=reports/*.xml'];

/** Returns a text without times, ids and spaces that depend on them. */
const plain = (text: string) => text.replace(/\b[0-9a-f]{12}\b/g, 'commit').replace(/ *\d+\.\d+ s/g, ' 0 s');

function rehearse(agent: string, ...more: string[]) {
  return commandLine('rehearse', '--repository', copy.directory, '--prompt', 'Do it', '--state', copy.state, '--agent', `cat > /dev/null; ${agent}`, '--gate', 'test=bash run.sh', ...more);
}

test('--check-base ends a run whose base is red before the agent is asked, and names the gate and the test', async () => {
  const { exitCode, stdout } = await rehearse('echo true > tests/two', ...REPORT, '--check-base');

  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^CodingLoop\.BaseRed .*\n {2}the gate "test" does not pass on [0-9a-f]{12}, before the agent begins: FAILED, exit code 1: failing tests: suite two\n/m);
  expect(stdout).not.toContain('Ask the agent');
  const { text } = blocksOf('docs/test-reports.md').find((block) => block.text.includes('CodingLoop.BaseRed'))!;
  expect(plain(stdout)).toContain(plain(text));
});

test('--known-failures lets a gate pass that fails as on the base, and says so', async () => {
  const { exitCode, stdout } = await rehearse('[[ $WORKBENCH_ROUND == 0 ]] && echo false > tests/three || echo true > tests/three', ...REPORT, '--known-failures');

  expect(exitCode).toBe(0);
  const story = ['Check the base', 'the gate "test" does not pass on the base (FAILED): its failures are known', 'Run gate: test', 'FAILED, exit code 1', '2 tests fail:', '✖ suite three', '✖ suite two',
    '2 of 3 tests fail, 1 of them on the base, too', 'repair 1 of 3', 'Run gate: test', 'PASSED', '1 of 3 tests fail, as on the base', 'COMMITTED after 2 turns', 'Workbench-Gate: test PASSED except for known failures'];
  const places = story.reduce<number[]>((found, part) => [...found, stdout.indexOf(part, found.at(-1) ?? 0)], []);
  expect(story.filter((_, index) => places[index] < 0)).toEqual([]);
});

test('--retries lets a gate of a verification that passes in another try, and the story says that it is flaky', async () => {
  const flaky = '[[ $PWD != /tmp/* || -e /tmp/seen ]] || { touch /tmp/seen; false; }';
  const { exitCode, stdout } = await rehearse(`echo '${flaky}' > tests/three; echo true > tests/two`, ...REPORT, '--retries', 'test=1');

  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Verify in a fresh session +\d+\.\d\d s {2}FLAKY\n +the gate "test" is flaky: it passed when it ran again on the same files\n +tests that had failed: suite three\n/);
  expect(stdout).toContain('Workbench-Gate: test FLAKY');
  const report = readFileSync(/^report +(\S+)$/m.exec(stdout)![1], 'utf8');
  expect(report).toMatch(/<details><summary>Verify in a fresh session .*<span class="good">FLAKY<\/span>/);
});

test.each([['--check-base'], ['--known-failures'], ['--report', 'test=x'], ['--retries', 'test=1']])('fails for %s with a loop of an app, which defines it', async (...option) => {
  const { exitCode, stderr } = await commandLine('rehearse', '--app', '.', '--prompt', 'x', '--state', copy.state, ...option);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`${option[0]} cannot be used with --app, whose loop defines it: leave out one of them\n`)]);
});
