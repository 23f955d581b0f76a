import { ThisMachine } from '../../rehearsal/cli/this-machine';
import type { RehearsalRecord } from '../../rehearsal/run/record';
import { AGENT_ERRORS } from '../../src/agent/constants';
import { reportOf } from '../../src/journal/report/report';
import { Story } from '../../src/journal/story';
import { Terminal } from '../../src/journal/terminal';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';
import { reporting, reportingTurn } from '../support/reporting-turn';

jest.setTimeout(120_000);

let loop: RehearsedLoop;
let told: string;
beforeEach(() => {
  loop = new RehearsedLoop();
  told = '';
});
afterEach(() => loop.close());

const NUMBERS = 'claude-code 2.1.197: 12 model calls, 45,000 tokens, 0.31 USD as the program estimates';
const REPORT = {
  name: 'claude-code',
  version: '2.1.197',
  turns: 12,
  usage: { inputTokens: 40_000, outputTokens: 5_000 },
  costUsd: 0.31,
  summary: 'It was <b>41</b>.\n\u001b[31m</pre><script>alert(1)</script>\u202e',
};

async function rehearse(script: string): Promise<RehearsalRecord> {
  const story = new Story(new Terminal({ write: (text: string) => (told += text) } as unknown as NodeJS.WriteStream), new ThisMachine());
  const rehearsal = await loop.start(writes(), { assembly: loop.synth({ loop: { turn: reportingTurn(`cat >/dev/null; ${script}`) } }) });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0, listener: story });
  story.ended(record, '/report.html');
  return record;
}

test('a story and a report have the numbers of the agent and its summary, and not the line of its report', async () => {
  const record = await rehearse(`echo thinking; echo 42 > answer; ${reporting(REPORT)}`);
  expect([record.outcome, record.steps.find(({ kind }) => kind === 'turn')!.log]).toEqual(['COMMITTED', 'thinking']);
  expect(told).toContain(`\nagent ${NUMBERS}\n`);
  expect(told).toContain('\n    The agent says:\n    > It was <b>41</b>.\n    > </pre><script>alert(1)</script>\n');
  expect(told).not.toContain('workbench-agent-report');
  const report = reportOf(record);
  expect(report).toContain(`<h2>Agent</h2>\n<p>${NUMBERS}</p>\n<pre class="text">It was &lt;b&gt;41&lt;/b&gt;.\n&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;</pre>`);
  expect(report).not.toMatch(/<script|workbench-agent-report/);
});

test('a turn that was no work is told with its error and what to do, and has its numbers', async () => {
  const error = { name: AGENT_ERRORS.NOT_LOGGED_IN, message: 'Invalid API key' };
  const record = await rehearse(`echo starting; ${reporting({ ...REPORT, error })}; exit 1`);
  expect(record).toMatchObject({ outcome: 'Agent.NotLoggedIn', output: { gates: [] } });
  expect(told).toContain('\n          Agent.NotLoggedIn: Invalid API key\n');
  expect(told).toMatch(/\nAgent\.NotLoggedIn in turn 1, after [\d.]+ s\n {2}Invalid API key\n {2}FAILED, exit code 1; the whole output is in /);
  expect(told).toContain(`\nagent ${NUMBERS}\n    It was <b>41</b>.\n`);
  expect(reportOf(record)).toContain('<pre class="error">Agent.NotLoggedIn: Invalid API key\nFAILED');
  expect(reportOf(record)).toMatch(/<details open><summary>Ask the agent \(turn 1\)[^\n]*<pre class="error">Agent\.NotLoggedIn: Invalid API key\nstarting<\/pre>/);
});

test('a value of the environment that the agent says is not committed', async () => {
  const script = 'cat >/dev/null; echo 42 > answer; printf \'workbench-agent-report: {"name":"a","summary":"the word is %s"}\\n\' "$THE_WORD"';
  const rehearsal = await loop.start(writes(), { assembly: loop.synth({ loop: { turn: reportingTurn(script) } }), environment: { THE_WORD: 'swordfish-4711' } });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
  expect(record).toMatchObject({ outcome: 'CodingLoop.CommitFailed', withheld: ['THE_WORD'], output: { agent: { summary: 'the word is ***' } } });
  expect(record.error!.message).toContain('the commit would contain the value of THE_WORD in what the agent says,');
  expect(JSON.stringify(record)).not.toContain('swordfish-4711');
});
