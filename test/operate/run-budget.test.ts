import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Lazy, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as fc from 'fast-check';
import { AgentRuntime, AgentTurn, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, RunBudget, RunBudgetOptions } from '../../src';
import { overBudget, turnLimitOf } from '../../src/loop/steps/budget';
import { BudgetConfig } from '../../src/operate/constants';
import { PRICES } from '../../src/prices/constants';
import { useLoops } from '../support/loop-fixture';
import { IMAGE } from '../support/stacks';

const start = useLoops();

function synth(props: Partial<CodingLoopProps>): Stack {
  const stack = new Stack(new App(), 'Stack');
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  new CodingLoop(stack, 'Loop', {
    runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props,
  });
  return stack;
}

describe('a budget is refused', () => {
  test.each<[string, RunBudgetOptions, string]>([
    ['without a limit', {}, 'budget: must have "turns", "agentMinutes", "sessionHours" or "usd"'],
    ['with prices alone', { prices: { vcpuHour: 1 } }, 'budget: must have "turns"'],
    ['with no turn', { turns: 0 }, 'budget: "turns" must be a whole number of at least 1, not 0'],
    ['with a part of a turn', { turns: 1.5 }, 'budget: "turns" must be a whole number of at least 1, not 1.5'],
    ['with no minutes', { agentMinutes: 0 }, 'budget: "agentMinutes" must be at least 0.0167'],
    ['with negative hours', { sessionHours: -1 }, 'budget: "sessionHours" must be at least 0.0167'],
    ['with no dollars', { usd: 0 }, 'budget: "usd" must be at least 0.0001'],
    ['with what is no number', { usd: NaN }, 'budget: "usd" must be at least 0.0001, and at most 1000000000, not NaN'],
    ['with a token', { turns: Lazy.number({ produce: () => 3 }) }, 'budget: "turns" must be known at synth'],
    ['with a negative price', { usd: 1, prices: { gbHour: -1 } }, 'budget: "prices.gbHour" must be a number of at least 0'],
  ])('%s', (_, limits, message) => {
    expect(() => synth({ budget: RunBudget.of(limits) })).toThrow(message);
  });
});

test('more turns than a run can have are legal, and warned about', () => {
  const warning = Match.stringLikeRegexp('"turns" of the budget allows 5 turns, and no run has more than 3');
  Annotations.fromStack(synth({ budget: RunBudget.of({ turns: 5 }), maxRepairs: 2 })).hasWarning('/Stack/Loop', warning);
  Annotations.fromStack(synth({ budget: RunBudget.of({ turns: 3 }), maxRepairs: 2 })).hasNoWarning('/Stack/Loop', Match.stringLikeRegexp('turns'));
});

const spent = fc.record({
  turns: fc.integer({ min: 1, max: 25 }),
  agentSeconds: fc.double({ min: 0, max: 50, noNaN: true }),
  sessionSeconds: fc.double({ min: 0, max: 50, noNaN: true }),
  usd: fc.double({ min: 0, max: 100, noNaN: true }),
});
const limits: fc.Arbitrary<BudgetConfig> = fc.record({
  turns: fc.integer({ min: 1, max: 25 }),
  agentSeconds: fc.integer({ min: 1, max: 50 }),
  sessionSeconds: fc.integer({ min: 1, max: 50 }),
  usd: fc.double({ min: 1e-4, max: 100, noNaN: true }),
}, { requiredKeys: [] });

test('a turn that may begin has time, and no more than each limit leaves', () => {
  fc.assert(fc.property(limits, spent, (budget, used) => {
    fc.pre(overBudget(budget, used, true) === undefined);
    const { turnSeconds = Infinity, turnLimit } = turnLimitOf(budget, used, PRICES);
    expect(turnSeconds).toBeGreaterThanOrEqual(1);
    expect(turnSeconds).toBeLessThanOrEqual((budget.agentSeconds ?? Infinity) - used.agentSeconds + 1e-6);
    expect(turnSeconds).toBeLessThanOrEqual((budget.sessionSeconds ?? Infinity) - used.sessionSeconds + 1e-6);
    expect(turnLimit === undefined).toBe(turnSeconds === Infinity);
  }));
});

