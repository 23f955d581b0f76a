/** The operator of a loop in the test's own process, where coverage sees it. The other tests of this directory run the driver's bundle. */
import { BusEvent, KeptFiles } from '../../rehearsal/aws';
import { Gate, RunArtifacts, RunBudget, RunEvents, Verification } from '../../src';
import type { RunEventDetail } from '../../src/loop/steps/run-events';
import { IN_PROCESS, LoopFixture, useLoops } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1';

const start = useLoops();

const loop = {
  events: RunEvents.onDefaultBus(),
  artifacts: RunArtifacts.inBucket(),
  budget: RunBudget.of({ turns: 2, agentMinutes: 60, sessionHours: 8, usd: 100 }),
  maxConcurrentRuns: 5,
};
const eventsOf = ({ deployment: { files } }: LoopFixture) => KeptFiles.linesOf<BusEvent & { readonly detail: RunEventDetail }>(files.events);
const told = (made: LoopFixture) => eventsOf(made).map(({ 'detail-type': type, detail }) => [type.replace('CodingLoop Run ', ''), detail.outcome]);

test('a run that is repaired is told, kept and within its budget', async () => {
  const made = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt', loop });
  const { record } = await made.run();
  expect(record.outcome).toBe('COMMITTED');
  expect(told(made)).toEqual([['Started', undefined], ['Round', 'REPAIR'], ['Round', 'COMMITTED'], ['Finished', 'COMMITTED']]);
  expect(eventsOf(made)[1].detail).toMatchObject({ gate: 'test', message: expect.stringContaining('FAILED with exit code 1') });
  expect(eventsOf(made)[3].detail.message).toContain('is committed after 2 rounds');
});

test('a run that changes nothing is told as such', async () => {
  const made = await start({ agent: 'true', loop: { ...loop, gates: [Gate.command('test', 'true')] } });
  expect((await made.run()).record.outcome).toBe('NO_CHANGES');
  expect(eventsOf(made).at(-1)!.detail.title).toBe('task-1: nothing to change');
});

test('a gate that fails in the clean checkout alone is told as such', async () => {
  const made = await start({
    agent: 'echo right > value.txt',
    loop: { ...loop, gates: [Gate.command('test', '[[ $PWD == /mnt/workspace/* ]]')], verification: Verification.inFreshSession(), maxRepairs: 0 },
  });
  expect((await made.run()).record.outcome).toBe('CodingLoop.Red');
  expect(eventsOf(made).at(-1)!.detail).toMatchObject({ outcome: 'CodingLoop.Red', message: expect.stringContaining('in a clean checkout') });
});

test('a run over its budget ends before the turn that would exceed it', async () => {
  const made = await start({ agent: (turn) => `echo wrong-${turn} > value.txt`, loop: { ...loop, budget: RunBudget.of({ turns: 1 }) } });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.OverBudget', rounds: 1 });
  expect(told(made).at(-1)).toEqual(['Finished', 'CodingLoop.OverBudget']);
});

test('a run that is refused, and one that Step Functions ends, are told once each', async () => {
  const made = await start({ loop });
  await made.run({ prompt: '' });
  const executionArn = made.executionOf('cut-off');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  const end = { executionArn, stateMachineArn, name: 'cut-off' };
  await made.deployment.notifyEnd({ ...end, status: 'TIMED_OUT', input: '{"taskId":"task-7"}' });
  await made.deployment.notifyEnd({ ...end, status: 'FAILED', input: 'no JSON', error: 'States.DataLimitExceeded', cause: 'too long' });
  expect(told(made)).toEqual([['Finished', 'CodingLoop.BadInput'], ['Finished', 'TIMED_OUT'], ['Finished', 'CodingLoop.Failed']]);
  expect(eventsOf(made)[2].detail).toMatchObject({ taskId: '', title: 'a task without a name: CodingLoop.Failed', message: expect.stringContaining('States.DataLimitExceeded') });
});

test('a bus and a bucket that take nothing fail no run', async () => {
  const made = await start({ loop, agent: 'echo right > value.txt' });
  const [event, file] = (['PutEvents', 'PutObject'] as const).map((operation) => made.server.faults.add({ operation, at: 'beforeStart', kind: 'internal', times: 1_000 }));
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', artifacts: { error: expect.any(String) } });
  expect(event.fired).toBe(9);
  expect(file.fired).toBeGreaterThan(3);
  expect(eventsOf(made)).toEqual([]);
});
