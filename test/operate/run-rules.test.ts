import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { inputOf, matches, Target } from '../../rehearsal/deployment/events';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, Mount, RunEvents, RunMessage } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

function loopIn(stack: Stack, props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props });
}

function resourcesOf(stack: Stack): number {
  return Object.keys(Template.fromStack(stack).toJSON().Resources).length;
}

const DRIVER_PUTS = (resource: unknown) => ({
  Policies: [{ PolicyDocument: { Statement: Match.arrayWith([{ Effect: 'Allow', Action: 'events:PutEvents', Resource: resource }]) } }],
});

test('events add no resource, and let the driver send to the default bus alone', () => {
  const [without, stack] = [newStack(), newStack()];
  loopIn(without);
  loopIn(stack, { events: RunEvents.onDefaultBus() });
  expect(resourcesOf(stack)).toBe(resourcesOf(without));
  const arn = ['arn:', { Ref: 'AWS::Partition' }, ':events:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':event-bus/default'];
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', DRIVER_PUTS({ 'Fn::Join': ['', arn] }));
});

test('two loops of a stack with the same bus need one statement', () => {
  const stack = newStack();
  const bus = new events.EventBus(stack, 'Bus');
  const loop = loopIn(stack, { events: RunEvents.onBus(bus) });
  const gates = [Gate.command('test', 'x')];
  const runtime = stack.node.findChild('Agent') as AgentRuntime;
  new CodingLoop(stack, 'Second', { runtime, repository: GitRepository.fromUrl('https://example.com/b.git'), gates, events: RunEvents.onBus(bus) });
  expect(loop.node.path).toBe('Stack/Loop');
  const policies = JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Role'));
  expect(policies.split('events:PutEvents')).toHaveLength(2);
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', DRIVER_PUTS({ 'Fn::GetAtt': [Match.stringLikeRegexp('^Bus'), 'Arn'] }));
});

test('a bus in another Region is refused, because the driver could not send to it', () => {
  const stack = new Stack(new App(), 'Stack', { env: { region: 'eu-west-1', account: '123456789012' } });
  const busIn = (region: string, account: string) => events.EventBus.fromEventBusArn(stack, `Bus-${region}-${account}`, `arn:aws:events:${region}:${account}:event-bus/b`);
  expect(messageOf(() => loopIn(stack, { events: RunEvents.onBus(busIn('us-east-1', '123456789012')) })))
    .toBe('"bus" must be in the Region of the loop, eu-west-1, not in us-east-1: use another one\n  at Stack/Loop');
  const other = new Stack(new App(), 'Stack', { env: { region: 'eu-west-1', account: '123456789012' } });
  const bus = events.EventBus.fromEventBusArn(other, 'Bus', 'arn:aws:events:eu-west-1:210987654321:event-bus/b');
  expect(() => loopIn(other, { events: RunEvents.onBus(bus) })).not.toThrow();
});

test('a rule for a bus in another account is refused, because it would be one of a bus with the same name', () => {
  const stack = newStack({ region: 'eu-west-1', account: '123456789012' });
  const bus = events.EventBus.fromEventBusArn(stack, 'Bus', 'arn:aws:events:eu-west-1:210987654321:event-bus/b');
  const loop = loopIn(stack, { events: RunEvents.onBus(bus), stateMachineName: 'fix' });
  expect(messageOf(() => loop.onRed('Red'))).toBe('"onRed" must create its rule in the account of the bus, 210987654321, not in 123456789012: '
    + 'create a Rule there, or set "crossStackScope" to a construct there\n  at Stack/Loop');
  const there = new Stack(stack.node.root as App, 'There', { env: { region: 'eu-west-1', account: '210987654321' } });
  loop.onRed('Red', { crossStackScope: there });
  const stateMachineArn = [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':states:eu-west-1:123456789012:stateMachine:fix']] }];
  Template.fromStack(there).hasResourceProperties('AWS::Events::Rule', { EventBusName: 'b', EventPattern: { detail: { stateMachineArn } } });
});