test('a limit that stops a step stops every later one, and a turn first', () => {
  fc.assert(fc.property(limits, spent, spent, (budget, used, more) => {
    const later = Object.fromEntries(Object.entries(used).map(([name, value]) => [name, value + more[name as 'turns']])) as typeof used;
    const steps = [used, later].map((each) => [false, true].map((isTurn) => overBudget(budget, each, isTurn) !== undefined));
    const [[step, turn], [laterStep, laterTurn]] = steps;
    expect(!step || turn).toBe(true);
    expect(!step || laterStep).toBe(true);
    expect(!turn || laterTurn).toBe(true);
  }));
});

test('a run that needs one more turn than its budget allows ends without it, and the next run continues its work', async () => {
  const made = await start({
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt; echo kept > work.txt' : 'cat work.txt && echo right > value.txt',
    loop: { budget: RunBudget.of({ turns: 1 }) },
  });
  const { record, error } = await made.run();
  expect(error).toBe('CodingLoop.OverBudget');
  expect(record).toMatchObject({
    outcome: 'CodingLoop.OverBudget',
    session: { stopped: true },
    error: { name: 'CodingLoop.OverBudget', message: 'the turn did not begin: the budget of the run is used up: "turns" allows 1, and this would be turn 2' },
    rounds: 1,
    cost: { usd: expect.any(Number) },
  });
  expect(made.turns).toHaveLength(1);
  const next = await made.run({ session: record.session });
  expect(next.record).toMatchObject({ outcome: 'COMMITTED' });
  expect(made.show(undefined, 'work.txt')).toBe('kept\n');
});

test('a command of the agent is stopped when the minutes of the budget are used up, and its work is kept', async () => {
  const made = await start({
    loop: { turn: AgentTurn.command('echo half > value.txt; sleep 600'), budget: RunBudget.of({ agentMinutes: 4 / 60 }) },
  });
  const { record } = await made.run();
  expect(record).toMatchObject({
    outcome: 'CodingLoop.OverBudget',
    session: { stopped: true },
    error: { message: 'the turn was stopped, because the budget of the run was used up: "agentMinutes" allows 0.0667' },
  });
  expect(made.entered).not.toContain('Record what changed');
  expect(readFileSync(join(made.workspace(record.session), 'repo/value.txt'), 'utf8')).toBe('half\n');
});

test('an agent that is invoked has no more time than the budget leaves', async () => {
  const made = await start({ agent: 'sleep 600', loop: { budget: RunBudget.of({ agentMinutes: 3 / 60 }) } });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.OverBudget', session: { stopped: true }, error: { message: expect.stringContaining('"agentMinutes" allows 0.05') } });
});

test('a run that is over its cost does not begin another step', async () => {
  const prices = { vcpuHour: 3_600, asOf: 'today' };
  const made = await start({ agent: 'echo wrong > value.txt', loop: { budget: RunBudget.of({ usd: 0.0001, prices }) } });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.OverBudget', session: { stopped: true }, cost: { pricesAsOf: 'today' }, rounds: 0 });
  expect(record.error!.message).toMatch(/^the turn did not begin: the budget of the run is used up: "usd" allows 0.0001, and \d+\.\d+ are spent$/);
  expect(record.cost!.usd).toBeGreaterThan(0.1);
  expect(made.turns).toHaveLength(0);
});

test('a budget that is enough changes nothing', async () => {
  const made = await start({ loop: { budget: RunBudget.of({ turns: 4, agentMinutes: 60, sessionHours: 1, usd: 10 }) } });
  const { record } = await made.run();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 1 });
});
