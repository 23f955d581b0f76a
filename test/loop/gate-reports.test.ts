import { Gate, GateOptions, Verification } from '../../src';
import { junitSuite } from '../support/junit-suite';
import { IN_PROCESS, LoopFixtureProps, useLoops } from '../support/loop-fixture';

// A gate whose command writes JUnit reports passes only if they say so, too.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const REPORT = 'reports/junit.xml';

const gate = (options: GateOptions = {}, command = './run.sh') => Gate.command('test', command, { report: REPORT, ...options });

function loop(tests: { readonly [name: string]: string }, agent: LoopFixtureProps['agent'], gates = [gate()], more: LoopFixtureProps['loop'] = {}) {
  return start({ files: junitSuite(tests), agent, loop: { gates, verification: Verification.none(), ...more } });
}

test('the record has counts, and the feedback names the failing tests first', async () => {
  const run = await loop({ one: 'true', two: 'false', three: 'false', four: '# skip' }, (turn) => turn === 0 ? 'echo x > new' : 'echo true > tests/two; echo true > tests/three');
  const { record } = await run.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, gates: [{ verdict: 'PASSED', tests: { ran: 3, failed: 0, skipped: 1 } }] });
  expect(run.turns[1].feedback).toMatchObject({ tests: { ran: 3, failed: 2, skipped: 1 }, failingTests: ['suite three', 'suite two'] });
  expect(run.turns[1].prompt).toContain('Failing tests (2 of 3):\n  suite three\n  suite two\n');
});

test('a run is stuck if the same tests fail, whatever the output says, and goes on if others do', async () => {
  const same = await loop({ one: 'false', two: 'true' }, (turn) => `echo ${turn} > new`);
  expect(await same.run()).toMatchObject({ error: 'CodingLoop.Stuck', record: { rounds: 2 } });

  const other = await loop({ one: 'echo output; false', two: 'true' }, (turn) => `echo ${turn} > new; echo ${turn === 1 ? 'true' : 'false'} > tests/one; echo ${turn === 1 ? 'false' : 'true'} > tests/two`, undefined, { maxRepairs: 2 });
  expect(await other.run()).toMatchObject({ error: 'CodingLoop.Red', record: { rounds: 3 } });
});

