import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as logs from 'aws-cdk-lib/aws-logs';
import { AgentRuntime, CodingLoop, CodingLoopProps, Gate, GitRepository, LoopDashboard, LoopDashboardProps, Mount } from '../../src';
import { dashboardOf } from '../support/dashboards';
import { IMAGE, newStack } from '../support/stacks';

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
