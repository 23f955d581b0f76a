import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, LoopDashboard, Mount, RunArtifacts, RunBrake, RunBudget, RunEvents } from '../../src';
import { IMAGE, newStack } from '../support/stacks';

type LoopProps = Partial<CodingLoopProps>;

function stackWith(
  props: LoopProps | ((stack: Stack) => LoopProps) = {}, more: (stack: Stack, loop: CodingLoop) => unknown = () => undefined,
): Stack {
  const stack = newStack();
  new sns.Topic(stack, 'Topic');
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  more(stack, new CodingLoop(stack, 'Loop', {
    runtime,
    repository: GitRepository.fromUrl('https://example.com/a.git'),
    gates: [Gate.command('test', 'x')],
    ...typeof props === 'function' ? props(stack) : props,
  }));
  return stack;
}

/** Returns the types of all resources of a stack, sorted. */
function typesOf(stack: Stack): string[] {
  const { Resources } = Template.fromStack(stack).toJSON() as { readonly Resources: { readonly [id: string]: { readonly Type: string } } };
  return Object.values(Resources).map(({ Type }) => Type).sort();
}

/** The rows of the table in docs/operating.md: what is written, and the number of resources. */
const ROWS = (() => {
  const page = readFileSync(join(__dirname, '../../docs/operating.md'), 'utf8');
  const table = page.slice(page.indexOf('\n## Resources\n')).split('\n').filter((line) => line.startsWith('| `'));
  return new Map(table.map((line) => line.split('|').map((cell) => cell.trim())).map(([, name, resources]) => [name, resources]));
})();

const events = RunEvents.onDefaultBus();

const brakeIn = (stack: Stack) => new RunBrake(stack, 'Brake');

/** Each row of the table. */
const CASES: readonly (readonly [string, Stack])[] = [
  ['`artifacts`', stackWith({ artifacts: RunArtifacts.inBucket() })],
  ['`artifacts` with a bucket of your own', stackWith({ artifacts: RunArtifacts.inBucket(s3.Bucket.fromBucketName(newStack(), 'Bucket', 'bucket')) })],
  ['`events`', stackWith({ events })],
  ['`budget`', stackWith({ budget: RunBudget.of({ turns: 3, usd: 5 }) })],
  ['`maxConcurrentRuns`', stackWith({ maxConcurrentRuns: 3 })],
  ['`RunBrake`, as the `brake` of a loop', stackWith((stack) => ({ brake: brakeIn(stack) }))],
  ['`RunBrake` as the action of an alarm, with the alarm', stackWith((stack) => ({ brake: brakeIn(stack) }), (stack, loop) => {
    loop.alarms.costPerDay(1).addAlarmAction(stack.node.findChild('Brake') as RunBrake);
  })],
  ['`loop.notifyOnFinished(topic)`', stackWith({ events }, (stack, loop) => loop.notifyOnFinished(stack.node.findChild('Topic') as sns.Topic))],
  ['`loop.alarms.failuresInARow()` and each other alarm', stackWith({}, (_, loop) => loop.alarms.failuresInARow())],
  ['`loop.alarms.addAll({ usdPerDay })`', stackWith({}, (_, loop) => loop.alarms.addAll({ usdPerDay: 1 }))],
  ['`LoopDashboard`', stackWith({}, (stack, loop) => new LoopDashboard(stack, 'Dashboard', { loops: [loop] }))],
  ['`LoopDashboard` with `savedQueries: false`', stackWith({}, (stack, loop) => new LoopDashboard(stack, 'Dashboard', { loops: [loop], savedQueries: false }))],
];

test.each(CASES)('%s adds the resources that the page says', (name, stack) => {
  const types = typesOf(stack);
  for (const type of typesOf(stackWith())) types.splice(types.indexOf(type), 1);
  const counts = [...new Set(types)].map((type) => `${types.filter((other) => other === type).length} \`${type}\``);
  expect(ROWS.get(name)).toBe(counts.length === 0 ? 'none' : counts.join(', '));
});

test('each row of the page is tested', () => {
  expect([...ROWS.keys()]).toEqual(CASES.map(([name]) => name));
});

test('a loop without these props has 8 resources beside its runtime', () => {
  const stack = newStack();
  new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  expect(typesOf(stackWith()).length - typesOf(stack).length - 1).toBe(8);
});
