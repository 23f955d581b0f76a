import { Stack } from 'aws-cdk-lib';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../../src';
import { METRICS } from '../../src/jobs/constants';
import { useLoops } from '../support/loop-fixture';
import { emitted, readIdentity as read } from '../support/metrics';
import { IMAGE, newStack } from '../support/stacks';

const start = useLoops();

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
