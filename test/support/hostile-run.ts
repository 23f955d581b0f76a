import type { RunDescription } from '../../src/journal/run-description';
import type { Step } from '../../src/journal/step';

/** Markup that would run a script, fetch something, or end the element that it stands in, if a page did not escape it. */
const MARKUP = [
  '<script>document.title = "owned"; fetch("https://example.invalid/")</script>',
  '<img src="https://example.invalid/a.png" onerror="document.title = \'owned\'">',
  '"><svg onload="document.title = \'owned\'">', '\' onmouseover=\'document.title = "owned"',
  '</pre></td></table></details></section></style></title><h1>COMMITTED</h1>', '<meta http-equiv="refresh" content="0; url=https://example.invalid/">',
  '<iframe srcdoc="<script>top.document.title = \'owned\'</script>"></iframe>', '<!--', ']]>', '&lt;b&gt;', '<base href="https://example.invalid/">',
].join(' ');

/** Text from right to left, in Chinese, Japanese and Korean, with combining characters, and with characters that change the direction of text. */
const WORLD = 'مرحبا بالعالم שלום עולם 你好，世界 '
  + 'こんにちは 안녕하세요 e\u0301\u0301\u0301 \u202e reversed \u2066 isolated \u{1F469}\u200d\u{1F4BB}';

/** Text without a place to break a line. */
const LONG = 'x'.repeat(400);

const CONTROLS = '\u001b[31mred\u001b[0m \u001b]8;;https://example.invalid/\u0007link\u001b]8;;\u0007 \u0000 \ud800 \u0007';

/** What each field holds. */
export const HOSTILE = `${MARKUP} ${WORLD} ${LONG} ${CONTROLS}`;

const ROUNDS = 20;
const GATES = ['Gate lint', 'Gate test', `Gate ${'w'.repeat(40)}`];

function stepsOf(text: string): Step[] {
  const output = Array.from({ length: 2_000 }, (_, line) => `${line}: ${text}`.slice(0, 200)).join('\n');
  const steps: Omit<Step, 'begin'>[] = [
    { state: 'Prepare', kind: 'prepare', round: 0, duration: 900, retries: 0, notes: [text] },
    { state: 'Bootstrap', kind: 'bootstrap', round: 0, duration: 1_200, retries: 0, output: text },
  ];
  for (let round = 0; round < ROUNDS; round++) {
    steps.push({ state: 'Turn', kind: 'turn', round, duration: 60_000 * (round + 1), retries: 1, log: output });
    GATES.forEach((state, index) => steps.push({
      state,
      kind: 'gate',
      round,
      duration: 100,
      retries: 0,
      verdict: index === 2 ? 'FAILED' : 'PASSED',
      exitCode: index === 2 ? 1 : 0,
      output,
      ...(index === 2 ? { failingTests: [text, text], changedFiles: [text] } : {}),
      notes: [text],
    }));
  }
  steps.push({ state: 'Verify', kind: 'verify', round: ROUNDS - 1, duration: 5_000, retries: 0, verdict: text, output: text });
  steps.push({ state: 'Commit', kind: 'commit', round: ROUNDS - 1, duration: 5, retries: 0, error: { name: text, message: text } });
  let begin = 0;
  return steps.map((step) => ({ ...step, begin: (begin += step.duration) - step.duration }));
}

/**
 * Returns a run of 20 rounds with gates of many kilobytes of output.
 *
 * @param text the text of each field; by default, markup and text of all kinds
 */
export function hostileRun(text = HOSTILE): RunDescription {
  const steps = stepsOf(text);
  const names = [...new Set(steps.map(({ state }) => state)), text];
  return {
    id: text,
    loop: text,
    outcome: text,
    error: { name: text, message: text },
    agentStart: { reason: text, command: text, startedIn: text },
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 12_345,
    input: { prompt: text, taskId: text },
    output: {
      outcome: text,
      taskId: text,
      rounds: ROUNDS,
      agent: {
        name: text,
        version: text,
        turns: 3,
        usage: { inputTokens: 1, outputTokens: 2 },
        costUsd: 1,
        summary: text,
        unreported: { turns: 1, reason: text },
      },
      gates: [{ name: text, verdict: 'FAILED', exitCode: 1, seconds: 1, logPath: text }],
      verified: false,
      findings: { putAway: { names: [text], count: 3 } },
      session: { id: text, stopped: false, error: text },
    } as unknown as RunDescription['output'],
    steps,
    path: steps.map(({ state }) => state),
    transitions: 123,
    definition: {
      StartAt: names[0],
      States: Object.fromEntries(names.map((name, index) => [name, {
        Type: 'Task', ...(index === names.length - 1 ? { End: true } : { Next: names[index + 1] }), Catch: [{ ErrorEquals: ['States.ALL'], Next: text }],
      }])),
    },
    repository: { source: text, branch: text, commit: text, copy: text, uncommittedFiles: 2, uncommittedNames: [text] },
    commit: {
      id: text, branch: text, tree: text, message: text, stat: text, patch: `+${text}\n-${text}\n ${text}`, commits: [{ id: text, subject: text }, { id: text, subject: text }],
    },
    forge: {
      repository: text,
      pullRequest: {
        number: 1,
        url: text,
        title: text,
        body: text,
        head: text,
        base: text,
        draft: true,
        labels: [text],
        reviewers: [text],
        teams: [text],
        autoMerge: text,
      },
      checks: [{ name: text, conclusion: text, title: text, summary: text }, { name: text, conclusion: 'success', title: text }],
      comments: [{ issue: 1, body: text }],
      requests: [{ name: text, login: text, status: 200, faults: [text] }],
    },
    session: { id: text, runtimeArn: text, endpointName: text, mount: text, workspace: text },
    calls: [{ operation: text, milliseconds: 1, outcome: text }],
    rollouts: [{ logicalId: text, endpointName: text, version: text, smokeTests: [text], skipped: [text], tested: true, seconds: 1 }],
    faults: [text],
    warnings: [text],
    missingPermissions: [{ role: text, action: text, resource: text, statement: text }],
    withheld: [text],
    sessionSeconds: 12_345,
  };
}
