import * as fc from 'fast-check';
import { ERRORS } from '../../src/jobs/constants';
import { LOOP_ERRORS, OUTCOMES } from '../../src/loop/steps/constants';
import { AnyState, causeOf } from '../../src/loop/steps/run-failure';
import { measureEnd, outputOf } from '../../src/loop/steps/run-record';

const SESSION = { id: 'x'.repeat(33), stopped: true };
/** A run that committed: only a caught error marks it as failed. */
const GREEN = { taskId: 'task-1', loop: { next: 'GO_ON', round: 0, commit: 'a'.repeat(40), pushed: true, gates: [] }, run: { branch: 'b' } } as unknown as AnyState;

const ended = (caught: Partial<AnyState>) => outputOf({ ...GREEN, ...caught }, SESSION);
/** Returns an error as Lambda reports what a function throws. */
const thrown = (name: string, message = 'why') => ({ Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: message, trace: [] }) });

test('a run without a caught error has committed', () => {
  expect(ended({})).toMatchObject({ outcome: 'COMMITTED', commit: { branch: 'b' } });
});

test.each(['NO_CHANGES', 'GO_ON'])('a failed run is not a success even if its state says %s', (next) => {
  const state = { ...GREEN, loop: { ...GREEN.loop, next } } as AnyState;
  expect(outputOf(state, SESSION, false)).toMatchObject({ outcome: 'CodingLoop.Failed', error: { name: 'CodingLoop.Failed', message: expect.stringContaining(next) } });
});

test('a run whose step returned nothing has a record', () => {
  expect(outputOf({ ...GREEN, loop: null }, SESSION, false)).toMatchObject({ outcome: 'CodingLoop.Failed', rounds: 0, gates: [] });
});

describe('a failure that was caught', () => {
  test.each<[string, AnyState['error']]>([
    ['null', null],
    ['an empty object', {}],
    ['both of its fields null', { Error: null, Cause: null }],
    ['both of its fields missing, as older engines have it', { Error: undefined, Cause: undefined }],
    ['an empty error', { Error: '', Cause: 'out of credit' }],
  ])('is a failure of the turn if an agent reported it without an error: %s', (_, error) => {
    const { outcome, commit, error: told } = ended({ error });
    expect({ outcome, commit, told }).toEqual({
      outcome: 'CodingLoop.TurnFailed',
      commit: undefined,
      told: { name: 'CodingLoop.TurnFailed', message: error?.Cause ?? 'the agent reported a failure without an error' },
    });
  });

  test.each([...Object.values(LOOP_ERRORS), ...Object.values(ERRORS)])('keeps one of the library\'s error names: %s', (name) => {
    expect(ended({ error: thrown(name) }).error).toEqual({ name, message: 'why' });
  });

  test.each([
    'States.Timeout', 'States.Runtime', 'States.TaskFailed', 'States.HeartbeatTimeout', 'Lambda.Unknown', 'Lambda.TooManyRequestsException', 'Sandbox.Timedout', 'Runtime.ExitError',
  ])('has one of the library\'s error names instead of a reserved one: %s', (name) => {
    expect(ended({ error: { Error: name, Cause: '' } }).error).toEqual({ name: 'CodingLoop.Failed', message: 'a step failed', caught: name });
    expect(ended({ error: thrown(name) }).error).toEqual({ name: 'CodingLoop.Failed', message: 'why', caught: name });
  });

  test('has one of the library\'s error names if a step threw an unexpected error', () => {
    expect(ended({ error: thrown('TypeError') }).error).toEqual({ name: 'CodingLoop.Failed', message: 'why', caught: 'TypeError' });
  });

  test('keeps a name that an agent reported unless the name could be mistaken for another error', () => {
    expect(ended({ error: { Error: 'Agent.NoCredit', Cause: 'why' } }).error).toEqual({ name: 'Agent.NoCredit', message: 'why' });
    for (const name of [...Object.values(OUTCOMES), 'two words', 'ä', 'x'.repeat(101)]) {
      expect(ended({ error: { Error: name, Cause: 'why' } }).error).toEqual({ name: 'CodingLoop.TurnFailed', message: 'why', caught: name });
    }
  });

  test('is reported as the agent\'s silence if its report did not arrive in time', () => {
    for (const Error of ['States.Timeout', 'States.HeartbeatTimeout']) {
      expect(ended({ silence: { Error, Cause: '' } }).error).toEqual({
        name: 'CodingLoop.TurnTimedOut', message: expect.stringContaining('the agent did not report'), caught: Error,
      });
    }
  });

  test('is never reported as a success or with a reserved name', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('COMMITTED', 'NO_CHANGES', 'States.ALL', '', 'null', '{"errorType":"COMMITTED"}'), fc.constant(null));
    const caught = fc.option(fc.record({ Error: word, Cause: word }, { requiredKeys: [] }));
    fc.assert(fc.property(caught, fc.constantFrom('error', 'silence'), (value, key) => {
      const { outcome, commit, error } = ended({ [key]: value });
      expect(error?.name).toBe(outcome);
      expect(outcome).toMatch(/^[A-Za-z][A-Za-z0-9._-]*$/);
      expect(outcome).not.toMatch(/^(States|Lambda)\.|^(COMMITTED|NO_CHANGES)$/);
      expect(commit).toBeUndefined();
    }));
  });
});

