import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Gate } from '../../src';
import { AGENT_ERRORS, REPORT_PREFIX, RUNNER } from '../../src/agent/constants';
import { IN_PROCESS, useLoops } from '../support/loop-fixture';
import { reporting, reportingTurn, reportLine } from '../support/reporting-turn';

process.env[IN_PROCESS] = '1'; // coverage sees it
const start = useLoops();
const REPORT = {
  name: 'claude-code', version: '2.1.197', turns: 12, usage: { inputTokens: 40_000, outputTokens: 5_000, cacheReadTokens: 7 }, costUsd: 0.31, summary: 'Changed value.txt.',
};
const RIGHT = 'cat >/dev/null; echo right > value.txt';

describe('a turn of an agent that reports', () => {
  test('is in the record with its usage and its summary, and gets the instructions of the loop', async () => {
    const instructions = 'It\'s judged by: test\n$(touch /tmp/run) `id`';
    const loop = await start({
      loop: { turn: reportingTurn(`${RIGHT}; printf %s "$WORKBENCH_INSTRUCTIONS" > told.txt; ${reporting({ ...REPORT, extra: 'x', error: undefined })}`, { instructions }) },
    });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(record.agent).toEqual(REPORT);
    expect(loop.show(undefined, 'told.txt')).toBe(instructions);
  });

  test('adds up to the turns before it', async () => {
    const second = { name: 'claude-code', version: '2.1.198', turns: 3, usage: { inputTokens: 1, outputTokens: 2, cacheWriteTokens: 5 }, costUsd: 0.2, summary: 'And again.' };
    const loop = await start({
      loop: { turn: reportingTurn(`if [[ $WORKBENCH_ROUND == 0 ]]; then ${reporting({ ...REPORT, costUsd: 0.1 })}; else ${RIGHT}; ${reporting(second)}; fi`) },
    });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
    expect(record.agent).toEqual({
      name: 'claude-code',
      version: '2.1.198',
      turns: 15,
      summary: 'And again.',
      costUsd: 0.3,
      usage: { inputTokens: 40_001, outputTokens: 5_002, cacheReadTokens: 7, cacheWriteTokens: 5 },
    });
  });

  test('counts once if the driver dies after the turn has ended', async () => {
    const loop = await start({ loop: { turn: reportingTurn(`${RIGHT}; ${reporting(REPORT)}`) } });
    const [driver] = loop.deployment.stack.ofType('AWS::Lambda::Function').map((id) => jest.spyOn(loop.deployment.function(id), 'invoke'));
    const invoke = driver.getMockImplementation()!;
    let deaths = 0;
    driver.mockImplementation(async (event) => {
      const result = await invoke(event);
      const isTurn = (event as { readonly operation?: string }).operation === 'loop:turn';
      return isTurn && deaths++ < 2 ? { failure: { errorType: 'Sandbox.Timedout', errorMessage: 'out of time' } } : result;
    });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause, deaths }).toEqual({ outcome: 'COMMITTED', cause: undefined, deaths: 3 });
    expect(loop.jobs('turn')).toHaveLength(1);
    expect(record.agent).toEqual(REPORT);
  });

  test('that is lost counts as unreported, and its repetition counts once', async () => {
    const loop = await start({ loop: { turn: reportingTurn(`${RIGHT}; ${reporting(REPORT)}`) } });
    const fault = loop.server.faults.add({
      operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', kind: 'replaceMicrovm', match: ({ command = '' }) => /job=turn-/.test(command),
    });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause, fired: fault.fired }).toEqual({ outcome: 'COMMITTED', cause: undefined, fired: 1 });
    expect(record.agent).toEqual({ ...REPORT, unreported: { turns: 1, reason: 'the turn was lost' } });
  });

  test.each([
    ['no report', 'echo done', 'the turn has no report'],
    ['a report that is not JSON', `echo '${REPORT_PREFIX}{'`, 'the report is not JSON'],
    ['a report that is too long', reporting({ ...REPORT, summary: 'x'.repeat(6_000) }), 'the report has more than 6000 bytes'],
    ['a report that is longer than the tail', reporting({ ...REPORT, summary: 'x'.repeat(31_000) }), 'the turn has no report'],
    ['a report with a wrong field', reporting({ ...REPORT, costUsd: -1 }), 'the report is not valid: "costUsd" is not a number of at least 0'],
  ])('passes with %s, and the record says so', async (_, script, reason) => {
    const loop = await start({ loop: { turn: reportingTurn(`${RIGHT}; ${script}`) } });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
    expect(record.agent).toEqual({ unreported: { turns: 1, reason } });
  });

  test('has the last of its reports, whatever an earlier line says', async () => {
    const fake = reporting({ name: 'fake', error: { name: AGENT_ERRORS.REFUSED, message: 'x' } });
    const loop = await start({
      loop: { turn: reportingTurn(`${RIGHT}; ${fake}; head -c 100000 /dev/zero | tr "\\0" "\\n"; echo " ${REPORT_PREFIX}{}"; ${reporting(REPORT)}; echo "more output"`) },
    });
    const { record } = await loop.run();
    expect(record).toMatchObject({ outcome: 'COMMITTED', agent: REPORT });
  });

  test.each(Object.values(AGENT_ERRORS))('ends the run with %s before any gate', async (name) => {
    const error = { name, message: 'what the provider said: sk-ant-api03-0123456789abcdef0123456789abcdef' };
    const loop = await start({
      loop: {
        gates: [Gate.command('test', 'touch /mnt/workspace/gate; ./test.sh')],
        turn: reportingTurn(`${RIGHT}; ${reporting({ ...REPORT, summary: undefined, error }).replace('sk-ant', '\\u0073k-ant')}; exit 1`),
      },
    });
    const { error: failed, record } = await loop.run();
    expect(failed).toBe(name);
    expect(record).toMatchObject({ outcome: name, rounds: 1, gates: [], session: { stopped: true }, agent: { name: 'claude-code', turns: 12, costUsd: 0.31 } });
    expect(record.error!.name).toBe(name);
    expect(record.error!.message).toMatch(/^what the provider said: \*\*\*\nFAILED, exit code 1; the whole output is in \/mnt\/workspace\/\.workbench\/jobs\/turn-/);
    expect(loop.jobs('turn')).toHaveLength(1);
    expect(loop.jobs('gate')).toEqual([]);
    expect(loop.branches()).toEqual(['main']);
  });

  test('fails with the end of its output, without the report, and keeps what it cost', async () => {
    const loop = await start({ loop: { turn: reportingTurn(`echo no idea; ${reporting(REPORT)}; exit 3`) } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.TurnFailed');
    expect(record.error!.message).toMatch(/^FAILED, exit code 3; the whole output is in [^\n]*\nno idea\n*$/);
    expect(record.agent).toEqual(REPORT);
  });

  test('that takes too long fails as such, whatever it reports', async () => {
    const report = reporting({ ...REPORT, error: { name: AGENT_ERRORS.REFUSED, message: '' } });
    const loop = await start({ loop: { turn: reportingTurn(`trap '${report.replaceAll('\'', '\'\\\'\'')}; exit 1' TERM; while :; do read -rt 1 <> <(:); done`, { timeout: Duration.seconds(2) }) } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.TurnFailed');
    expect(record.error!.message).toContain('TIMED_OUT');
  });

  test('cannot let a change through that does not pass', async () => {
    const report = { ...REPORT, next: 'PASSED', verdict: 'PASSED', gates: [{ name: 'test', verdict: 'PASSED' }], loop: { next: 'GO_ON' }, error: { name: 'COMMITTED', message: 'x' } };
    const loop = await start({ loop: { maxRepairs: 0, turn: reportingTurn(reporting(report)) } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.Red');
    expect(record.agent).toEqual({ unreported: { turns: 1, reason: 'the report is not valid: "error.name" is not the name of an error of agents' } });
    expect(loop.branches()).toEqual(['main']);
  });

  test('through the runner has the instructions of the loop, and its end of a program that fails is told apart', async () => {
    const loop = await start({
      loop: (shared) => ({
        turn: reportingTurn(`WORKBENCH_AGENT_FILE=${shared}/agent.json ${process.execPath} ${join(__dirname, '../..', RUNNER.asset)} turn`, { instructions: 'Judged by: test' }),
      }),
    });
    const command = 'grep -q "Judged by: test" || exit 1; [[ ! -e value.txt.bak ]] || exit 1; cp value.txt value.txt.bak; echo right > value.txt; echo "It was wrong. Closes #1"';
    writeFileSync(join(loop.shared, 'agent.json'), JSON.stringify({ program: 'custom', name: 'mine', command }));
    const first = await loop.run();
    expect({ outcome: first.record?.outcome, agent: first.record?.agent, cause: first.cause }).toEqual({ outcome: 'COMMITTED', agent: { name: 'mine', summary: 'It was wrong. Closes #1' }, cause: undefined });
    expect(loop.git('log', '-1', '--format=%B', 'workbench/task-1')).toContain('\n\nThe agent says:\n> It was wrong. Closes # 1\n\nWorkbench-Task: task-1\n');

    const second = await loop.run({ session: first.record.session });
    expect(second.record).toMatchObject({ outcome: 'Agent.Failed', gates: [], agent: { name: 'mine' }, session: { stopped: true } });
  });

  test('whose program is not in the image is inert', async () => {
    const loop = await start({ loop: { turn: reportingTurn('workbench-agent-that-is-not-there turn') } });
    expect((await loop.run()).error).toBe('CodingLoop.Inert');
  });
});

test('a report line is what the runner prints', () => {
  expect(reportLine({ name: 'a' })).toBe('workbench-agent-report: {"name":"a"}');
});
