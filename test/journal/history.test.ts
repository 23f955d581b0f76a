import type { HistoryEvent as SdkEvent } from '@aws-sdk/client-sfn';
import { eventsAfter, HistoryEvent, HistoryReader } from '../../src/journal/history';

const DATE = new Date('2026-11-27T03:00:00.250Z');
let id = 0;
beforeEach(() => { id = 0; });

function event(type: SdkEvent['type'], details: Partial<SdkEvent> = {}): SdkEvent {
  id += 1;
  return { id, previousEventId: id - 1, type, timestamp: DATE, ...details };
}

const entered = (type: SdkEvent['type'], name: string, input?: string) => event(type, { stateEnteredEventDetails: { name, input } });
const exited = (type: SdkEvent['type'], name: string, output?: string) => event(type, { stateExitedEventDetails: { name, output } });
const failed = () => event('LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: { error: 'SomeError', cause: '{"errorMessage":"no luck"}' } });

function read(...events: HistoryEvent[]): string[] {
  return new HistoryReader().read(events).map((each) => 'state' in each ? `${each.type} ${each.state.name}${'Error' in each ? ` after ${each.Error}` : ''}` : each.type);
}

test('a task is entered, retried after a failure, and exited', () => {
  expect(read(
    event('ExecutionStarted'), entered('TaskStateEntered', 'Work', '{"a":1}'),
    event('LambdaFunctionScheduled'), event('LambdaFunctionStarted'), failed(), event('LambdaFunctionScheduled'), event('LambdaFunctionSucceeded'),
    exited('TaskStateExited', 'Work', '{"a":2}'), event('ExecutionSucceeded'),
  )).toEqual(['ExecutionStarted', 'StateEntered Work', 'StateFailed Work after SomeError', 'StateRetried Work after SomeError', 'StateExited Work', 'ExecutionSucceeded']);
});

test('an error that is caught leads to the next state', () => {
  expect(read(
    entered('TaskStateEntered', 'Work'), event('LambdaFunctionScheduled'), failed(), exited('TaskStateExited', 'Work', '{}'),
    entered('FailStateEntered', 'Over'), event('ExecutionFailed', { executionFailedEventDetails: { error: 'Red', cause: 'why' } }),
  )).toEqual(['StateEntered Work', 'StateFailed Work after SomeError', 'StateCaught Work', 'StateExited Work', 'StateEntered Over', 'StateFailed Over after Red', 'ExecutionFailed']);
});

test('a task of a service that is called back, and one that takes too long', () => {
  expect(read(
    entered('TaskStateEntered', 'Ask'), event('TaskScheduled'), event('TaskStarted'), event('TaskSubmitted'), event('TaskTimedOut', { taskTimedOutEventDetails: { resource: 'invoke', resourceType: 'lambda' } }),
    event('TaskScheduled'), event('TaskSubmitted'), event('TaskSucceeded'), exited('TaskStateExited', 'Ask'),
  )).toEqual(['StateEntered Ask', 'StateFailed Ask after States.Timeout', 'StateRetried Ask after States.Timeout', 'StateExited Ask']);
});

test('an execution that is redriven tries its last task once more', () => {
  expect(read(
    entered('TaskStateEntered', 'Work'), event('LambdaFunctionScheduled'), failed(), event('ExecutionFailed'), event('ExecutionRedriven', { executionRedrivenEventDetails: { redriveCount: 1 } }),
    event('LambdaFunctionScheduled'), event('LambdaFunctionSucceeded'), exited('TaskStateExited', 'Work'),
  )).toEqual(['StateEntered Work', 'StateFailed Work after SomeError', 'ExecutionFailed', 'ExecutionRedriven', 'StateRetried Work after SomeError', 'StateExited Work']);
});

test('times and data are read as any client returns them; data that is truncated or missing is none', () => {
  const all = [
    entered('TaskStateEntered', 'Work', '{"a":1}'), { ...exited('TaskStateExited', 'Work', '{"a":'), timestamp: DATE.getTime() / 1_000 },
    { ...entered('PassStateEntered', 'Note'), timestamp: '2026-11-27T03:00:00.250000+00:00' },
  ];
  expect(new HistoryReader().read(all)).toEqual([
    { type: 'StateEntered', timestamp: DATE.getTime(), state: { name: 'Work', type: 'Task', input: { a: 1 } } },
    { type: 'StateExited', timestamp: DATE.getTime(), state: { name: 'Work', type: 'Task', input: { a: 1 }, output: undefined } },
    { type: 'StateEntered', timestamp: DATE.getTime(), state: { name: 'Note', type: 'Pass', input: undefined } },
  ]);
});

test('events that are known are skipped', () => {
  const reader = new HistoryReader();
  const all = [event('ExecutionStarted'), entered('TaskStateEntered', 'Work'), event('ExecutionAborted')];
  expect(reader.read(all.slice(0, 2)).map(({ type }) => type)).toEqual(['ExecutionStarted', 'StateEntered']);
  expect(reader.read(all).map(({ type }) => type)).toEqual(['ExecutionAborted']);
  expect([reader.read(all), reader.last]).toEqual([[], 3]);
});

test.each([[0, 5], [3, 3], [6, 2], [7, 1], [9, 1]])('a poll that knows %i of 9 events asks for %i pages', async (last, pages) => {
  const all = Array.from({ length: 9 }, () => event('ExecutionStarted')).reverse();
  let asked = 0;
  const found = await eventsAfter(last, async (nextToken = '0') => {
    asked += 1;
    const end = Number(nextToken) + 2;
    return { events: all.slice(end - 2, end), nextToken: end < all.length ? `${end}` : undefined };
  });
  expect(found.map((each) => each.id)).toEqual(Array.from({ length: 9 - last }, (_, index) => last + 1 + index));
  expect(asked).toBe(pages);
});

test('events that are on two pages, because the history grew in between, are read once', async () => {
  const all = [event('ExecutionStarted'), entered('TaskStateEntered', 'Work'), exited('TaskStateExited', 'Work'), event('ExecutionSucceeded')];
  const pages = [[all[3], all[2]], [all[2], all[1]], [all[1], all[0]]];
  const found = await eventsAfter(0, async (nextToken = '0') => ({ events: pages[Number(nextToken)], nextToken: nextToken === '2' ? undefined : `${Number(nextToken) + 1}` }));

  expect(found.map((each) => each.id)).toEqual([1, 2, 3, 4]);
  expect(read(all[0], all[1], all[1], all[2])).toEqual(['ExecutionStarted', 'StateEntered Work', 'StateExited Work']);
});

test('an empty page is not the last one, if it says so', async () => {
  const all = [event('ExecutionStarted'), event('ExecutionSucceeded')];
  const pages = [{ events: [], nextToken: '1' }, { events: [all[1]], nextToken: '2' }, { events: [], nextToken: '3' }, { events: [all[0]] }];

  expect(await eventsAfter(0, async (nextToken = '0') => pages[Number(nextToken)])).toEqual(all);
});
