import { Lazy } from 'aws-cdk-lib';
import { Gate, ProtectedPaths, ProtectedPathsAction } from '../../src';
import { loopInstructions } from '../../src/loop/loop-instructions';

const token = Lazy.string({ produce: () => 'later' });
const gates = [Gate.command('lint', 'npm run lint'), Gate.command('unit tests', 'npm ci\nnpm test', { workingDirectory: 'app' })];

test('an agent is told which checks judge its change', () => {
  expect(loopInstructions({ gates })).toContain('Run them before you end:\n- lint: npm run lint\n- unit tests (in app): npm ci; npm test');
});

test('an agent is told to leave commits to the loop', () => {
  expect(loopInstructions({ gates })).toContain('Do not commit, push, or create branches.');
});

test('an agent is told how its clone was prepared', () => {
  expect(loopInstructions({ gates, bootstrap: ['npm ci'] })).toContain('The clone has been prepared by:\n- npm ci');
  expect(loopInstructions({ gates })).not.toContain('prepared by');
});

test.each([ProtectedPathsAction.REPAIR, ProtectedPathsAction.RESTORE, ProtectedPathsAction.FAIL])('an agent is told which files it must not change (%s)', (onChange) => {
  expect(loopInstructions({ gates, protectedPaths: ProtectedPaths.of(['test/**', 'package.json'], { onChange }) }))
    .toContain('Do not change, add or remove these files, which judge your change (pathspecs of git):\n- test/**\n- package.json');
});

test('an agent is told which of its changes people review', () => {
  const protectedPaths = ProtectedPaths.of(['test/**'], { onChange: ProtectedPathsAction.REVIEW });
  expect(loopInstructions({ gates, protectedPaths })).toContain('Change them only if the task asks for it, since people review such changes (pathspecs of git):\n- test/**');
});

test('a command that is known at deployment only is not shown', () => {
  const text = loopInstructions({ gates: [Gate.command('lint', token, { workingDirectory: token })], bootstrap: [`x ${token}`] });
  expect(text).toContain('- lint: (set at deployment)');
  expect(text).not.toContain('Token[');
});

test('a long command is cut', () => {
  expect(loopInstructions({ gates: [Gate.command('long', 'x'.repeat(301))] })).toContain(`- long: ${'x'.repeat(300)}…`);
  expect(loopInstructions({ gates: [Gate.command('long', 'x'.repeat(300))] })).not.toContain('…');
});

test('the instructions are bounded, and the longest part is shortened first', () => {
  const many = Array.from({ length: 20 }, (_, index) => Gate.command(`gate ${index}`, 'x'.repeat(5_000)));
  const text = loopInstructions({ gates: many, bootstrap: ['y'.repeat(400)], protectedPaths: ProtectedPaths.of(['test/**']) });
  expect(text.length).toBeLessThanOrEqual(4_000);
  expect(text.length).toBeGreaterThan(3_900);
  expect(text).toContain('- test/**');
  expect(text).toContain('Do not commit');
  expect(text).toContain(`- ${'y'.repeat(300)}…`);
});
