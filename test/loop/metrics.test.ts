import { Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount, Verification } from '../../src';
import { METRICS } from '../../src/jobs/constants';
import { useLoops } from '../support/loop-fixture';
import { emitted, readIdentity as read } from '../support/metrics';
import { IMAGE, newStack } from '../support/stacks';

const start = useLoops();

/** Returns the values that the lines of a log emit for a metric. */
function valuesOf(logs: readonly string[], metric: cloudwatch.Metric): unknown[] {
  return logs.map((line) => emitted([line])[read(metric)]).filter((value) => value !== undefined);
}

function loopIn(stack: Stack): CodingLoop {
  const mounts = [Mount.sessionStorage('/mnt/workspace')];
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts });
  return new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')] });
}

test('a run emits the metrics that the loop\'s metric methods read', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt' });
  await loop.run();
  await loop.deployment.close(); // so that its output is complete
  const found = emitted(loop.logs);
  expect(found).toMatchObject({
    [read(metrics.metricRuns('COMMITTED'))]: 1,
    [read(metrics.metricRounds('COMMITTED'))]: 2,
    [read(metrics.metricRunSeconds('COMMITTED'))]: expect.any(Number),
    [read(metrics.metricGates('PASSED'))]: 1,
    [read(metrics.metricGates('FAILED'))]: 1,
  });
});

test('a rejected run is counted too', async () => {
  const metrics = loopIn(newStack());
  const loop = await start();
  await loop.run({ prompt: '' });
  await loop.deployment.close();
  expect(emitted(loop.logs)).toMatchObject({ [read(metrics.metricRuns('CodingLoop.BadInput'))]: 1 });
});

test('each job of a run is logged and measured like the job of a task', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt', loop: { bootstrap: ['true'] } });
  const { record } = await loop.run();
  await loop.deployment.close(); // so that its output is complete
  const lines = loop.logs.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const jobs = lines.filter(({ message }) => message === 'job');
  const RUN = { sessionId: record.session.id, run: jobs[0].run };
  expect(jobs.map(({ job, round, verdict }) => [job, round, verdict])).toEqual(expect.arrayContaining([
    ['prepare', 0, 'PASSED'], ['bootstrap', 0, 'PASSED'], ['gate test', 0, 'FAILED'], ['gate test', 1, 'PASSED'], ['commit', 1, 'PASSED'],
  ]));
  for (const job of jobs) expect(job).toMatchObject({ ...RUN, jobId: expect.any(String), outputBytes: expect.any(Number), attaches: 0 });
  expect(lines.find(({ message, operation }) => message === 'done' && operation === 'loop:gate')).toMatchObject(RUN);
  const { dimensions, names } = METRICS;
  const verdicts = lines.filter((line) => names.JOBS in line).map((line) => [line[dimensions.VERDICT], line[names.JOBS]].flat());
  expect(verdicts).toEqual(jobs.map(({ verdict }) => [verdict, 1]));
  expect(lines.filter((line) => names.ATTACHES in line)).toHaveLength(jobs.length);
});

test('an error of the platform in a run\'s job is measured as such', async () => {
  const loop = await start();
  loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 6 });
  await loop.run();
  await loop.deployment.close(); // so that its output is complete
  const lines = loop.logs.filter((line) => line.includes('"CloudWatchMetrics"')).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  expect(lines.map((line) => line[METRICS.dimensions.VERDICT])).toContain('PLATFORM');
});

test('a run that fails is counted by its error\'s name', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({ agent: 'echo wrong-a > value.txt', loop: { maxRepairs: 0 } });
  await loop.run();
  await loop.deployment.close();
  expect(emitted(loop.logs)).toMatchObject({ [read(metrics.metricRuns('CodingLoop.Red'))]: 1 });
});

