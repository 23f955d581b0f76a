import { commentOf } from '../../src/forge/publish/comment';
import type { Progress, TellRequest } from '../../src/loop/steps/access';

const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:Loop:run';
const comment = (progress: Progress) => commentOf({ taskId: 'SHOP-7', execution: EXECUTION, progress } as TellRequest).split('\n\n');

const ENDED = { kind: 'ENDED' as const, outcome: 'COMMITTED', rounds: 2, verified: true };
const COMMIT = { id: 'a'.repeat(40), branch: 'workbench/SHOP-7', pushed: true };

test.each<[Progress, string]>([
  [{ kind: 'CHECKING_BASE' }, 'The run has begun: the gates run on the base.'],
  [{ kind: 'TURN', turn: 1 }, 'Turn 1 of the agent is under way.'],
  [{ kind: 'TURN', turn: 2, gate: 'lint', verdict: 'FAILED' }, 'Turn 2 of the agent is under way, because the gate `lint` did not pass (FAILED).'],
  [{ kind: 'VERIFYING' }, 'All gates have passed. The change is verified in a clean checkout.'],
  [{ ...ENDED, commit: COMMIT }, 'The change is on the branch `workbench/SHOP-7`, after 2 turns. All gates have passed, also in a clean checkout.'],
  [{ ...ENDED, commit: COMMIT, verified: false, rounds: 1 }, 'The change is on the branch `workbench/SHOP-7`, after 1 turn. All gates have passed.'],
  [{ ...ENDED, commit: COMMIT, pullRequest: { number: 3, url: 'https://example.com/3' } }, 'The change is in [pull request 3](https://example.com/3), after 2 turns. All gates have passed, also in a clean checkout.'],
  [{ ...ENDED, outcome: 'NO_CHANGES' }, 'The run has ended after 2 turns: `NO_CHANGES`.'],
  [{ ...ENDED, error: { name: 'CodingLoop.Red', message: 'the gate did not pass' } }, 'The run has failed after 2 turns: `CodingLoop.Red`.'],
])('says how a run stands: %j', (progress, words) => {
  const [first, ...rest] = comment(progress);
  expect(first).toBe(words);
  expect(rest.at(-1)).toMatch(/^Task `SHOP-7`, \[execution\]\(https:\/\/eu-west-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-west-1#/);
});

test('has the beginning of a long error, and the numbers of the agent', () => {
  const [, error, agent] = comment({ ...ENDED, error: { name: 'Agent.Failed', message: 'x'.repeat(10_000) }, agent: { name: 'codex', turns: 1 } });
  expect(error.length).toBeLessThan(2_100);
  expect(agent).toContain('1 model call');
});
