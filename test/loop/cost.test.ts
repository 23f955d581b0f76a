import type { ExecutionEvent } from '../../rehearsal/stepfunctions';
import { Gate, RunBudget, Verification } from '../../src';
import { Meter } from '../../src/loop/steps/state';
import { useForgeLoops } from '../support/forge-loop';
import { LoopFixture, useLoops } from '../support/loop-fixture';
import { emittedValues } from '../support/metrics';
import { reporting, reportingTurn } from '../support/reporting-turn';

const start = useLoops();
const startForge = useForgeLoops();

/** Runs a loop, and returns the record with the meter after each state, by its name. */
async function metered(loop: Pick<LoopFixture, 'run'>) {
  const meters: [state: string, meter: Meter][] = [];
  const onEvent = (event: ExecutionEvent) => {
    const { meter } = event.type === 'StateExited' ? (event.state.output as { loop?: { meter?: Meter } }).loop ?? {} : {};
    if (event.type === 'StateExited' && meter !== undefined) meters.push([event.state.name, meter]);
  };
  const { record } = await loop.run({}, { onEvent });
  return { record, meters };
}

test('the record has the cost of the sessions, and that of the model apart, and the metric has the sum', async () => {
  const loop = await start({
    loop: { verification: Verification.inFreshSession(), turn: reportingTurn(`echo right > value.txt\n${reporting({ name: 'agent', costUsd: 1.25 })}`) },
  });
  const { record, meters } = await metered(loop);
  const { cost } = record;
  expect(record).toMatchObject({ outcome: 'COMMITTED', schemaVersion: '1.0', cost: { agentUsd: 1.25, pricesAsOf: 'September 2026' } });
  expect(Object.keys(record)[0]).toBe('outcome');
  expect(cost!.verificationSeconds).toBeGreaterThan(0);
  expect(cost!.sessionSeconds).toBeGreaterThan(cost!.verificationSeconds);
  expect(cost!.functionSeconds).toBeGreaterThan(0);
  expect(cost!.usd).toBeGreaterThan(0);
  expect(cost!.usd).toBeLessThan(1.25);
  // The estimate is that of the states that were entered, without those that only Step Functions counts.
  expect(Math.abs(cost!.transitions - loop.entered.length)).toBeLessThanOrEqual(2);
  expect(meters.every(([, meter], index) => index === 0 || meter.functionSeconds >= meters[index - 1][1].functionSeconds)).toBe(true);
  await loop.deployment.close();
  expect(emittedValues(loop.logs).find(({ name }) => name === 'CostUsd')?.value).toBeCloseTo(cost!.usd + 1.25, 6);
});

test('the cost that the agent reports counts for its budget', async () => {
  const loop = await start({
    loop: {
      turn: reportingTurn(`echo "wrong-$RANDOM" > value.txt\n${reporting({ name: 'agent', costUsd: 2 })}`),
      gates: [Gate.command('test', './test.sh')],
      budget: RunBudget.of({ usd: 1.5 }),
    },
  });
  const { record } = await loop.run();
  expect(record).toMatchObject({ outcome: 'CodingLoop.OverBudget', rounds: 1, session: { stopped: true }, cost: { agentUsd: 2 } });
  expect(record.error!.message).toMatch(/"usd" allows 1.5, and 2\.\d* are spent$/);
});

test('a commit by the publisher keeps the meter, and adds its own time', async () => {
  const loop = await startForge();
  const { record, meters } = await metered(loop);
  expect(record.outcome).toBe('COMMITTED');
  const [before, after] = [meters.filter(([name]) => name === 'Verify in a fresh session').pop()!, meters.filter(([name]) => name === 'Commit and push').pop()!];
  expect(after[1].functionSeconds).toBeGreaterThan(before[1].functionSeconds);
  expect(after[1].verificationSeconds).toBeGreaterThan(before[1].verificationSeconds);
});

test('a run that is refused has no cost, since it started nothing', async () => {
  const loop = await start();
  const { record } = await loop.run({ prompt: '' });
  expect(record).toMatchObject({ outcome: 'CodingLoop.BadInput', schemaVersion: '1.0' });
  expect(record).not.toHaveProperty('cost');
});
