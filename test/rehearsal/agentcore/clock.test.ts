import { MovableClock } from '../../../rehearsal/agentcore';

const HOUR = 3_600_000;

describe('MovableClock', () => {
  test('fires timers that are due, in order and at their times', async () => {
    const clock = new MovableClock();
    const start = clock.now();
    const fired: [string, number][] = [];
    const note = (name: string) => () => void fired.push([name, Math.round((clock.now() - start) / HOUR)]);
    clock.setTimeout(note('late'), 3 * HOUR);
    clock.setTimeout(note('early'), HOUR);
    clock.setTimeout(note('never'), 5 * HOUR);
    await clock.advance(4 * HOUR);
    expect(fired).toEqual([['early', 1], ['late', 3]]);
    expect(Math.round((clock.now() - start) / HOUR)).toBe(4);
  });

  test('waits for the work of a timer, and fires timers that are set meanwhile', async () => {
    const clock = new MovableClock();
    const fired: string[] = [];
    clock.setTimeout(async () => {
      await Promise.resolve();
      fired.push('first');
      clock.setTimeout(() => void fired.push('second'), HOUR);
    }, HOUR);
    // The clock goes on meanwhile, by more than a millisecond if the machine is busy.
    await clock.advance(2 * HOUR + HOUR / 2);
    expect(fired).toEqual(['first', 'second']);
  });

  test('does not fire cancelled timers', async () => {
    const clock = new MovableClock();
    const fired = jest.fn();
    clock.setTimeout(fired, HOUR)();
    await clock.advance(2 * HOUR);
    expect(fired).not.toHaveBeenCalled();
  });

  test('advances by itself too', async () => {
    await new Promise<void>(resolve => new MovableClock().setTimeout(resolve, 1));
    expect.assertions(0);
  });
});
