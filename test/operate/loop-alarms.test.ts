import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Duration, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AgentRuntime, CodingLoop, Gate, GitRepository, Mount } from '../../src';
import { AGENT_ERRORS } from '../../src/agent/constants';
import { ERRORS } from '../../src/jobs/constants';
import { FORGE_ERRORS, LOOP_ERRORS } from '../../src/loop/steps/constants';
import { AlarmProperties, alarmsOf, goesOff, Period } from '../support/alarms';
import { anchorsIn } from '../support/anchors';
import { IMAGE, messageOf, newStack } from '../support/stacks';

function loopIn(stack: Stack, id = 'Loop'): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, id, { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')] });
}

function alarmOf(create: (loop: CodingLoop) => unknown): AlarmProperties {
  const stack = newStack();
  create(loopIn(stack));
  return alarmsOf(stack)[0];
}

/** The values of runs that failed or were green. */
const runs = (outcomes: string): Period => outcomes === '' ? {} : ({
  GreenRuns: [...outcomes].map((outcome) => outcome === 'g' ? 1 : 0),
  FailedRuns: [...outcomes].map((outcome) => outcome === 'f' ? 1 : 0),
});

describe('goes off', () => {
  test.each<[string, (loop: CodingLoop) => unknown, Period, boolean]>([
    ['after three failures', (loop) => loop.alarms.failuresInARow(), runs('fff'), true],
    ['not after two failures', (loop) => loop.alarms.failuresInARow(), runs('ff'), false],
    ['not after three failures and a green run', (loop) => loop.alarms.failuresInARow(), runs('fffg'), false],
    ['after one failure, if one is enough', (loop) => loop.alarms.failuresInARow({ failures: 1 }), runs('f'), true],
    ['not without runs', (loop) => loop.alarms.failuresInARow(), runs(''), false],
    ['if nothing was green', (loop) => loop.alarms.nothingGreen(), runs('f'), true],
    ['not if one run was green', (loop) => loop.alarms.nothingGreen(), runs('ffffgfff'), false],
    ['not without runs in a day', (loop) => loop.alarms.nothingGreen(), runs(''), false],
    ['if a run took 80 percent of its timeout', (loop) => loop.alarms.runsNearTheirTime(), { TimeUsed: [10, 80, 5] }, true],
    ['not if all took less', (loop) => loop.alarms.runsNearTheirTime(), { TimeUsed: [10, 79.9, 70] }, false],
    ['by a percentage of one\'s own', (loop) => loop.alarms.runsNearTheirTime({ percent: 50 }), { TimeUsed: [51] }, true],
    ['if the runs cost more than the amount together', (loop) => loop.alarms.costPerDay(10), { CostUsd: [5, 5.01] }, true],
    ['not if they cost the amount', (loop) => loop.alarms.costPerDay(10), { CostUsd: [5, 5] }, false],
    ['if a session was left over', (loop) => loop.alarms.sessionsLeftOver(), { SessionsNotStopped: [0, 1, 0] }, true],
    ['not if all were stopped', (loop) => loop.alarms.sessionsLeftOver(), { SessionsNotStopped: [0, 0] }, false],
  ])('%s', (_, create, period, expected) => {
    expect(goesOff(alarmOf(create), period)).toBe(expected);
  });
});

test('a loop has no alarm before a method is called', () => {
  const stack = newStack();
  loopIn(stack);
  Template.fromStack(stack).resourceCountIs('AWS::CloudWatch::Alarm', 0);
});

/** The rules of PutMetricAlarm for the time that an alarm looks at, and for what it says. */
test('all alarms are within the limits of CloudWatch', () => {
  const stack = newStack();
  const alarms = loopIn(stack).alarms.addAll({ usdPerDay: 20 });
  expect(alarms).toHaveLength(5);
  for (const alarm of alarmsOf(stack)) {
    const periods = alarm.Metrics?.flatMap(({ MetricStat }) => MetricStat === undefined ? [] : [MetricStat.Period]) ?? [alarm.Period!];
    expect(new Set(periods).size).toBe(1);
    expect(periods[0] % 60).toBe(0);
    expect(periods[0] * alarm.EvaluationPeriods).toBeLessThanOrEqual(86_400);
    expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1_024);
    expect((alarm.Metrics ?? []).length).toBeLessThanOrEqual(10);
    expect(JSON.stringify(alarm)).not.toContain('SEARCH(');
    expect(alarm.TreatMissingData).toBe('notBreaching');
  }
});

