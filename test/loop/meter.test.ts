import * as fc from 'fast-check';
import { STEPS } from '../../src/loop/steps/constants';
import { costRecord, metered, usageOf, withKeeping, withMeter } from '../../src/loop/steps/meter';
import { LoopState, Meter } from '../../src/loop/steps/state';
import { costOf, PRICES } from '../../src/prices/constants';

const LOOP = { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: '', gates: [] } as LoopState;
const BEGIN = 1_700_000_000_000;

interface Call {
  readonly operation: string;
  /** The seconds between the end of the step before and the call. */
  readonly gap: number;
  readonly seconds: number;
  readonly change?: Partial<LoopState>;
}

/** Returns the meter after some calls, each of which changes the state of the loop before it. */
function after(...calls: Call[]): Meter {
  let loop = LOOP;
  let now = BEGIN;
  for (const { operation, gap, seconds, change } of calls) {
    const begunAt = now + gap * 1_000;
    now = begunAt + seconds * 1_000;
    loop = { ...loop, ...change };
    loop = withMeter({ operation, state: { loop } }, loop, begunAt, now);
  }
  return loop.meter!;
}

test('each step adds to what it is about', () => {
  expect(after(
    { operation: STEPS.PREPARE, gap: 60, seconds: 10 },
    { operation: STEPS.TURN, gap: 0, seconds: 100 },
    { operation: STEPS.SNAPSHOT, gap: 1, seconds: 2 },
    { operation: STEPS.GATE, gap: 0, seconds: 30 },
    { operation: STEPS.VERIFY, gap: 0, seconds: 40 },
  )).toEqual({
    since: BEGIN + 60_000, agentSeconds: 100, verificationSeconds: 40, functionSeconds: 182, transitions: 9, at: BEGIN + 243_000, turn: 0,
  });
});

test('a turn that takes several calls, or that is lost and repeated, counts with the time between them', () => {
  const { agentSeconds, functionSeconds } = after(
    { operation: STEPS.PREPARE, gap: 0, seconds: 1 },
    { operation: STEPS.TURN, gap: 0, seconds: 800 },
    { operation: STEPS.TURN, gap: 20, seconds: 100, change: { next: 'RUNNING' } },
    { operation: STEPS.TURN, gap: 0, seconds: 50, change: { losses: 1 } },
    { operation: STEPS.SNAPSHOT, gap: 5, seconds: 1 },
  );
  expect([agentSeconds, functionSeconds]).toEqual([970, 952]);
});

test('a turn whose result comes with a task token is counted by the step after it, once', () => {
  const { agentSeconds, turn } = after(
    { operation: STEPS.BOOTSTRAP, gap: 0, seconds: 1 },
    { operation: STEPS.SNAPSHOT, gap: 500, seconds: 1 },
    { operation: STEPS.GATE, gap: 3, seconds: 1 },
    { operation: STEPS.SNAPSHOT, gap: 700, seconds: 1, change: { round: 1 } },
  );
  expect([agentSeconds, turn]).toEqual([1_200, undefined]);
});

test('the session of a verification counts until it is over', () => {
  const alive = { attempt: 1, gates: [] };
  expect(after(
    { operation: STEPS.VERIFY, gap: 0, seconds: 10 },
    { operation: STEPS.COMMIT, gap: 1, seconds: 9, change: { verification: alive } },
    { operation: STEPS.TURN, gap: 0, seconds: 100, change: { verification: { ...alive, isOver: true } } },
  ).verificationSeconds).toBe(20);
});

test('the time in which files are written after a step is the function\'s, and none of the next turn', () => {
  const prepared = withMeter({ operation: STEPS.PREPARE }, { taskId: 'a', loop: LOOP }, BEGIN, BEGIN + 10_000);
  const { loop } = withKeeping(prepared, BEGIN + 100_000);
  const meter = { since: BEGIN, agentSeconds: 0, verificationSeconds: 0, functionSeconds: 100, transitions: 1, at: BEGIN + 100_000 };
  expect(loop).toEqual({ ...LOOP, meter });
  const turn = metered({ operation: STEPS.TURN, state: { loop } }, BEGIN + 101_000, BEGIN + 105_000);
  expect(turn).toMatchObject({ agentSeconds: 5, functionSeconds: 104 });
  const verifying = { ...LOOP, verification: { attempt: 1, gates: [] }, meter: loop.meter } as LoopState;
  expect(withKeeping(verifying, BEGIN + 130_000).meter).toMatchObject({ verificationSeconds: 30, functionSeconds: 130 });
  expect(withKeeping({ status: 'STOPPED', sessionId: 'a' }, BEGIN)).toEqual({ status: 'STOPPED', sessionId: 'a' });
  expect(withKeeping({ loop: LOOP }, BEGIN)).toEqual({ loop: LOOP });
});

