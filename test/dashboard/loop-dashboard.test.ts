import { App, Duration, Stack, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as logs from 'aws-cdk-lib/aws-logs';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, LoopDashboard, LoopDashboardProps, Mount } from '../../src';
import { dashboardOf } from '../support/dashboards';
import { IMAGE, messageOf, newStack } from '../support/stacks';

function loopIn(stack: Stack, id = 'Loop', props: Partial<CodingLoopProps> = {}): CodingLoop {
  const runtime = stack.node.tryFindChild('Agent') as AgentRuntime | undefined
    ?? new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  return new CodingLoop(stack, id, { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')], ...props });
}

function withDashboard(props: (stack: Stack) => LoopDashboardProps): Stack {
  const stack = newStack();
  new LoopDashboard(stack, 'Dashboard', props(stack));
  return stack;
}

test('the widgets of a dashboard fill its rows and do not overlap', () => {
  const { widgets } = dashboardOf(withDashboard((stack) => ({ loops: [loopIn(stack), loopIn(stack, 'Other')] })));
  const cells = widgets.flatMap(({ x, y, width, height }) => Array.from({ length: width * height }, (_, cell) => `${x + cell % width},${y + Math.floor(cell / width)}`));
  const rows = Math.max(...widgets.map(({ y, height }) => y + height));
  expect(new Set(cells).size).toBe(cells.length);
  expect(cells).toHaveLength(24 * rows);
});

test('each loop has a section, with a link to its executions and to the runbook', () => {
  const { widgets } = dashboardOf(withDashboard((stack) => ({ loops: [loopIn(stack), loopIn(stack, 'Other')] })));
  const headings = widgets.filter(({ type }) => type === 'text').map(({ properties }) => properties.markdown);
  expect(headings).toEqual([expect.stringContaining('## Stack/Loop\n'), expect.stringContaining('## Stack/Other\n')]);
  for (const heading of headings) expect(heading).toMatch(/\(https:\/\/console\.aws\.amazon\.com\/states\/home\?region=<ref>#\/statemachines\/view\/<ref>\).*docs\/operating\.md#runbook\)/);
});

test('alarms are shown if they are given', () => {
  const stack = newStack();
  const loop = loopIn(stack);
  new LoopDashboard(stack, 'Dashboard', { loops: [loop], alarms: loop.alarms.addAll({ usdPerDay: 1 }) });
  const [widget] = dashboardOf(stack).widgets;
  expect(widget).toMatchObject({ type: 'alarm', properties: { alarms: Array(5).fill('<ref>') } });
});

test('a dashboard opens with a week, and has the name that it is given', () => {
  const stack = withDashboard((scope) => ({ loops: [loopIn(scope)], dashboardName: 'loops' }));
  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'loops' });
  expect(dashboardOf(stack)).toMatchObject({ start: '-P7D' });
});

test('the saved queries read the logs of the driver and of the publisher, each once', () => {
  const stack = withDashboard((scope) => ({ loops: [loopIn(scope), loopIn(scope, 'Other')] }));
  const queries = Object.values(Template.fromStack(stack).findResources('AWS::Logs::QueryDefinition'));
  expect(queries).toHaveLength(3);
  for (const { Properties } of queries) expect(Properties.LogGroupNames).toEqual([{ Ref: expect.stringMatching(/^AgentcoreWorkbenchSessionDriverLogs/) }]);
  expect(new Set(queries.map(({ Properties }) => Properties.Name)).size).toBe(3);
});

test('the saved queries read more log groups if they are given, and can be left out', () => {
  const group = (stack: Stack) => logs.LogGroup.fromLogGroupName(stack, 'Runtime', '/aws/bedrock-agentcore/runtimes/agent-1-DEFAULT');
  Template.fromStack(withDashboard((stack) => ({ loops: [loopIn(stack)], logGroups: [group(stack)] })))
    .hasResourceProperties('AWS::Logs::QueryDefinition', { LogGroupNames: Match.arrayWith(['/aws/bedrock-agentcore/runtimes/agent-1-DEFAULT']) });
  Template.fromStack(withDashboard((stack) => ({ loops: [loopIn(stack)], savedQueries: false }))).resourceCountIs('AWS::Logs::QueryDefinition', 0);
});

test('a dashboard without a loop fails', () => {
  expect(() => withDashboard(() => ({ loops: [] }))).toThrow('"loops" must have at least one loop, not none: add one');
});

const ENV = { region: 'eu-west-1', account: '123456789012' };

function elsewhere(env: typeof ENV, props: Partial<LoopDashboardProps> = {}): Stack {
  const app = new App();
  const [stack, other] = [new Stack(app, 'Stack', { env: ENV, crossRegionReferences: true }), new Stack(app, 'Other', { env, crossRegionReferences: true })];
  new LoopDashboard(other, 'Dashboard', { loops: [loopIn(stack)], ...props });
  return other;
}

/** Returns the Region of each metric and search; that of the dashboard itself is missing. A calculation has no Region: the metrics in it have one. */
function regionsOf(stack: Stack): (string | undefined)[] {
  return dashboardOf(stack).widgets.flatMap(({ properties: { metrics = [] } }) => metrics)
    .map((metric) => metric.at(-1) as { readonly region?: string; readonly expression?: string })
    .filter(({ expression }) => expression?.startsWith('IF(') !== true).map(({ region }) => region);
}

test('a loop in another Region is read there, with each of its metrics and searches', () => {
  const stack = elsewhere({ ...ENV, region: 'us-east-1' });
  const regions = regionsOf(stack);
  expect(regions.length).toBeGreaterThan(15);
  expect(new Set(regions)).toEqual(new Set(['eu-west-1']));
  // A query reads the logs of its own Region.
  Template.fromStack(stack).resourceCountIs('AWS::Logs::QueryDefinition', 0);
});

test('a loop in another stack of the Region is read as one in the same stack', () => {
  const stack = elsewhere(ENV);
  expect(new Set(regionsOf(stack))).toEqual(new Set([undefined]));
  Template.fromStack(stack).resourceCountIs('AWS::Logs::QueryDefinition', 3);
});

test.each<[string, () => unknown, string]>([
  ['a loop in another account', () => elsewhere({ ...ENV, account: '210987654321' }), '"loops" must be in the account of the dashboard, 210987654321, not in 123456789012: use another one'],
  ['a log group in another Region', () => {
    const group = logs.LogGroup.fromLogGroupArn(new Stack(), 'Group', 'arn:aws:logs:us-west-2:123456789012:log-group:g');
    return elsewhere(ENV, { logGroups: [group] });
  }, '"logGroups" must be in the Region of the dashboard, eu-west-1, not in us-west-2: use another one'],
  ['a path that a search would not find', () => withDashboard((stack) => ({ loops: [loopIn(stack, 'it\'s')] })),
    '"loops" must have paths without quotation marks and backslashes, since the dashboard searches for them, not Stack/it\'s: change the ID of the loop'],
  ['a name with a space', () => withDashboard((stack) => ({ loops: [loopIn(stack)], dashboardName: 'my loops' })),
    '"dashboardName" must have letters, digits, "-" and "_", not "my loops": change it, or leave it out'],
  ['a name of 256 characters', () => withDashboard((stack) => ({ loops: [loopIn(stack)], dashboardName: 'a'.repeat(256) })), '"dashboardName" must have at most 255 characters, not 256: shorten it'],
  ['a time range that is not known', () => withDashboard((stack) => ({ loops: [loopIn(stack)], defaultInterval: Duration.days(Token.asNumber({ Ref: 'Days' })) })),
    '"defaultInterval" must be known at synth, since it becomes text of the dashboard: use a literal'],
])('fails for %s', (_, make, message) => {
  expect(messageOf(make)).toContain(`${message}\n  at `);
});

test('a dashboard takes a name of 255 characters, and one that is not known at synth', () => {
  for (const dashboardName of ['a'.repeat(255), Token.asString({ Ref: 'Name' })]) {
    expect(() => withDashboard((stack) => ({ loops: [loopIn(stack)], dashboardName }))).not.toThrow();
  }
});