test.each<[string, string, string, string[]]>([
  ['account', '210987654321', 'eu-west-1', ['account of the bus, 123456789012, not in 210987654321']],
  ['Region', '123456789012', 'us-east-1', ['Region of the bus, eu-west-1, not in us-east-1']],
  ['account and Region', '210987654321', 'us-east-1', ['account of the bus, 123456789012, not in 210987654321', 'Region of the bus, eu-west-1, not in us-east-1']],
])('a rule in another %s is refused for each kind of bus, because the events are not there', (_, account, region, places) => {
  const expected = places.map((place) => `"onRed" must create its rule in the ${place}: create a Rule there, or set "crossStackScope" to a construct there`);
  for (const own of [false, true]) {
    const stack = newStack({ region: 'eu-west-1', account: '123456789012' });
    const bus = own ? RunEvents.onBus(new events.EventBus(stack, 'Bus', { eventBusName: 'b' })) : RunEvents.onDefaultBus();
    const loop = loopIn(stack, { events: bus, stateMachineName: 'fix' });
    const there = new Stack(stack.node.root as App, 'There', { env: { region, account } });
    expect(messageOf(() => loop.onRed('Red', { crossStackScope: there })).split('\n')).toEqual([...expected, '  at Stack/Loop']);
  }
});

test.each([[undefined, undefined], ['123456789012', undefined], [undefined, 'eu-west-1']])('a rule in a stack whose account is %s and Region is %s is left to the deployment', (account, region) => {
  const stack = newStack({ region: 'eu-west-1', account: '123456789012' });
  const loop = loopIn(stack, { events: RunEvents.onDefaultBus(), stateMachineName: 'fix' });
  const there = new Stack(stack.node.root as App, 'There', { env: { region, account } });
  expect(() => loop.onRed('Red', { crossStackScope: there })).not.toThrow();
});

test.each(['onStarted', 'onRound', 'onFinished', 'onRed'] as const)('fails in %s of a loop without events, and says what to add', (method) => {
  const loop = loopIn(newStack());
  expect(messageOf(() => loop[method]('Rule'))).toBe(
    `"${method}" needs the events of the loop, which sends none: set "events" of the loop, such as RunEvents.onDefaultBus()\n  at Stack/Loop`);
});

test('fails to notify a topic for a loop without events', () => {
  const stack = newStack();
  expect(messageOf(() => loopIn(stack).notifyOnFinished(new sns.Topic(stack, 'Topic')))).toContain('set "events"');
});

/** A detail with text that would end a string of JSON. */
const HOSTILE = '"}, "version": "2.0", "x": {"\\';

function finished(stateMachineArn: string, outcome: string) {
  const detail = { stateMachineArn, outcome, title: HOSTILE, message: `${HOSTILE}\nsecond line`, executionName: 'run-1', execution: 'arn:aws:states:::x', loop: 'Stack/Loop', taskId: HOSTILE };
  return { 'id': 'e-1', 'source': 'cdk-agentcore-workbench', 'detail-type': 'CodingLoop Run Finished', detail };
}

test('rules match the events of their own loop, by kind and by outcome', () => {
  const stack = newStack({ account: '123456789012', region: 'us-east-1' });
  const loop = loopIn(stack, { events: RunEvents.onDefaultBus() });
  const own = 'ARN';
  const patternOf = (rule: events.Rule) => {
    const resource = rule.node.defaultChild as events.CfnRule;
    const { EventPattern: pattern } = stack.resolve(resource._toCloudFormation()).Resources[stack.getLogicalId(resource)].Properties;
    return JSON.parse(JSON.stringify(pattern).replace(JSON.stringify(stack.resolve(loop.stateMachine.stateMachineArn)), `"${own}"`)) as unknown;
  };
  const [any, red] = [patternOf(loop.onFinished('Any')), patternOf(loop.onRed('Red'))];
  const outcomes = ['COMMITTED', 'CodingLoop.Red', 'CodingLoop.Stuck', 'CodingLoop.TimedOut'];
  expect(outcomes.filter((outcome) => matches(any, finished(own, outcome)))).toEqual(outcomes);
  expect(outcomes.filter((outcome) => matches(red, finished(own, outcome)))).toEqual(['CodingLoop.Red', 'CodingLoop.Stuck']);
  expect(matches(any, finished('another loop', 'COMMITTED'))).toBe(false);
  const narrow = patternOf(loop.onFinished('Narrow', { eventPattern: { detail: { outcome: ['COMMITTED'] } } }));
  expect(outcomes.filter((outcome) => matches(narrow, finished(own, outcome)))).toEqual(['COMMITTED']);
});

test('a rule is on the bus of the events, with the target and the other options of CDK\'s onXxx methods', () => {
  const stack = newStack();
  const bus = new events.EventBus(stack, 'Bus');
  const handler = new lambda.Function(stack, 'Handler', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromInline('exports.handler = () => 1') });
  loopIn(stack, { events: RunEvents.onBus(bus) }).onStarted('Rule', { target: new targets.LambdaFunction(handler), description: 'mine', ruleName: 'name' });
  Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', {
    Description: 'mine',
    Name: 'name',
    EventBusName: { Ref: Match.stringLikeRegexp('^Bus') },
    EventPattern: { 'source': ['cdk-agentcore-workbench'], 'detail-type': ['CodingLoop Run Started'] },
    Targets: [{ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Handler'), 'Arn'] } }],
  });
});

