import { Gate, Verification } from '../../src';
import { RECORD_SCHEMA } from '../../src/loop/steps/constants';
import type { RunRecord } from '../../src/loop/steps/records';
import { LoopFixtureProps, useLoops } from '../support/loop-fixture';
import { deviationsFromSchema } from '../support/record-schema';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';

const start = useLoops();

/** The smallest green record. */
const GREEN: RunRecord = {
  outcome: 'COMMITTED',
  taskId: 'task-1',
  rounds: 1,
  commit: { id: 'a'.repeat(40), branch: 'workbench/task-1', pushed: true },
  gates: [],
  verified: false,
  session: { id: 's'.repeat(33), stopped: true },
  schemaVersion: RECORD_SCHEMA,
};

// The fixture compares each record of all tests of loops with the schema.
test.each<[string, LoopFixtureProps, object]>([
  ['COMMITTED', { agent: (turn) => turn === 0 ? 'echo almost > value.txt' : 'echo right > value.txt' }, {}],
  ['NO_CHANGES', { agent: 'true', loop: { gates: [Gate.command('test', 'true')] } }, {}],
  ['CodingLoop.Stuck', { agent: 'echo wrong > value.txt' }, {}],
  ['CodingLoop.Red', { agent: (turn) => `echo ${turn} > value.txt`, loop: { maxRepairs: 1, gates: [Gate.command('test', 'echo $RANDOM$RANDOM; false')] } }, {}],
  ['CodingLoop.Inert', { loop: { gates: [Gate.command('test', 'no-such-program')] } }, {}],
  ['CodingLoop.BootstrapFailed', { loop: { bootstrap: ['exit 3'] } }, {}],
  ['CodingLoop.BaseRed', { loop: { checkBase: true, verification: Verification.inFreshSession() } }, {}],
  ['CodingLoop.BadInput', {}, { prompt: 3 }],
  ['CodingLoop.CheckoutFailed', {}, { repository: { ref: 'no-such-branch' } }],
])('a run that ends as %s has a record as the schema says', async (outcome, props, input) => {
  const loop = await start(props);
  const { record } = await loop.run(input);
  expect(record).toMatchObject({ outcome, schemaVersion: RECORD_SCHEMA });
  expect(deviationsFromSchema('run-record', record)).toEqual([]);
});

test('what the command line prints of a rehearsed run is as the schema says', async () => {
  const loop = new RehearsedLoop();
  try {
    const rehearsal = await loop.start(writes('41', '42'));
    const { definition: _, ...printed } = await rehearsal.run({ prompt: 'Make it 42', taskId: 't' });
    expect(deviationsFromSchema('run-description', { ...printed, report: '/tmp/report.html' }, false)).toEqual([]);
    expect(deviationsFromSchema('run-record', printed.output)).toEqual([]);
    expect(deviationsFromSchema('run-description', { ...printed, steps: [{}] }, false)).not.toEqual([]);
  } finally {
    await loop.close();
  }
});

test.each<[string, object]>([
  ['an unknown outcome of the loop', { outcome: 'CodingLoop.Nonsense', error: { name: 'CodingLoop.Nonsense', message: '' }, commit: undefined }],
  ['an unknown outcome without an error', { outcome: 'PARTLY', commit: undefined }],
  ['a green run without a commit', { commit: undefined }],
  ['a green run with an error', { error: { name: 'CodingLoop.Red', message: '' } }],
  ['a failed run with a commit', { outcome: 'CodingLoop.Red', error: { name: 'CodingLoop.Red', message: '' } }],
  ['no gates', { gates: undefined }],
  ['no version', { schemaVersion: undefined }],
  ['the version of another schema', { schemaVersion: '2.0' }],
  ['an unknown verdict', { gates: [{ name: 'test', verdict: 'PASSED?', exitCode: 0, seconds: 1, logPath: '/a' }] }],
  ['a number as the task', { taskId: 3 }],
])('a record with %s is refused', (_, change) => {
  expect(deviationsFromSchema('run-record', GREEN, false)).toEqual([]);
  expect(deviationsFromSchema('run-record', { ...GREEN, ...change }, false)).not.toEqual([]);
});

test('a field of a later version, and an error that an agent has named, are no deviations', () => {
  expect(deviationsFromSchema('run-record', { ...GREEN, schemaVersion: `${RECORD_SCHEMA}9`, later: 1 }, false)).toEqual([]);
  expect(deviationsFromSchema('run-record', { ...GREEN, commit: undefined, outcome: 'OutOfCredit', error: { name: 'OutOfCredit', message: 'why' } }, false)).toEqual([]);
  expect(deviationsFromSchema('run-record', { ...GREEN, later: 1 })).not.toEqual([]);
});