test('each run that ends emits whether it was green, and what it used', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo right > value.txt' : 'echo wrong > value.txt', loop: { maxRepairs: 0 } });
  const { record } = await loop.run();
  await loop.run({ taskId: 'task-2' });
  await loop.run({ prompt: '' });
  await loop.deployment.close();
  const values = (metric: cloudwatch.Metric) => valuesOf(loop.logs, metric);
  expect(values(metrics.metricGreenRuns())).toEqual([1, 0, 0]);
  expect(values(metrics.metricFailedRuns())).toEqual([0, 1, 1]);
  const percent = values(metrics.metricTimeUsed()) as number[];
  expect(percent).toHaveLength(2); // the one that was refused has no time of its own
  for (const each of percent) expect(each > 0 && each < 100).toBe(true);
  expect(values(metrics.metricCost())).toEqual([record.cost!.usd, expect.any(Number)]);
  expect(values(metrics.metricSessionsNotStopped())).toEqual([]);
  for (const step of ['prepare', 'turn', 'snapshot', 'gate', 'commit', 'stop']) {
    expect(values(metrics.metricStepSeconds(step)).length).toBeGreaterThan(0);
  }
});

test('a session that a run cannot stop is counted, of a verification too', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({ loop: { verification: Verification.inFreshSession() } });
  loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied', times: Infinity });
  const { record } = await loop.run();
  await loop.deployment.close();
  expect([record.session.stopped, record.verification!.stopped]).toEqual([false, false]);
  expect(valuesOf(loop.logs, metrics.metricSessionsNotStopped())).toEqual([2]);
});

test('a change that only passes in the workspace is counted as caught by the verification', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt; touch /tmp/only-here' : 'echo right > value.txt',
    loop: { verification: Verification.inFreshSession(), gates: [Gate.command('test', 'test -e /tmp/only-here || ./test.sh')] },
  });
  const { record } = await loop.run();
  await loop.deployment.close();
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2, verified: true });
  expect(valuesOf(loop.logs, metrics.metricVerificationCatches())).toEqual([1]);
});

test('requests that the service throttles are counted by runtime', async () => {
  const loop = await start();
  loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 3 });
  await loop.run();
  await loop.deployment.close();
  const metric = new cloudwatch.Metric({
    namespace: METRICS.namespace,
    metricName: METRICS.names.THROTTLES,
    dimensionsMap: { [METRICS.dimensions.SERVICE]: METRICS.service, [METRICS.dimensions.RUNTIME]: loop.runtimeArn.split('/').pop()! },
  });
  expect(valuesOf(loop.logs, metric)).toEqual([1, 1, 1]);
});

test.each([
  ['ABORTED', undefined, 'ABORTED'],
  ['TIMED_OUT', undefined, 'TIMED_OUT'],
  ['FAILED', 'States.DataLimitExceeded', 'CodingLoop.Failed'],
])('a run that Step Functions ends as %s is a failed one', async (status, error, outcome) => {
  const metrics = loopIn(newStack());
  const loop = await start();
  const executionArn = loop.executionOf('cut-off');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await loop.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'cut-off', status, error, input: JSON.stringify({ prompt: 'p', taskId: 'task-7' }) });
  await loop.deployment.close();
  const counted = [metrics.metricFailedRuns(), metrics.metricGreenRuns(), metrics.metricRuns(outcome)];
  expect(counted.map((metric) => valuesOf(loop.logs, metric))).toEqual([[1], [0], [1]]);
});

test('a run that ended in order is not counted again when Step Functions says that it failed', async () => {
  const metrics = loopIn(newStack());
  const loop = await start({ agent: 'echo wrong > value.txt', loop: { maxRepairs: 0 } });
  const { error, cause } = await loop.run({}, { name: 'red' });
  const executionArn = loop.executionOf('red');
  const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
  await loop.deployment.notifyEnd({ executionArn, stateMachineArn, name: 'red', status: 'FAILED', error, cause, input: '{}' });
  await loop.deployment.close();
  expect(valuesOf(loop.logs, metrics.metricFailedRuns())).toEqual([1]);
});
