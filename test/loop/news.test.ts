import { newsOf } from '../../src/loop/steps/access';
import { NEXT, STEPS } from '../../src/loop/steps/constants';

/** Returns what there is to say about a step of a run. @param more the state of the loop */
function news(operation: string, more: object = {}, options: { readonly issue?: number; readonly result?: object } = { issue: 7 }) {
  const run = { id: 'run-1', taskId: 'SHOP-7', issue: options.issue, repository: { url: 'https://example.com/a.git' } };
  const loop = { next: NEXT.GO_ON, round: 1, ...more };
  const request = { operation, execution: 'arn:run', state: { run, loop } };
  return newsOf(request as unknown as Parameters<typeof newsOf>[0], options.result);
}

test.each<[string, object, object]>([
  [STEPS.CHECK_BASE, {}, { kind: 'CHECKING_BASE' }],
  [STEPS.TURN, {}, { kind: 'TURN', turn: 2 }],
  [STEPS.TURN, { feedback: { gate: 'lint', verdict: 'FAILED' } }, { kind: 'TURN', turn: 2, gate: 'lint', verdict: 'FAILED' }],
  [STEPS.VERIFY, {}, { kind: 'VERIFYING' }],
])('is told before %s', (operation, loop, progress) => {
  expect(news(operation, loop)).toEqual({ operation: 'forge:tell', run: 'run-1', url: 'https://example.com/a.git', issue: 7, taskId: 'SHOP-7', execution: 'arn:run', progress });
});

test('is the end of a run, after its last step', () => {
  const output = { outcome: 'COMMITTED', rounds: 2, verified: true, commit: { id: 'a' }, gates: [] };
  expect(news(STEPS.STOP, {}, { issue: 7, result: { output } })?.progress).toEqual({ kind: 'ENDED', outcome: 'COMMITTED', rounds: 2, verified: true, commit: { id: 'a' } });
});

test('is not told twice, for other steps, or without an issue', () => {
  expect(news(STEPS.TURN, { next: NEXT.RUNNING })).toBeUndefined();
  expect(news(STEPS.GATE)).toBeUndefined();
  expect(news(STEPS.TURN, {}, { issue: 7, result: { output: {} } })).toBeUndefined();
  expect(news(STEPS.TURN, {}, {})).toBeUndefined();
  expect(newsOf({ operation: STEPS.PREPARE } as unknown as Parameters<typeof newsOf>[0])).toBeUndefined();
});
