import { Duration } from 'aws-cdk-lib';
import { AgentTurn, Commit, Gate } from '../../src';
import { useLoops } from '../support/loop-fixture';

// The result of gates before the agent changes anything: a gate that is green then proves nothing about the task.
const start = useLoops();
const green = (record: object) => (record as { gates: { name: string; greenBefore?: boolean }[] }).gates
  .map(({ name, greenBefore }) => [name, greenBefore]);
const GATES = [Gate.command('lint', 'grep -q . value.txt'), Gate.command('test', './test.sh'), Gate.command('new', '[ -e new ]')];

test('gates that run before the first turn are recorded as green or not, and decide nothing', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'touch new' : 'echo right > value.txt', loop: { gates: GATES, gatesBefore: true, maxRepairs: 1 } });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(green(record)).toEqual([['lint', true], ['test', false], ['new', false]]);
  expect(loop.turns[0]).not.toHaveProperty('feedback');
  expect(loop.entered.slice(0, 8)).toEqual([
    'Prepare the run', 'Record what changed', 'Is all of it recorded?', 'Run gate: lint', 'Did it pass: lint?', 'Run gate: test', 'Did it pass: test?', 'Run gate: new',
  ]);
  expect([loop.jobs('gate-lint'), loop.jobs('gate-test'), loop.jobs('gate-new')].map((jobs) => jobs.length)).toEqual([3, 3, 2]);
});

test.each([['pushes', {}], ['commits locally', { commit: Commit.local() }]])('a loop that %s never commits because of gates that passed before the agent started', async (_, more) => {
  const loop = await start({ files: { 'value.txt': 'right\n' }, agent: 'echo wrong > value.txt', loop: { gatesBefore: true, maxRepairs: 0, ...more } });
  const { error, record } = await loop.run();
  expect([error, green(record)]).toEqual(['CodingLoop.Red', [['test', true]]]);
  expect(loop.branches()).toEqual(['main']);
});

test('whatever gates do before the agent starts, the run continues with the original files', async () => {
  const gates = [
    Gate.command('inert', '[ -e new ] || no-such-program'),
    Gate.command('slow', '[ -e new ] || sleep 60', { timeout: Duration.seconds(1) }),
    Gate.command('formats', '[ -e new ] || { echo right > value.txt; rm test.sh; touch left ignored.log; }'),
    Gate.command('test', './test.sh && [ ! -e left ]'),
  ];
  const loop = await start({
    files: { '.gitignore': '*.log\n' },
    agent: 'ls > new; cat value.txt .aider.x >> new; echo right > value.txt',
    loop: { gates, gatesBefore: true, bootstrap: ['echo mine > .aider.x'], maxRepairs: 0 },
  });
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  expect(green(record)).toEqual([['inert', false], ['slow', false], ['formats', false], ['test', false]]);
  expect(loop.show(undefined, 'new').split('\n')).toEqual(['ignored.log', 'new', 'test.sh', 'value.txt', 'wrong', 'mine', '']);
});

test('the result of a gate that is lost with its microVM before the agent starts is unknown, and the run continues', async () => {
  const gates = [Gate.command('test', './test.sh', { timeout: Duration.hours(1) })];
  const loop = await start({ loop: { gates, gatesBefore: true, bootstrap: ['true'], turn: AgentTurn.command('echo right > value.txt') } });
  const fault = loop.server.faults.add({
    operation: 'InvokeAgentRuntimeCommand', at: 'midOutput', kind: 'replaceMicrovm', match: ({ command = '' }) => /job=gate-test-before/.test(command),
  });
  const { record } = await loop.run();
  expect(record.outcome).toBe('COMMITTED');
  expect([fault.fired, green(record)]).toEqual([1, [['test', undefined]]]); // it is not run again
});

test('gates after a turn that changed nothing are recorded the same way, without the option', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'true' : 'echo right > value.txt; touch new', loop: { gates: GATES } });
  const { record } = await loop.run();
  // The last gate did not run.
  expect([record.outcome, green(record)]).toEqual(['COMMITTED', [['lint', true], ['test', false], ['new', undefined]]]);
});

test('a run that changes nothing records that its gates were green before', async () => {
  const loop = await start({ files: { 'value.txt': 'right\n' }, agent: 'true' });
  expect(green((await loop.run()).record)).toEqual([['test', true]]);
});

test('omits the field if the result is unknown', async () => {
  const loop = await start({ agent: 'echo right > value.txt' });
  expect((await loop.run()).record.gates[0]).not.toHaveProperty('greenBefore');
});