test('the input of a run has no meter, whatever it says', () => {
  const meter = { agentSeconds: 1e9, since: 0 };
  expect(metered({ operation: STEPS.PREPARE, state: { loop: { meter } } }, BEGIN, BEGIN + 1_000)).toMatchObject({ since: BEGIN, agentSeconds: 0 });
});

test('a run that began before there was a meter has one from its next step on', () => {
  expect(metered({ operation: STEPS.GATE, state: { loop: LOOP } }, BEGIN, BEGIN + 1_000)).toMatchObject({ since: BEGIN, functionSeconds: 1 });
});

test('the result of a step that is no state stays as it is', () => {
  const result = { status: 'STOPPED', sessionId: 's' };
  expect(withMeter({ operation: STEPS.CLEAN_UP }, result, BEGIN, BEGIN)).toBe(result);
});

const calls = fc.array(fc.record({
  operation: fc.constantFrom(...Object.values(STEPS).filter((step) => step !== STEPS.PREPARE && step !== STEPS.CLEAN_UP)),
  gap: fc.integer({ min: -5, max: 2_000 }),
  seconds: fc.integer({ min: 0, max: 900_000 }).map((milliseconds) => milliseconds / 1_000),
  change: fc.record({ round: fc.integer({ min: 0, max: 20 }), verification: fc.option(fc.constant({ attempt: 1, gates: [] }), { nil: undefined }) }),
}), { minLength: 1, maxLength: 30 });

test('nothing is ever taken away, and no part is longer than the run, even if the clock is set back', () => {
  fc.assert(fc.property(calls, (all) => {
    const meters = all.map((_, index) => after(...all.slice(0, index + 1)));
    const total = all.reduce((sum, { gap, seconds }) => sum + Math.max(0, gap) + seconds + 5, 0);
    meters.forEach((meter, index) => {
      for (const part of ['agentSeconds', 'verificationSeconds', 'functionSeconds', 'transitions'] as const) {
        expect(meter[part]).toBeGreaterThanOrEqual(meters[index - 1]?.[part] ?? 0);
      }
      expect(meter.agentSeconds).toBeLessThanOrEqual(total);
      expect(meter.verificationSeconds).toBeLessThanOrEqual(total);
      expect(Number.isInteger(Math.round(meter.functionSeconds * 1e6) / 1e3)).toBe(true);
    });
  }));
});

describe('the cost', () => {
  const METER: Meter = {
    since: BEGIN, agentSeconds: 60, verificationSeconds: 1_800, functionSeconds: 1_000, transitions: 1_000, at: BEGIN + 3_600_000,
  };
  const config = { name: 'Loop' } as never;

  test('is that of all sessions, functions and transitions, by the prices', () => {
    const usd = 1.5 * (PRICES.vcpuHour + PRICES.gbHour) + 500 * PRICES.lambdaGbSecond + PRICES.thousandTransitions + PRICES.millionRequests / 1_000;
    expect(costRecord(METER, config, undefined)).toEqual({
      usd: Number(usd.toFixed(6)),
      sessionSeconds: 3_600,
      verificationSeconds: 1_800,
      functionSeconds: 1_000,
      transitions: 1_000,
      pricesAsOf: PRICES.asOf,
    });
  });

  test('has that of the model apart', () => {
    const { usd } = costRecord(METER, config, undefined);
    expect(costRecord(METER, config, 12.5)).toMatchObject({ usd, agentUsd: 12.5 });
  });

  test('is by other prices if the loop has them', () => {
    const prices = { asOf: 'today', vcpuHour: 1, gbHour: 0 };
    const own = { operate: { budget: { prices } } } as never;
    const { usd, pricesAsOf } = costRecord({ ...METER, functionSeconds: 0, transitions: 0 }, own, undefined);
    expect([usd, pricesAsOf]).toEqual([1.5, 'today']);
  });

  test('grows with each part, and is 0 for nothing', () => {
    const usage = fc.record({ sessionSeconds: fc.nat(), verificationSeconds: fc.nat(), functionSeconds: fc.nat(), transitions: fc.nat() });
    fc.assert(fc.property(usage, fc.constantFrom('sessionSeconds', 'verificationSeconds', 'functionSeconds', 'transitions'), (some, part) => {
      expect(costOf({ ...some, [part]: some[part as 'transitions'] + 1 })).toBeGreaterThan(costOf(some));
    }));
    expect(costOf(usageOf({ ...METER, verificationSeconds: 0, functionSeconds: 0, transitions: 0 }, BEGIN))).toBe(0);
  });
});
