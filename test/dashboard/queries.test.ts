import { Template } from 'aws-cdk-lib/assertions';
import { AgentRuntime, CodingLoop, Gate, GitRepository, LoopDashboard, Mount } from '../../src';
import { useLoops } from '../support/loop-fixture';
import { IMAGE, newStack } from '../support/stacks';

const start = useLoops();

interface LogLine {
  readonly [field: string]: unknown;
}

/** The texts of the saved queries, by the ends of their names. */
function savedQueries(): { readonly [name: string]: string } {
  const stack = newStack();
  const runtime = new AgentRuntime(stack, 'Agent', { runtimeName: 'agent', agentRuntimeArtifact: IMAGE, mounts: [Mount.sessionStorage('/mnt/workspace')] });
  const loop = new CodingLoop(stack, 'Loop', { runtime, repository: GitRepository.fromUrl('https://example.com/a.git'), gates: [Gate.command('test', 'x')] });
  new LoopDashboard(stack, 'Dashboard', { loops: [loop] });
  const queries = Object.values(Template.fromStack(stack).findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties);
  return Object.fromEntries(queries.map(({ Name, QueryString }) => [Name.split('/').pop(), QueryString]));
}

/** Returns what follows a command of a query. */
const partOf = (query: string, command: string) => new RegExp(`(?:^|\n\\| )${command} (.*)`).exec(query)?.[1];

/** Determines whether a line passes the filter of a query: `a = "b"`, `a like /b/` and `ispresent(a)`, joined by `or`. */
function passes(query: string, line: LogLine): boolean {
  return partOf(query, 'filter')!.split(' or ').some((condition) => {
    const equal = /^(\w+) = "(.*)"$/.exec(condition);
    if (equal) return line[equal[1]] === equal[2];
    const like = /^(\w+) like \/(.*)\/$/.exec(condition);
    if (like) return new RegExp(like[2]).test(String(line[like[1]] ?? ''));
    return line[/^ispresent\((\w+)\)$/.exec(condition)![1]] !== undefined;
  });
}

test('the saved queries read fields that the driver logs, and find what they are for', async () => {
  const loop = await start({ agent: (turn) => turn === 0 ? 'echo wrong-a > value.txt' : 'echo right > value.txt' });
  await loop.run({}, { name: 'first' });
  loop.server.faults.add({ operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'accessDenied', times: Infinity });
  await loop.run({ taskId: 'task-2' }, { name: 'second' });
  await loop.deployment.close(); // so that its output is complete
  const lines: LogLine[] = loop.logs.filter((line) => line.startsWith('{') && !line.includes('"CloudWatchMetrics"')).map((line) => JSON.parse(line));
  const queries = savedQueries();
  const logged = new Set(lines.flatMap((line) => Object.keys(line).filter((field) => line[field] !== undefined)));
  const read = Object.values(queries).flatMap((query) => [
    ...partOf(query, 'fields')?.split(', ') ?? [],
    ...partOf(query, 'stats')?.split(' by ')[1].split(', ') ?? [],
    ...[...partOf(query, 'filter')!.matchAll(/(\w+)(?= =| like|\))/g)].map(([field]) => field),
  ]);

  expect(read.length).toBeGreaterThan(15);
  expect(read.filter((field) => field !== '@timestamp' && !logged.has(field))).toEqual([]);

  const found = (name: string, run = 'RUN') => lines.filter((line) => passes(queries[name].replaceAll('RUN', run), line));
  const story = found('story of one run (replace RUN)', 'first');
  expect(new Set(story.map(({ execution }) => execution))).toEqual(new Set([loop.executionOf('first')]));
  expect(story).toHaveLength(lines.filter(({ execution }) => execution === loop.executionOf('first')).length);
  expect(new Set(story.map(({ operation }) => operation))).toEqual(new Set(
    ['prepare', 'turn', 'snapshot', 'gate', 'commit', 'stop'].map((step) => `loop:${step}`)));
  expect(found('failures by reason').map(({ error }) => error)).toContain('Workbench.AccessDenied');
  expect(found('slowest steps').map(({ job }) => job)).toEqual(expect.arrayContaining(['prepare', 'gate test', 'commit']));
});
