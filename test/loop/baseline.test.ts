import { Baseline, Gate, Verification } from '../../src';
import { junitSuite } from '../support/junit-suite';
import { IN_PROCESS, LoopFixtureProps, useLoops } from '../support/loop-fixture';

// The gates on what a run starts from, in a clean checkout, before a turn is paid for.
// The handlers run in this process, where coverage sees them.
process.env[IN_PROCESS] = '1';

const start = useLoops();
const report = 'reports/junit.xml';
const gates = [Gate.command('test', './run.sh', { report })];

function loop(tests: { readonly [name: string]: string }, agent: LoopFixtureProps['agent'], more: LoopFixtureProps['loop'] = {}) {
  return start({ files: junitSuite(tests), agent, loop: { gates, ...more, verification: Verification.inFreshSession() } });
}

describe('checkBase', () => {
  test('ends a run whose base is red before the first turn, and names the gate and the tests', async () => {
    const run = await loop({ one: 'true', two: 'false' }, 'echo true > tests/two', { checkBase: true });
    const { error, record } = await run.run();
    expect(error).toBe('CodingLoop.BaseRed');
    expect(record).toMatchObject({ rounds: 0, verified: false, verification: { stopped: true } });
    expect(record.error!.message).toMatch(/^the gate "test" does not pass on [0-9a-f]{12}, before the agent begins: FAILED, exit code 1: failing tests: suite two$/);
    expect(run.turns).toEqual([]);
    const stopped = run.server.calls.of('StopRuntimeSession').map(({ sessionId }) => sessionId);
    expect(new Set(stopped)).toEqual(new Set([record.session.id, ...record.verification!.sessions]));
  });

  test('lets a run begin whose base is green, and the record has what the gates said', async () => {
    const run = await loop({ one: 'true' }, 'echo true > tests/two', { checkBase: true });
    const { record } = await run.run();
    expect(record).toMatchObject({
      outcome: 'COMMITTED',
      verified: true,
      gates: [{ greenBefore: true, tests: { ran: 2, ranBefore: 1 } }],
      baseCheck: { commit: run.git('rev-parse', 'main').trim(), gates: [{ name: 'test', verdict: 'PASSED', tests: { ran: 1, failed: 0, skipped: 0 } }] },
    });
    expect(record.verification!.sessions).toHaveLength(2);
    expect(JSON.stringify(record)).not.toContain('"known"');
  });

  test('checks the base of the branch in a session that goes on, and not what the agent has done on it', async () => {
    const run = await loop({ one: 'true' }, (turn) => `echo true > tests/more-${turn}`, { checkBase: true });
    const first = await run.run();
    const { record } = await run.run({ session: first.record.session }, { name: 'run-2' });
    expect(record).toMatchObject({ outcome: 'COMMITTED', gates: [{ tests: { ran: 3, ranBefore: 1 } }], baseCheck: { commit: run.git('rev-parse', 'main').trim() } });
  });

  test('a bootstrap that needs more rights runs as the user of the container, and one that fails ends the run', async () => {
    const root = await loop({ one: 'true' }, 'echo x > new', { checkBase: true, bootstrap: ['[[ $(id -u) == 0 ]]'] });
    const { record } = await root.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', verification: { separateUser: false } });
    expect(record.verification!.sessions).toHaveLength(3); // two for the base, one for the change

    // The session of the agent shares its disk with earlier commands; a clean checkout does not.
    const broken = await loop({ one: 'true' }, 'echo x > new', { checkBase: true, bootstrap: ['[[ $PWD == /mnt/* || $(pwd -P) == /mnt/* ]]'] });
    expect(await broken.run()).toMatchObject({ error: 'CodingLoop.BootstrapFailed', record: { rounds: 0 } });
    expect(broken.turns).toEqual([]);
  });

  test('goes on in another session if its microVM is lost', async () => {
    const run = await loop({ one: 'true' }, 'echo x > new', { checkBase: true });
    const fault = run.server.faults.add({
      operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', kind: 'replaceMicrovm', match: ({ command = '', sessionId = '' }) => sessionId.startsWith('verify-1-') && command.includes('job=gate-test-'),
    });
    const { record } = await run.run();
    expect(fault.fired).toBe(1);
    expect(record).toMatchObject({ outcome: 'COMMITTED', verified: true });
  });
});

