import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { BusEvent, KeptFiles } from '../../rehearsal/aws';
import { Gate, RunBudget, RunEvents } from '../../src';
import type { RunEventDetail } from '../../src/loop/steps/run-events';
import { LoopFixture, useLoops } from '../support/loop-fixture';
import { emittedValues } from '../support/metrics';

const start = useLoops();

type RunEvent = BusEvent & { readonly detail: RunEventDetail };

function eventsOf({ deployment: { files } }: LoopFixture): RunEvent[] {
  return KeptFiles.linesOf<RunEvent>(files.events);
}

const brief = ({ 'detail-type': type, detail: { taskId, round, rounds, outcome } }: RunEvent) => [type, taskId, round, rounds, outcome];
const logged = (loop: LoopFixture, message: string) => loop.logs.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter((line) => line.message === message);

const loop = { events: RunEvents.onDefaultBus() };
/** Wrong in the first round, right in the second. */
const twoRounds = (turn: number) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt';

test('a run sends an event when it starts, one for each round, and one with its record when it ends', async () => {
  const made = await start({ agent: twoRounds, loop });
  const { record } = await made.run();
  const arn = made.executionOf(eventsOf(made)[0].detail.executionName);
  const sent = eventsOf(made);
  expect(sent.map(brief)).toEqual([
    ['CodingLoop Run Started', 'task-1', undefined, undefined, undefined],
    ['CodingLoop Run Round', 'task-1', 1, undefined, 'REPAIR'],
    ['CodingLoop Run Round', 'task-1', 2, undefined, 'COMMITTED'],
    ['CodingLoop Run Finished', 'task-1', undefined, 2, 'COMMITTED'],
  ]);
  for (const event of sent) {
    expect(event).toMatchObject({
      source: 'cdk-agentcore-workbench',
      resources: [arn, expect.stringContaining(':stateMachine:')],
      detail: { version: 1, loop: 'Stack/Loop', execution: arn, stateMachineArn: event.resources[1], sessionId: record.session.id },
    });
  }
  expect(sent[1].detail).toMatchObject({ gate: 'test', message: expect.stringContaining('"test" ended as FAILED with exit code 1') });
  expect(sent[3].detail.record).toEqual(record);
  expect(sent[3].detail.message).toContain(record.commit!.id.slice(0, 12));
});

test('a run that ends red says so, with the gate and the record', async () => {
  const made = await start({ agent: (turn) => `echo wrong-${turn} > value.txt`, loop: { ...loop, maxRepairs: 0 } });
  const { record } = await made.run();
  expect(eventsOf(made).map(brief).slice(1)).toEqual([
    ['CodingLoop Run Round', 'task-1', 1, undefined, 'CodingLoop.Red'],
    ['CodingLoop Run Finished', 'task-1', undefined, 1, 'CodingLoop.Red'],
  ]);
  expect(eventsOf(made)[1].detail.gate).toBe('test');
  expect(eventsOf(made)[2].detail.record).toEqual(record);
});

test('a run that is refused sends its end alone', async () => {
  const made = await start({ loop });
  const { record } = await made.run({ prompt: '' });
  expect(eventsOf(made).map(brief)).toEqual([['CodingLoop Run Finished', 'task-1', undefined, 0, 'CodingLoop.BadInput']]);
  expect(eventsOf(made)[0].detail.record).toEqual(record);
});

test('a turn that is refused is no round', async () => {
  const made = await start({ agent: 'echo wrong > value.txt', loop: { ...loop, budget: RunBudget.of({ turns: 1 }) } });
  await made.run();
  expect(eventsOf(made).map(brief)).toEqual([
    ['CodingLoop Run Started', 'task-1', undefined, undefined, undefined],
    ['CodingLoop Run Round', 'task-1', 1, undefined, 'REPAIR'],
    ['CodingLoop Run Finished', 'task-1', undefined, 1, 'CodingLoop.OverBudget'],
  ]);
});

test.each(['ABORTED', 'TIMED_OUT'])('a run that Step Functions ends as %s sends its end', async (status) => {
  const made = await start({ loop });
  const executionArn = made.executionOf('cut-off');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await made.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'cut-off', status, input: JSON.stringify({ prompt: 'p', taskId: 'task-7' }) });
  expect(eventsOf(made).map(brief)).toEqual([['CodingLoop Run Finished', 'task-7', undefined, undefined, status]]);
  expect(eventsOf(made)[0].detail).toMatchObject({ execution: executionArn, sessionId: made.sessionOf('cut-off').id, message: expect.stringContaining('Step Functions ended the run') });
});

test('a run that ended in order sends no second end when Step Functions says that it failed', async () => {
  const made = await start({ agent: 'echo wrong > value.txt', loop: { ...loop, maxRepairs: 0 } });
  const { error, cause } = await made.run();
  const arn = eventsOf(made)[0].detail.execution;
  const before = eventsOf(made).length;
  const stateMachineArn = arn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await made.deployment.notifyEnd({ executionArn: arn, stateMachineArn, name: 'x', status: 'FAILED', input: '{}', error, cause });
  expect(eventsOf(made)).toHaveLength(before);
});

