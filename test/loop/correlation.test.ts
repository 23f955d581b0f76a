import { AgentTurn } from '../../src';
import { baggageOf } from '../../src/loop/steps/baggage';
import { useForgeLoops } from '../support/forge-loop';
import { LoopFixture, useLoops } from '../support/loop-fixture';

const start = useLoops();
const startForge = useForgeLoops();
jest.setTimeout(120_000);

/** The lines of a loop's functions that are JSON, and no metrics. */
const linesOf = (logs: readonly string[]) => logs.filter((line) => line.startsWith('{') && !line.includes('"CloudWatchMetrics"')).map((line) => JSON.parse(line));

/** The baggage of the calls of an operation, as pairs. */
const baggageOfCalls = ({ server }: LoopFixture, operation: string) => server.calls.of(operation)
  .map(({ traceHeaders: { baggage = '' } }) => Object.fromEntries(baggage.split(',').map((pair) => pair.split('=').map(decodeURIComponent))));

test('the ID of a run is in the logs of the driver, and in each call to a session', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt' });
  const { record } = await loop.run();
  await loop.deployment.close(); // so that its output is complete
  expect(record.outcome).toBe('COMMITTED');
  const [{ run }] = linesOf(loop.logs).filter((line) => line.run !== undefined);
  expect(run).toBeTruthy();
  expect(new Set(linesOf(loop.logs).filter(({ operation }) => !['loop:prepare', undefined].includes(operation)).map((line) => line.run))).toEqual(new Set([run]));

  expect(baggageOfCalls(loop, 'InvokeAgentRuntime')).toEqual(['0', '1'].map((round) => ({ 'workbench.run': run, 'workbench.task': 'task-1', 'workbench.round': round })));
  const commands = baggageOfCalls(loop, 'InvokeAgentRuntimeCommand');
  expect(commands.length).toBeGreaterThan(5);
  for (const baggage of commands) expect(baggage).toMatchObject({ 'workbench.run': run, 'workbench.task': 'task-1' });
});

test('an agent that is a program finds the ID of the run in its environment', async () => {
  const loop = await start({ loop: { turn: AgentTurn.command('echo right > value.txt; echo "$WORKBENCH_RUN" > run.txt') } });
  await loop.run();
  await loop.deployment.close();
  const [{ run }] = linesOf(loop.logs).filter((line) => line.run !== undefined);
  expect(loop.show(undefined, 'run.txt')).toBe(`${run}\n`);
});

test('the ID of a run is in the logs of the publisher, for each of its requests', async () => {
  const made = await startForge();
  const result = await made.run();
  await made.loop.deployment.close();
  expect(result.record.outcome).toBe('COMMITTED');
  const lines = linesOf(made.loop.logs);
  const [{ run }] = lines.filter((line) => line.service === 'session-driver' && line.run !== undefined);
  const published = lines.filter(({ service }) => service === 'publisher');
  expect(new Set(published.map(({ operation }) => operation))).toEqual(new Set(['forge:open', 'loop:commit']));
  for (const line of published) expect(line.run).toBe(run);
});

test.each(['a b', 'a,b;c="d"\\', 'é漢\u{1F600}', 'a\r\nx: y', '%'])('baggage with %j is a valid header that says the same', (id) => {
  const baggage = baggageOf({ run: { id, taskId: 'T-1' }, loop: { round: 3 } } as never);
  expect(baggage).toMatch(/^[!#-+\--:<-[\]-~,]+$/); // W3C Baggage: no blanks, quotes, semicolons or backslashes
  expect(baggage.split(',').map((pair) => decodeURIComponent(pair.split('=')[1]))).toEqual([id, 'T-1', '3']);
});
