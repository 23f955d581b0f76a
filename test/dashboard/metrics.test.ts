import { Stack } from 'aws-cdk-lib';
import { AgentRuntime, CodingLoop, Gate, GitRepository, LoopDashboard, Mount, Verification } from '../../src';
import { alarmsOf, goesOff, metricsOfAlarm, Period } from '../support/alarms';
import { EmittedName, finds, metricsOfDashboard } from '../support/dashboards';
import { LoopFixture, useLoops } from '../support/loop-fixture';
import { EmittedValue, emittedValues, identityOf } from '../support/metrics';
import { IMAGE, newStack } from '../support/stacks';

const start = useLoops();

/**
 * Metrics that the service publishes. AgentCore developer guide, "AgentCore generated runtime observability data": the names, and that
 * `ActiveSessionCount` is the account's. Its dimension is that of public dashboards; the CDK's `Runtime` has no method for it.
 */
const VENDED = ['SessionCount', 'Throttles', 'ActiveSessionCount'];

/** A loop with the path of the loop that runs, with all that people see of it. */
function operated(): Stack {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const loop = new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')] });
  new LoopDashboard(stack, 'Dashboard', { loops: [loop], alarms: loop.alarms.addAll({ usdPerDay: 1 }) });
  return stack;
}

/** The runs of a loop in which all happens that a metric counts: a failure, a catch of the verification, a throttled request, sessions left over. */
async function eventfulRuns(): Promise<LoopFixture> {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt; touch /tmp/only-here' : 'echo right > value.txt',
    loop: { verification: Verification.inFreshSession(), bootstrap: ['true'], gates: [Gate.command('test', 'test -e /tmp/only-here || ./test.sh')] },
  });
  loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'throttle', times: 1 });
  loop.server.faults.add({ operation: 'StopRuntimeSession', at: 'beforeStart', kind: 'accessDenied', times: Infinity });
  await loop.run();
  await loop.run({ prompt: '' });
  await loop.deployment.close(); // so that its output is complete
  return loop;
}

test('each metric that the dashboard and the alarms read is emitted by a run, under the same name and with the same dimensions', async () => {
  const stack = operated();
  const { logs, runtimeArn } = await eventfulRuns();
  const found = emittedValues(logs);
  const names = new Set(found.map(({ namespace, name, dimensions }) => identityOf(namespace, name, dimensions)));
  // A runtime's ID is known only when it is deployed.
  const known = ({ namespace, name, dimensions }: EmittedName) => identityOf(namespace, name, Object.fromEntries(
    Object.entries(dimensions).map(([key, value]) => [key, value === '<ref>' ? runtimeArn.split('/').pop() : value])));
  const { metrics, searches } = metricsOfDashboard(stack);
  const own = metrics.filter(({ namespace }) => namespace !== 'AWS/Bedrock-AgentCore');
  const others = [...metrics.filter((metric) => !own.includes(metric)), ...searches.filter(({ namespace }) => namespace === undefined)];

  expect(own.length).toBeGreaterThanOrEqual(10);
  expect(own.map(known).filter((metric) => !names.has(metric))).toEqual([]);
  expect(searches.filter(({ namespace }) => namespace !== undefined)).toHaveLength(5);
  expect(searches.filter((search) => search.namespace !== undefined && !found.some((metric) => finds(search, metric)))).toEqual([]);
  expect(new Set(others.map(({ name }) => name))).toEqual(new Set(VENDED));

  // docs/operating.md, "Costs": those of a loop whose runs end as two outcomes, and of its runtime.
  const count = (dimension: string) => [...names].filter((name) => name.includes(`["${dimension}",`)).length;
  expect([count('Loop'), count('RuntimeId')]).toEqual([21, 8]);

  const read = alarmsOf(stack).flatMap(metricsOfAlarm);
  expect(read).toHaveLength(7);
  expect(read.filter((metric) => !names.has(metric))).toEqual([]);
});

/** The values that a loop emitted, as those of one period of an alarm. */
function periodOf(found: readonly EmittedValue[]): Period {
  const ofLoop = found.filter(({ dimensions }) => JSON.stringify(Object.keys(dimensions).sort()) === '["Loop","service"]');
  const values = (wanted: string) => ofLoop.filter(({ name }) => name === wanted).map(({ value }) => value as number);
  return Object.fromEntries([...new Set(ofLoop.map(({ name }) => name))].map((name) => [name, values(name)]));
}

test('alarms go off by the values that runs emit', async () => {
  const alarms = new Map(alarmsOf(operated()).map((alarm) => [/#(\S+)/.exec(alarm.AlarmDescription)![1], alarm]));
  const going = (logs: readonly string[]) => {
    const period = periodOf(emittedValues(logs));
    return [...alarms].filter(([, alarm]) => goesOff(alarm, period)).map(([name]) => name).sort();
  };
  expect(going([])).toEqual([]);
  expect(going((await eventfulRuns()).logs)).toEqual(['sessions-left-over']);

  const refused = await start();
  for (let run = 0; run < 3; run++) await refused.run({ prompt: '' });
  await refused.deployment.close();
  expect(going(refused.logs)).toEqual(['failures-in-a-row', 'nothing-green']);
});