describe('the rounds of a run', () => {
  const refused = 'the turn did not begin: the brake is on';

  test.each(['CodingLoop.Braked', 'CodingLoop.OverBudget'])('do not include a turn that was refused: %s', (name) => {
    expect(ended({ error: thrown(name, refused) }).rounds).toBe(0);
  });

  test('include a turn whose agent says that it did not begin', () => {
    expect(ended({ error: { Error: 'Agent.NoCredit', Cause: refused } }).rounds).toBe(1);
    const loop = { ...GREEN.loop, commit: undefined, next: 'NO_WORK', agentError: { name: 'Agent.Crashed', message: refused } };
    expect(outputOf({ ...GREEN, loop } as unknown as AnyState, SESSION, false)).toMatchObject({ outcome: 'Agent.Crashed', rounds: 1 });
  });
});

test.each<[string, number | undefined, number]>([
  ['a run that began at once', 0, 50],
  ['a run that waited for an hour', 3_600_000, 25],
  ['a run whose first step did not end', undefined, 50],
])('the time that is used, of what is allowed: %s', (_, since, percent) => {
  const measured: [string, number][] = [];
  const measure = (name: string, value: number) => measured.push([name, value]);
  const tools = { measure, clock: { now: () => 5_400_000, sleep: () => Promise.resolve() } };
  const run = { startedAt: 0, deadline: 10_800 };
  measureEnd(tools as never, { name: 'Loop' } as never, { outcome: 'COMMITTED' }, run, since);
  expect(measured.find(([name]) => name === 'TimeUsed')).toEqual(['TimeUsed', percent]);
});

test('a cause stays valid JSON if its message exceeds the limit of a cause', () => {
  const { error, Cause } = { error: 'CodingLoop.TurnFailed', Cause: 'x'.repeat(60_000) };
  const cause = causeOf(ended({ error: { Error: error, Cause } }));
  expect(cause.length).toBeLessThan(32_768);
  expect(JSON.parse(cause)).toMatchObject({ outcome: error });
});

test('a cause is a whole record, however much there is to say', () => {
  const names = { names: ['x'.repeat(1_000)], count: 1 };
  const gate = { name: 'g'.repeat(40), verdict: 'FAILED', exitCode: 1, seconds: 1, logPath: '/'.repeat(200), left: names, tests: { ran: 1, failed: 1, skipped: 0, failing: { names: ['t'.repeat(400)], count: 9 } } };
  const loop = {
    ...GREEN.loop,
    next: 'RED',
    feedback: { output: 'o'.repeat(16_384), gate: 'g', logPath: '/l' },
    gates: Array.from({ length: 10 }, () => gate),
    baseCheck: { commit: 'c', gates: Array.from({ length: 20 }, () => ({ ...gate, known: 'k'.repeat(12_000), failure: 'f' })) },
    judgingFiles: names,
    findings: { ignored: names, empty: names },
  };
  const output = outputOf({ ...GREEN, loop } as unknown as AnyState, SESSION, false);
  const cause = causeOf(output);
  expect(cause.length).toBeLessThan(32_768);
  expect(JSON.parse(cause)).toMatchObject({ outcome: 'CodingLoop.Red', gates: output.gates });
  expect(JSON.parse(cause)).not.toHaveProperty('baseCheck');
  const many = { ...output, gates: Array.from({ length: 20 }, () => gate) } as unknown as typeof output;
  expect(causeOf(many).length).toBeLessThan(32_768);
  expect(JSON.parse(causeOf(many)).gates[19]).toEqual({ name: gate.name, verdict: 'FAILED', exitCode: 1, seconds: 1, logPath: gate.logPath });
  const agent = { name: 'a', turns: 3, summary: '"\n'.repeat(1_000) };
  expect(JSON.parse(causeOf({ ...output, agent }))).toMatchObject({ agent });
  expect(causeOf({ ...many, agent }).length).toBeLessThan(32_768);
  expect(JSON.parse(causeOf({ ...many, agent })).agent).toEqual({ name: 'a', turns: 3 });
  const short = { ...output, feedback: undefined, baseCheck: undefined };
  expect(causeOf(short)).toBe(JSON.stringify(short));
});
