import { Commit } from '../../src';
import { gitHubRepository, useForgeLoops } from '../support/forge-loop';
import { IN_PROCESS } from '../support/loop-fixture';

process.env[IN_PROCESS] = '1';
const start = useForgeLoops();

/** Returns the commits of the run's branch, above the first. */
const commitsOf = ({ loop }: Awaited<ReturnType<typeof start>>, branch = 'workbench/task-1') => loop.git('log', '--format=%an %s', `main..${branch}`).trim().split('\n');

test('a run is told of on an issue, in one comment, and ends as a pull request', async () => {
  const bodies: string[] = [];
  const made = await start({
    repository: gitHubRepository,
    agent: (turn) => {
      bodies.push(...made.state.comments.map(({ body }) => body));
      return turn === 0 ? 'echo still wrong > value.txt' : 'echo right > value.txt';
    },
    loop: { commit: Commit.pullRequest() },
  });
  const issue = made.state.openIssue('It is wrong');
  const { record } = await made.run({ issue });
  expect(record).toMatchObject({ outcome: 'COMMITTED', rounds: 2 });
  expect(bodies).toEqual([
    expect.stringContaining('Turn 1 of the agent is under way.'),
    expect.stringContaining('Turn 2 of the agent is under way, because the gate `test` did not pass (FAILED).'),
  ]);
  const { number, url } = record.pullRequest!;
  expect(made.state.comments).toMatchObject([{ issue, body: expect.stringContaining(`[pull request ${number}](${url})`) }]);
  expect(made.state.pulls[0].body).toContain(`For #${issue}.`);
});

test('a change is in a commit that GitHub signs, if a rule demands it', async () => {
  const made = await start({ repository: gitHubRepository, loop: { commit: Commit.pullRequest({ signed: true }) } });
  const result = await made.run();
  expect([result.record.error, result.record.outcome, result.record.verified]).toEqual([undefined, 'COMMITTED', true]);
  expect(made.loop.git('rev-parse', 'workbench/task-1').trim()).toBe(result.record.commit!.id);
  expect(made.loop.git('cat-file', 'commit', 'workbench/task-1')).toContain('gpgsig');
  expect(made.loop.git('for-each-ref', '--format=%(refname)').trim().split('\n')).toEqual(['refs/heads/main', 'refs/heads/workbench/task-1']);
  expect(made.leaks(result)).toEqual([]);
});

describe('before a turn is paid for', () => {
  const turnsOf = ({ loop }: Awaited<ReturnType<typeof start>>) => loop.turns.length;

  test('a token that may not push is found', async () => {
    const made = await start({ secrets: () => ({ write: 'read-only', read: 'read-only' }) });
    made.forge.store.addToken({ value: 'read-only', repositories: ['octo/shop'], permissions: { contents: 'read' }, login: 'reader' });
    const { record } = await made.run();
    expect(record).toMatchObject({ outcome: 'Forge.Forbidden', error: { message: expect.stringContaining('denied to reader') } });
    expect(turnsOf(made)).toBe(0);
  });

  test('a token that has expired is found', async () => {
    const made = await start({ secrets: () => ({ write: 'expired', read: 'expired' }) });
    expect(await made.run()).toMatchObject({ record: { outcome: 'Forge.Unauthorized' } });
    expect(turnsOf(made)).toBe(0);
  });

  test('a base that does not exist is found', async () => {
    const made = await start({ repository: gitHubRepository, loop: { commit: Commit.pullRequest({ base: 'develop' }) } });
    expect(await made.run()).toMatchObject({ record: { outcome: 'Forge.NotFound', error: { message: expect.stringContaining('no branch "develop"') } } });
    expect(turnsOf(made)).toBe(0);
  });

  test('an archived repository is found', async () => {
    const made = await start({ repository: gitHubRepository, loop: { commit: Commit.pullRequest() } });
    made.repository.archived = true;
    const { record } = await made.run();
    expect(record).toMatchObject({ outcome: expect.stringMatching(/^Forge\./), error: { message: expect.stringMatching(/archived/) } });
    expect(turnsOf(made)).toBe(0);
  });
});

describe('others', () => {
  test('who push meanwhile keep what they pushed, and the change goes on top of it', async () => {
    const made = await start({ agent: 'echo right > value.txt; sleep 0' });
    made.forge.faults.add({ operation: 'announce', at: 'beforeReply', kind: 'moveBranch', branch: 'workbench/task-1', match: () => made.loop.turns.length > 0 });
    const { record } = await made.run();
    expect([record.error, record.outcome, record.verified]).toEqual([undefined, 'COMMITTED', true]);
    expect(commitsOf(made)).toEqual(['AgentCore Workbench Make it right', expect.stringMatching(/^somebody/)]);
  });

  test('who delete the branch between two runs do not get it back with what they deleted', async () => {
    const made = await start({ files: { 'value.txt': 'right\n' }, agent: (turn) => `echo ${turn} > file-${turn}` });
    const first = await made.run();
    made.loop.git('update-ref', '-d', 'refs/heads/workbench/task-1');
    const { record } = await made.run({ session: first.record.session, prompt: 'More' });
    expect([record.error, record.outcome, record.verified]).toEqual([undefined, 'COMMITTED', true]);
    expect(commitsOf(made)).toEqual(['AgentCore Workbench More']);
    expect(made.loop.git('ls-tree', '--name-only', 'workbench/task-1', 'file-0', 'file-1')).toBe('file-1\n');
  });

  test('whose rules refuse the commit are quoted', async () => {
    const made = await start();
    made.repository.rules = { ...made.repository.rules, rulesets: [{ branch: 'workbench/*', says: ['Commits must have verified signatures.'] }] };
    const { record } = await made.run();
    expect(record).toMatchObject({ outcome: 'Forge.RuleViolation', error: { message: expect.stringMatching(/GH013[^]*Commits must have verified signatures/) } });
    expect(made.loop.branches()).toEqual(['main']);
  });
});

describe('faults', () => {
  const isLate = (made: Awaited<ReturnType<typeof start>>) => () => made.loop.turns.length > 0;
  test.each([
    ['reset before the push', 'push', 'beforeStart', 'reset'],
    ['reset in the middle of the pack', 'push', 'midRequest', 'reset'],
    ['500 after the push arrived', 'push', 'beforeReply', 500],
    ['reset after the push arrived', 'push', 'beforeReply', 'reset'],
    ['503 at the announcement', 'announce', 'beforeStart', 503],
    ['a rate limit', 'announce', 'beforeStart', 429],
  ] as const)('%s: one commit, one branch', async (_, operation, at, kind) => {
    const made = await start();
    const fault = made.forge.faults.add({ operation, at, kind, match: isLate(made) });
    expect(await made.run()).toMatchObject({ record: { outcome: 'COMMITTED', verified: true } });
    expect(fault.fired).toBe(1);
    expect(commitsOf(made)).toEqual(['AgentCore Workbench Make it right']);
  });

  test('a microVM that is replaced between the key and its use gets another key', async () => {
    const made = await start();
    const fault = made.loop.server.faults.add({
      operation: 'InvokeAgentRuntimeCommand', at: 'beforeStart', kind: 'replaceMicrovm', match: ({ command = '' }) => command.includes('job=prepare-'),
    });
    expect(await made.run()).toMatchObject({ record: { outcome: 'COMMITTED' } });
    expect(fault.fired).toBe(1);
  });
});