test('the description of each alarm leads to an entry of the runbook of its own', () => {
  const stack = newStack();
  loopIn(stack).alarms.addAll({ usdPerDay: 20 });
  const links = alarmsOf(stack).map(({ AlarmDescription }) => /\bhttps:\/\/github\.com\/\S+\/docs\/operating\.md#(\S+)/.exec(AlarmDescription)?.[1]);
  const page = readFileSync(join(__dirname, '../../docs/operating.md'), 'utf8');
  const entries = anchorsIn(page.slice(page.indexOf('\n## Runbook\n'), page.indexOf('\n## Resources\n')));

  expect(new Set(links).size).toBe(5);
  expect(entries).toEqual(expect.arrayContaining(links));
});

test('the command in the description is one that a shell reads as it is meant, and fits', () => {
  const stack = new Stack(new App(), 'Stack', { stackName: 's'.repeat(128) });
  const loop = loopIn(stack, `it's ${'a'.repeat(255 - 'Stack/it\'s '.length)}`);
  expect(loop.node.path).toHaveLength(255);
  loop.alarms.costPerDay(1);
  const [{ AlarmDescription }] = alarmsOf(stack);
  const command = AlarmDescription.split('Look: ')[1].replace('npx', 'printf "%s\\n"');
  expect(execFileSync('bash', ['-c', command], { encoding: 'utf8' }).split('\n')).toContain(loop.node.path);
  expect(AlarmDescription.length).toBeLessThanOrEqual(1_024);
});

test('fails for a loop whose path CloudWatch would not take', () => {
  expect(messageOf(() => loopIn(newStack(), 'Lösen').alarms.addAll())).toBe(
    'the path of the loop must have only printable ASCII characters, since it is a dimension of its metrics, not "Stack/Lösen": change the ID of the construct\n  at Stack/Lösen');
});

test('an alarm calls the actions that it is given', () => {
  const stack = newStack();
  const topic = new sns.Topic(stack, 'Topic');
  loopIn(stack).alarms.addAll({ actions: [new actions.SnsAction(topic)] });
  const found = alarmsOf(stack);
  expect(found).toHaveLength(4);
  for (const alarm of found) expect(alarm.AlarmActions).toEqual([{ Ref: stack.getLogicalId(topic.node.defaultChild as sns.CfnTopic) }]);
});

test('an alarm takes values that are known only when it is deployed', () => {
  const amount = Token.asNumber({ Ref: 'Amount' });
  const alarm = alarmOf((loop) => loop.alarms.costPerDay(amount, { alarmName: 'cost' }));
  expect(alarm).toMatchObject({ AlarmName: 'cost', Threshold: { Ref: 'Amount' } });
  expect(JSON.stringify(alarm.AlarmDescription)).toContain('{"Ref":"Amount"}');
});

describe('fails', () => {
  test.each<[string, (loop: CodingLoop) => cloudwatch.Alarm, RegExp]>([
    ['without a failure', (loop) => loop.alarms.failuresInARow({ failures: 0 }), /"failures" must be a whole number of at least 1, not 0: correct it/],
    ['with half a failure', (loop) => loop.alarms.failuresInARow({ failures: 1.5 }), /"failures" must be a whole number of at least 1, not 1.5/],
    ['with a window of more than a day', (loop) => loop.alarms.failuresInARow({ window: Duration.minutes(1_441) }), /"window" must be a whole number of minutes and at most 1 day, not 86460 seconds/],
    ['with a window of 90 seconds', (loop) => loop.alarms.failuresInARow({ window: Duration.seconds(90) }), /"window" must be a whole number of minutes and at most 1 day, not 90 seconds/],
    ['with a window that is not known', (loop) => loop.alarms.failuresInARow({ window: Duration.seconds(Token.asNumber({ Ref: 'A' })) }), /"window" must be known at synth/],
    ['with 0 percent', (loop) => loop.alarms.runsNearTheirTime({ percent: 0 }), /"percent" must be more than 0 and at most 100, not 0/],
    ['with 101 percent', (loop) => loop.alarms.runsNearTheirTime({ percent: 101 }), /"percent" must be more than 0 and at most 100, not 101/],
    ['with an amount of 0', (loop) => loop.alarms.costPerDay(0), /"usd" must be a number of more than 0, not 0: change it/],
    ['with an amount without an end', (loop) => loop.alarms.costPerDay(Infinity), /"usd" must be a number of more than 0, not Infinity: change it/],
    ['with a name of 256 characters', (loop) => loop.alarms.nothingGreen({ alarmName: 'a'.repeat(256) }), /"alarmName" must have 1 to 255 characters, not 256: change it, or leave it out/],
    ['with an empty name', (loop) => loop.alarms.nothingGreen({ alarmName: '' }), /"alarmName" must have 1 to 255 characters, not 0/],
    ['if the same one is created twice', (loop) => (loop.alarms.costPerDay(1), loop.alarms.addAll({ usdPerDay: 1 })[0]),
      /"costPerDay" must be called once for each loop, and "addAll" calls it, too: leave out one of the calls, or create an Alarm for a metric of the loop\n {2}at Stack\/Loop/],
  ])('%s', (_, create, message) => {
    expect(() => create(loopIn(newStack()))).toThrow(message);
  });

  test.each([[Duration.minutes(1)], [Duration.days(1)]])('not with a window of %s', (window) => {
    const { Metrics = [] } = alarmOf((loop) => loop.alarms.failuresInARow({ window }));
    const seconds = window.toSeconds();
    expect(Metrics.flatMap(({ MetricStat }) => MetricStat === undefined ? [] : [MetricStat.Period])).toEqual([seconds, seconds]);
  });
});

test('the runbook names only errors that there are', () => {
  const page = readFileSync(join(__dirname, '../../docs/operating.md'), 'utf8');
  const named = [...page.matchAll(/`((?:CodingLoop|Agent|Forge|Workbench)\.\w+)`/g)].map(([, name]) => name);
  const known: readonly string[] = [LOOP_ERRORS, AGENT_ERRORS, FORGE_ERRORS, ERRORS].flatMap((names) => Object.values(names));
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});