test('a pattern adds restrictions, and is refused where the values of the method would be matched, too', () => {
  const loop = loopIn(newStack(), { events: RunEvents.onDefaultBus() });
  const pattern = { source: ['mine'], detailType: ['CodingLoop Run Started'], detail: { stateMachineArn: ['arn'], outcome: ['CodingLoop.Stuck'] } };
  expect(messageOf(() => loop.onRed('Red', { eventPattern: pattern })).split('\n')).toEqual([
    '"eventPattern" must not have "source", which "onRed" sets: leave it out, or create a Rule',
    '"eventPattern" must not have "detailType", which "onRed" sets: leave it out, or create a Rule',
    '"eventPattern" must not have "detail.stateMachineArn", which "onRed" sets: leave it out, or create a Rule',
    '"eventPattern" must not have "detail.outcome", which "onRed" sets: use "onFinished" for other outcomes',
    '  at Stack/Loop',
  ]);
  expect(() => loop.onFinished('Stuck', { eventPattern: { detail: { outcome: ['CodingLoop.Stuck'] } } })).not.toThrow();
  expect(() => loop.onRed('Red', { eventPattern: { detail: { taskId: ['issue-7'] } } })).not.toThrow();
});

test('a message in one line is the field of the event', () => {
  const stack = newStack();
  const topic = new sns.Topic(stack, 'Topic');
  loopIn(stack, { events: RunEvents.onDefaultBus() }).onFinished('Rule', { target: new targets.SnsTopic(topic, { message: RunMessage.asText() }) });
  const [rule] = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule', { Properties: { EventPattern: { source: ['cdk-agentcore-workbench'] } } }));
  const event = finished('ARN', 'COMMITTED');
  expect(inputOf(rule.Properties.Targets[0] as Target, event)).toBe(event.detail.message);
});

test('a rule of another stack reads the events of the loop', () => {
  const app = new App();
  const [stack, other] = [new Stack(app, 'Stack'), new Stack(app, 'Other')];
  loopIn(stack, { events: RunEvents.onDefaultBus() }).onFinished('Rule', { crossStackScope: other });
  Template.fromStack(other).resourceCountIs('AWS::Events::Rule', 1);
});

test('a topic gets one message for a run, however often it is added, and a sixth topic is refused', () => {
  const stack = newStack();
  const loop = loopIn(stack, { events: RunEvents.onDefaultBus() });
  const topics = ['1', '2', '3', '4', '5', '6'].map((id) => new sns.Topic(stack, `Topic${id}`));
  for (const topic of [topics[0], ...topics.slice(0, 5)]) loop.notifyOnFinished(topic);
  const [{ Properties }] = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule', { Properties: { EventPattern: { source: ['cdk-agentcore-workbench'] } } }));
  expect(Properties.Targets).toHaveLength(5);
  expect(messageOf(() => loop.notifyOnFinished(topics[5])))
    .toBe('"notifyOnFinished" must have at most 5 topics, the targets of one rule: for more, use "onFinished" with RunMessage.forChat()\n  at Stack/Loop/NotifyOnFinished');
});

test('a topic hears of a run in the form of a custom notification, whatever the text of the task', () => {
  const stack = newStack();
  const loop = loopIn(stack, { events: RunEvents.onDefaultBus() });
  const [first, second] = [new sns.Topic(stack, 'First'), new sns.Topic(stack, 'Second')];
  expect(loop.notifyOnFinished(first)).toBe(loop.notifyOnFinished(second));
  const rules = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule', { Properties: { EventPattern: { source: ['cdk-agentcore-workbench'] } } }));
  const found = rules.flatMap(({ Properties }) => Properties.Targets as Target[]);
  expect(found).toHaveLength(2);
  const { detail } = finished('ARN', 'COMMITTED');
  for (const target of found) {
    expect(inputOf(target, finished('ARN', 'COMMITTED'))).toEqual({
      version: '1.0',
      source: 'custom',
      id: 'e-1',
      content: { textType: 'client-markdown', title: detail.title, description: detail.message },
      metadata: {
        threadId: 'run-1',
        summary: detail.title,
        eventType: 'CodingLoop Run Finished',
        relatedResources: [detail.execution],
        additionalContext: { loop: 'Stack/Loop', taskId: detail.taskId },
      },
    });
    // Each field stands without quotes, so that EventBridge writes it as JSON.
    expect(target.InputTransformer!.InputTemplate).not.toMatch(/"<|>"|[\w ]</);
  }
});
