import { reportOf } from '../../../src/journal/report/report';
import { hostileRun } from '../../support/hostile-run';

const TOKEN = `ghp_${'aB3xK9qLmZ7tR2wY5vN8cD4fG6hJ1kP0aB3x'}`;

function reportWith(patch: string): string {
  const run = hostileRun();
  return reportOf({ ...run, commit: { ...run.commit!, patch } });
}

test('the changes in a report have no text that looks like a secret, also where they are cut', () => {
  expect(reportWith(`+token = ${TOKEN}\n`)).toContain('+token = ***');
  for (const before of [65_530, 65_500]) expect(reportWith(`${'x'.repeat(before)} ${TOKEN}\n`)).not.toContain('ghp_');
});

test('the changes in a report are cut, and it says so', () => {
  const cut = 'The rest of the changes is not shown.';
  expect(reportWith('y'.repeat(65_536))).not.toContain(cut);
  const report = reportWith(`${'y'.repeat(65_536)}z`);
  expect([report.includes(cut), report.includes('yz')]).toEqual([true, false]);
});