describe('a command that passes does not pass the gate', () => {
  test.each<[string, string, Partial<GateOptions>, string | RegExp]>([
    ['if it writes no report', 'true', {}, 'the command wrote no report: no file matches "reports/junit.xml"'],
    ['if a test failed', './run.sh || true; sed -i "s,/></testsuite>,><failure/></testcase></testsuite>," reports/junit.xml', {}, 'the command passed, but 1 test failed according to its report'],
    ['if the report is cut off', './run.sh; echo "$(head -c 60 reports/junit.xml)" > reports/junit.xml', {}, /reports\/junit\.xml/],
    ['if the report is of something else', 'mkdir -p reports; echo "<checkstyle/>" > reports/junit.xml', {}, /reports\/junit\.xml/],
    ['if the report is empty', 'mkdir -p reports; : > reports/junit.xml', {}, /reports\/junit\.xml/],
    ['if no test ran', 'mkdir -p reports; echo "<testsuites/>" > reports/junit.xml', {}, '0 tests ran, and at least 1 must'],
    ['if too few tests ran', './run.sh', { minTests: 2 }, '1 test ran, and at least 2 must'],
    ['if the report is a directory', 'mkdir -p reports/junit.xml', {}, /no file matches/],
    ['if the report is a FIFO', 'mkdir -p reports; mkfifo reports/junit.xml', {}, /no file matches/],
  ])('%s', async (_, command, options, reason) => {
    const run = await loop({ one: 'true' }, 'echo x > new', [gate(options, command)], { maxRepairs: 0 });
    const { record } = await run.run();
    expect(record).toMatchObject({ outcome: 'CodingLoop.Red', gates: [{ verdict: 'FAILED', exitCode: 0 }] });
    expect(record.gates[0].reason).toMatch(reason instanceof RegExp ? reason : new RegExp(`^${reason.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
    expect(record.feedback!.reason).toBe(record.gates[0].reason);
  });

  test.each([
    ['the agent wrote beforehand', 'mkdir -p reports; cp good.xml reports/junit.xml; git add -f reports'],
    ['the agent wrote beforehand, with a time in the future', 'mkdir -p reports; cp good.xml reports/junit.xml; touch -d 2099-01-01 reports/junit.xml; git add -f reports'],
  ])('if the report is one that %s', async (_, agent) => {
    const run = await start({
      files: { ...junitSuite({ one: 'true' }), 'good.xml': '<testsuite><testcase name="one"/></testsuite>' },
      agent,
      loop: { gates: [gate({}, 'true')], verification: Verification.none(), maxRepairs: 0 },
    });
    expect((await run.run()).record.gates[0].reason).toBe('the command wrote no report: reports/junit.xml is older than the command');
  });

  test('if the report is that of the gate before', async () => {
    const gates = [Gate.command('first', './run.sh', { report: REPORT }), Gate.command('second', 'true', { report: REPORT })];
    const { record } = await (await loop({ one: 'true' }, 'echo x > new', gates, { maxRepairs: 0 })).run();
    expect(record.gates).toMatchObject([{ name: 'first', verdict: 'PASSED' }, { name: 'second', verdict: 'FAILED', reason: 'the command wrote no report: reports/junit.xml is older than the command' }]);
  });
});

test('a pattern matches any number of directories, reports of other commands do not count, and nothing in a name is run', async () => {
  const write = 'for name in "a b" "c\\$(touch pwned)" d; do mkdir -p "deep/$name/reports"; echo "<testsuite><testcase name=\\"t\\" classname=\\"$name\\"/></testsuite>" > "deep/$name/reports/TEST-1.xml"; done';
  const run = await start({
    files: { '.gitignore': 'deep/\n' },
    loop: { gates: [Gate.command('other', 'mkdir -p deep/old/reports; echo "<no report" > deep/old/reports/TEST-1.xml'), Gate.command('test', write, { report: '**/reports/TEST-*.xml' })], verification: Verification.none() },
  });
  expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', gates: [{}, { tests: { ran: 3, failed: 0 } }] });
});

test('a session that prints without end, where the report should be, uses no more memory than a report', async () => {
  // The program that would print the report is the agent's.
  const cat = '#!/bin/bash\\n[[ $1 != -- ]] || exec head -c 80000000 /dev/zero\\nexec /bin/cat \"$@\"\\n';
  const run = await loop({ one: 'true' }, `printf "${cat}" >/usr/local/bin/cat; chmod +x /usr/local/bin/cat; echo x > new`, undefined, { maxRepairs: 0 });
  const { record } = await run.run();
  expect(record.gates).toMatchObject([{ verdict: 'FAILED', reason: 'the reports changed while they were read' }]);
});

test('a report is read from the working directory of the gate', async () => {
  const gates = [Gate.command('test', 'mkdir out; echo "<testsuite><testcase name=\\"t\\"/></testsuite>" > out/r.xml', { report: 'out/r.xml', workingDirectory: 'tests' })];
  expect((await (await loop({ one: 'true' }, 'echo x > new', gates)).run()).record).toMatchObject({ outcome: 'COMMITTED', gates: [{ tests: { ran: 1 } }] });
});

describe('in a verification', () => {
  const verification = Verification.inFreshSession();

  test('the reports are read there, too', async () => {
    const run = await loop({ one: 'true' }, 'echo x > new', undefined, { verification });
    expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', verification: { gates: [{ verdict: 'PASSED', tests: { ran: 1 } }] } });
  });

  test('a gate that fails runs again if it has retries, and the record says that it is flaky, and which test was', async () => {
    // Fails in the first session in which it runs as another user than root.
    const flaky = '[[ $(id -u) == 0 || -e /tmp/seen ]] || { touch /tmp/seen; false; }';
    const run = await loop({ one: flaky, two: 'true' }, 'echo x > new', [gate({ retries: 1 })], { verification });
    const { record } = await run.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, verification: { gates: [{ verdict: 'FLAKY', flakyTests: { names: ['suite one'], count: 1 } }] } });
    expect(run.git('log', '-1', '--format=%(trailers:key=Workbench-Gate,valueonly)', 'workbench/task-1')).toMatch(/^test FLAKY in/);
  });

  test('a gate that fails in each try leads to a repair', async () => {
    const run = await loop({ one: '[[ $(id -u) == 0 || ! -e new ]] || { echo tried >> /tmp/tries; false; }' }, (turn) => turn === 0 ? 'echo x > new' : 'rm new; echo y > newer', [gate({ retries: 2 })], { verification });
    expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, verification: { gates: [{ verdict: 'PASSED' }] } });
    expect(run.turns[1].feedback).toMatchObject({ cleanCheckout: true, failingTests: ['suite one'] });
    expect(run.jobs('gate-test-retry')).toHaveLength(2);
  });

  test('files that a try changed do not fail the next one', async () => {
    const command = 'if [[ $(id -u) != 0 && ! -e /tmp/seen ]]; then touch /tmp/seen; echo changed > value.txt; fi';
    const run = await start({ agent: 'echo right > value.txt', loop: { gates: [Gate.command('test', command, { retries: 1 })], verification } });
    expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verification: { gates: [{ verdict: 'FLAKY' }] } });
  });
});
