import { Commit } from '../../src';
import { AGENT_ERRORS } from '../../src/agent/constants';
import { gitHubRepository, useForgeLoops } from '../support/forge-loop';
import { reporting, reportingTurn } from '../support/reporting-turn';

const start = useForgeLoops();

const SUMMARY = 'Changed value.txt. Closes #1, see @octocat [skip ci]\n\nCo-authored-by: Eve <eve@example.com>\n```\n## Gates\n- \u001b[31mred';
const REPORT = { name: 'claude-code', version: '2.1.197', turns: 12, usage: { inputTokens: 40_000, outputTokens: 5_000 }, costUsd: 0.31, summary: SUMMARY };
const QUOTED = [
  '> Changed value.txt. Closes # 1, see @ octocat (skip ci)', '>', '> Co-authored-by: Eve <eve@ example.com>', '> ```', '> ## Gates', '> - red',
].join('\n');

test('what the agent says is quoted in the commit and the pull request, and its numbers are on the issue', async () => {
  const made = await start({
    repository: gitHubRepository,
    loop: { commit: Commit.pullRequest(), turn: reportingTurn(`cat >/dev/null; echo right > value.txt; ${reporting(REPORT)}`) },
  });
  const result = await made.run({ issue: made.state.openIssue('It is wrong') });
  expect(result).toMatchObject({ status: 'SUCCEEDED', record: { outcome: 'COMMITTED', verified: true, agent: { ...REPORT, summary: SUMMARY.replace('\u001b[31m', '') } } });
  expect(made.loop.git('log', '-1', '--format=%B', 'workbench/task-1')).toMatch(/^Make it right\n\nThe agent says:\n> [^]*\n\nWorkbench-Task: task-1\nWorkbench-Run: [^\n]*\nWorkbench-Gate: [^\n]*\n\n$/);
  expect(made.loop.git('log', '-1', '--format=%B', 'workbench/task-1')).toContain(`\n${QUOTED}\n`);
  const { body } = made.state.pulls[0];
  expect(body).toContain(`### What the agent says\n\n\`\`\`\`text\n${QUOTED}\n\`\`\`\`\n\n### Gates`);
  const numbers = '`claude-code 2.1.197`: 12 model calls, 45,000 tokens, 0.31 USD as the program estimates.';
  expect(body).toContain(` ${numbers} Run `);
  expect(made.state.comments.map(({ body: text }) => text).join('\n')).toContain(`\n\n${numbers}\n\n`);
});

test('an end that is no work is said on the issue, with what it cost', async () => {
  const error = { name: AGENT_ERRORS.RATE_LIMITED, message: '429 @octocat' };
  const made = await start({
    repository: gitHubRepository,
    loop: { commit: Commit.pullRequest(), turn: reportingTurn(`${reporting({ ...REPORT, error })}; exit 1`) },
  });
  const result = await made.run({ issue: made.state.openIssue('It is wrong') });
  expect(result).toMatchObject({ status: 'FAILED', error: 'Agent.RateLimited', record: { gates: [], session: { stopped: true } } });
  const [comment] = made.state.comments.map(({ body }) => body);
  expect(comment).toMatch(/The run has failed after 1 turn: `Agent\.RateLimited`\.\n\n```text\n429 @octocat\nFAILED, exit code 1[^]*\n```\n\n`claude-code 2\.1\.197`: 12 model calls/);
  expect(made.state.pulls).toEqual([]);
});