describe('a gate that fails on the base, with Baseline.KNOWN_FAILURES,', () => {
  const baseline = Baseline.KNOWN_FAILURES;

  test('passes if nothing fails that did not fail there', async () => {
    const run = await loop({ one: 'true', two: 'false' }, 'echo true > tests/three', { baseline });
    const { record } = await run.run();
    const gate = { verdict: 'PASSED', exitCode: 1, knownFailure: true, tests: { ran: 3, failed: 1, ranBefore: 2, knownFailures: 1, failing: { names: ['suite two'], count: 1 } } };
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1, verified: true, gates: [gate], verification: { gates: [gate] }, baseCheck: { gates: [{ verdict: 'FAILED' }] } });
    expect(record.gates[0].greenBefore).toBe(false);
    expect(run.git('log', '-1', '--format=%(trailers:key=Workbench-Gate,valueonly)', 'workbench/task-1')).toMatch(/^test PASSED except for known failures in/);
  });

  test('fails if one more test does, which is named first', async () => {
    const run = await loop({ one: 'true', two: 'false' }, (turn) => turn === 0 ? 'echo false > tests/zero; echo x > new' : 'rm tests/zero', { baseline });
    const { record } = await run.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(run.turns[1].feedback).toMatchObject({ failingTests: ['suite zero', 'suite two'], tests: { failed: 2, knownFailures: 1 } });
    expect(run.turns[1].prompt).toContain('Failing tests (2 of 3, 1 of which also fails without your change and comes last):\n  suite zero\n  suite two\n');
  });

  test('fails if another test of the same name does', async () => {
    const twice = './run.sh || code=$?; sed -i "s,</testsuite>,$(cat extra 2>/dev/null)</testsuite>," reports/junit.xml; exit ${code-0}';
    const run = await loop({ two: 'false' }, 'echo "<testcase classname=\\"suite\\" name=\\"two\\"><failure/></testcase>" > extra', {
      baseline, maxRepairs: 0, gates: [Gate.command('test', twice, { report })],
    });
    expect(await run.run()).toMatchObject({ error: 'CodingLoop.Red' });
  });

  test('passes if the agent has mended it', async () => {
    const run = await loop({ one: 'true', two: 'false' }, 'echo true > tests/two', { baseline });
    const { record } = await run.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', gates: [{ verdict: 'PASSED', exitCode: 0, tests: { failed: 0 }, greenBefore: false }] });
    expect(record.gates[0]).not.toHaveProperty('knownFailure');
  });

  test('fails if the command ends in another way, or without a report', async () => {
    for (const agent of ['sed -i "\\$ d" run.sh; echo "exit 3" >> run.sh', 'echo "exit 1" > run.sh']) {
      const run = await loop({ two: 'false' }, agent, { baseline, maxRepairs: 0 });
      expect(await run.run()).toMatchObject({ error: 'CodingLoop.Red' });
    }
  });

  test('without a report, passes if it fails in the same way, and fails if it fails in another', async () => {
    const plain = [Gate.command('lint', 'echo "$RANDOM ms"; cat problems; ! test -s problems')];
    const same = await start({ files: { problems: 'old\n' }, agent: 'echo x > new', loop: { gates: plain, baseline, verification: Verification.inFreshSession() } });
    expect((await same.run()).record).toMatchObject({ outcome: 'COMMITTED', gates: [{ verdict: 'PASSED', exitCode: 1, knownFailure: true }] });
    const other = await start({ files: { problems: 'old\n' }, agent: 'echo new >> problems', loop: { gates: plain, baseline, maxRepairs: 0, verification: Verification.inFreshSession() } });
    expect(await other.run()).toMatchObject({ error: 'CodingLoop.Red' });
  });

  test('a run that does nothing else is no change', async () => {
    const run = await loop({ two: 'false' }, 'true', { baseline });
    expect((await run.run()).record).toMatchObject({ outcome: 'NO_CHANGES', gates: [{ knownFailure: true }] });
  });
});

describe('a change that removes tests', () => {
  test('is named in the record', async () => {
    const run = await loop({ one: 'true', two: 'true' }, 'rm tests/two', { checkBase: true });
    expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', gates: [{ tests: { ran: 1, ranBefore: 2 } }] });
  });

  test.each([['removes', 'rm tests/two'], ['skips', 'echo "# skip" > tests/two']])('fails if asked for, if it %s one', async (_, agent) => {
    const strict = [Gate.command('test', './run.sh', { report, failOnFewerTests: true })];
    const run = await loop({ one: 'true', two: 'true' }, (turn) => turn === 0 ? agent : 'echo true > tests/two; echo x > new', { checkBase: true, gates: strict });
    expect((await run.run()).record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(run.turns[1].prompt).toContain('The reason: 1 test ran, and 2 ran without the change.\n');
    expect(run.turns[1].prompt).toContain('1 test ran, and 2 ran without your change: do not remove or skip tests.\n');
  });
});
