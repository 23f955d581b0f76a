import type { Feedback } from '../../src/loop/steps/records';
import { repairPrompt } from '../../src/loop/steps/repair-prompt';

const FEEDBACK: Feedback = {
  gate: 'test', command: 'npm test\nnpm run lint', verdict: 'FAILED', exitCode: 1, output: 'not ok 1', logPath: '/mnt/workspace/log', repair: 1, maxRepairs: 3,
};
const list = (...names: string[]) => ({ names, count: names.length });
const linesOf = (more: Partial<Feedback> = {}) => repairPrompt('Fix it.', { ...FEEDBACK, ...more }).split('\n');

test('has the task, the check, its verdict, its command and the end of its output', () => {
  expect(linesOf()).toEqual([
    'Fix it.', '', '---',
    'Your change is not accepted yet: the check "test" failed with exit code 1. This is repair 1 of 3.',
    'The check runs: npm test', '  npm run lint',
    'The end of its output (all of it is in /mnt/workspace/log):', '', 'not ok 1', '---',
    'Fix the cause. Do not weaken or remove the check.',
  ]);
});

test.each<[Partial<Feedback>, string]>([
  [{ verdict: 'TIMED_OUT', exitCode: null }, 'Your change is not accepted yet: the check "test" did not end within its time limit and was stopped. This is repair 1 of 3.'],
  [{ verdict: 'INERT' }, 'Your change is not accepted yet: the check "test" ended with INERT. This is repair 1 of 3.'],
  [{ unchanged: true }, 'You have not changed anything that can be committed: the check "test" failed with exit code 1. This is repair 1 of 3.'],
  [{ reason: 'the report is missing' }, 'The reason: the report is missing.'],
  [{ changedFiles: ['a.snap'] }, '  a.snap'],
  [{ findings: { ignored: list('dist') } }, 'Ignored by .gitignore, so not in the commit, and not present while the check ran: dist'],
  [{ findings: { empty: list('logs') } }, 'Directories without a file, which git cannot hold and which were removed: logs'],
  [{ findings: { putAway: list('stash@{0}') } }, 'Stashed, or committed elsewhere than on the current branch, so not in the files while the check ran: stash@{0}'],
  [{ cleanCheckout: true, onlyInWorkspace: { packages: list('left-pad') } }, '  packages that the bootstrap does not install: left-pad'],
  [{ cleanCheckout: true }, 'Make the committed files sufficient: declare each dependency, and commit each file that is needed. Do not weaken or remove the check.'],
  [{ logPath: '', output: 'a link' }, 'Your change is not accepted yet: part of it cannot be committed. This is repair 1 of 3.'],
  [{ logPath: '', protectedFiles: ['ci.yml'] }, 'Your change is not accepted yet: it changes protected files. This is repair 1 of 3.'],
])('says what is wrong: %j', (more, line) => {
  expect(linesOf(more)).toContain(line);
});

test.each<[Feedback['tests'], readonly string[], readonly string[]]>([
  [{ ran: 3, failed: 2, skipped: 0 }, ['one', 'two'], ['Failing tests (2 of 3):', '  one', '  two']],
  [{ ran: 3, failed: 2, skipped: 0 }, ['one'], ['Failing tests (2 of 3):', '  one', '  (and 1 more)']],
  [{ ran: 3, failed: 2, skipped: 0, knownFailures: 1 }, ['one', 'two'], ['Failing tests (2 of 3, 1 of which also fails without your change and comes last):']],
  [{ ran: 3, failed: 3, skipped: 0, knownFailures: 2 }, ['one'], ['Failing tests (3 of 3, 2 of which also fail without your change and come last):']],
  [{ ran: 1, failed: 0, skipped: 0, ranBefore: 3 }, [], ['1 test ran, and 3 ran without your change: do not remove or skip tests.']],
  [{ ran: 2, failed: 0, skipped: 0, ranBefore: 3 }, [], ['2 tests ran, and 3 ran without your change: do not remove or skip tests.']],
])('names failing tests, and counts the others: %j', (tests, failingTests, lines) => {
  expect(linesOf({ tests, failingTests })).toEqual(expect.arrayContaining([...lines]));
});