test('a failed run of a state machine with a key of its own sends no second end, though the event has no error and no cause', async () => {
  const made = await start({ agent: 'echo wrong > value.txt', loop: { ...loop, maxRepairs: 0 } });
  await made.run();
  const arn = eventsOf(made)[0].detail.execution;
  const before = eventsOf(made).length;
  const stateMachineArn = arn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await made.deployment.notifyEnd({ executionArn: arn, stateMachineArn, name: 'x', status: 'FAILED', input: '' });
  expect(eventsOf(made)).toHaveLength(before);
});

test('a run whose session cannot be stopped sends its end all the same, and counts the session', async () => {
  const made = await start({ loop });
  made.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied', times: 99 });
  const executionArn = made.executionOf('stays');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await made.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'stays', status: 'ABORTED', input: JSON.stringify({ prompt: 'p', taskId: 'task-8' }) });
  expect(eventsOf(made)[0].detail).toMatchObject({ outcome: 'ABORTED', message: expect.stringContaining('Its session: not stopped: ') });
  await made.deployment.close();
  expect(emittedValues(made.logs).filter(({ name }) => name === 'SessionsNotStopped').map(({ value }) => value)).toContain(1);
});

test('a run whose input names a session of others sends its end', async () => {
  const made = await start({ loop });
  const executionArn = made.executionOf('foreign');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  const input = JSON.stringify({ prompt: 'p', taskId: 'task-8', session: { id: 'x'.repeat(40) } });
  await made.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'foreign', status: 'ABORTED', input });
  expect(eventsOf(made).map(brief)).toEqual([['CodingLoop Run Finished', 'task-8', undefined, undefined, 'ABORTED']]);
});

test('a bus that throttles gets the event all the same', async () => {
  const made = await start({ loop });
  made.server.faults.add({ operation: 'PutEvents', at: 'beforeStart', kind: 'throttle', times: 2 });
  made.server.faults.add({ operation: 'PutEvents', at: 'beforeEnd', kind: 'reset' });
  await made.run();
  expect(new Set(eventsOf(made).map(brief).map(([type]) => type))).toEqual(new Set(['CodingLoop Run Started', 'CodingLoop Run Round', 'CodingLoop Run Finished']));
});

test('a bus that takes no event does not fail a run, and the log says so', async () => {
  const made = await start({ loop });
  const fault = made.server.faults.add({ operation: 'PutEvents', at: 'beforeStart', kind: 'internal', times: 100 });
  const { record } = await made.run();
  await made.deployment.close();
  expect(record.outcome).toBe('COMMITTED');
  expect(fault.fired).toBe(9); // three events, three tries each
  expect(logged(made, 'event not sent').map(({ detailType, error }) => [detailType, error])).toEqual(
    ['Started', 'Round', 'Finished'].map((name) => [`CodingLoop Run ${name}`, 'InternalServerException']));
});

test('a driver without the permission logs the refusal once for each event, and the run goes on', async () => {
  const made = await start({ loop });
  const refusal = jest.spyOn(made.deployment.authorizer, 'refusalOfRequest').mockImplementation((_, action) => action === 'events:PutEvents' ? 'denied' : undefined);
  const { record } = await made.run();
  await made.deployment.close();
  refusal.mockRestore();
  expect(record.outcome).toBe('COMMITTED');
  expect(logged(made, 'event not sent').map(({ error }) => error)).toEqual(Array(3).fill('AccessDeniedException'));
});

test('events go to the bus of the loop, and nothing is missing in the driver\'s permissions', async () => {
  const made = await start({
    loop: () => ({ events: RunEvents.onBus(events.EventBus.fromEventBusArn(new Stack(), 'Bus', 'arn:aws:events:us-east-1:123456789012:event-bus/team')) }),
  });
  const { record } = await made.run();
  expect(record.outcome).toBe('COMMITTED');
  expect(eventsOf(made)).toHaveLength(3);
  expect(made.deployment.authorizer.missing).toEqual([]);
});

test('text of the task and of gates stays in its field, on one line', async () => {
  const taskId = 'issue-1';
  const made = await start({
    loop: { ...loop, maxRepairs: 0, gates: [Gate.command('test', 'echo \'"},"outcome":"COMMITTED"} <!channel>\'; exit 7')] },
  });
  await made.run({ taskId, prompt: '"}, {"hostile": "\u202e<!channel>' });
  for (const { detail } of eventsOf(made)) {
    expect(detail.taskId).toBe(taskId);
    expect(`${detail.title}${detail.message}`).not.toMatch(/[\n<>\u202e]/);
  }
});

test('text of an input that is refused makes no link and mentions nobody', async () => {
  const made = await start({ loop });
  await made.run({ taskId: '[Approve](https://example.com) [Merge][1] <!channel>\n' });
  const [{ detail }] = eventsOf(made);
  expect(detail.outcome).toBe('CodingLoop.BadInput');
  expect(`${detail.title}${detail.message}`).not.toMatch(/\]\(|\]\[|[\n<>]/);
  expect(detail.message).toContain('[Approve] (https://example.com) [Merge] [1] ‹!channel›');
});

test('the page lists exactly the fields of the details', async () => {
  const made = await start({ agent: twoRounds, loop });
  await made.run();
  const page = readFileSync(join(__dirname, '../../docs/operating.md'), 'utf8');
  const table = /\| field \| content \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page)![1];
  const listed = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  const sent = new Set(eventsOf(made).flatMap(({ detail }) => Object.keys(detail)));
  expect(new Set(listed)).toEqual(sent);
});
