import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

jest.setTimeout(180_000);

test('the README\'s first command tells how a loop came to its commit', () => {
  const state = mkdtempSync(join(tmpdir(), 'newcomer-'));
  try {
    const story = execFileSync('npm', ['run', '--silent', 'rehearse', '--', '--state', state], { cwd: resolve(__dirname, '../..'), encoding: 'utf8' });

    const outline = [
      'FirstLoop/Fix rehearses', 'Prepare the run', 'Ask the agent (turn 1)', 'the first item was skipped', 'Run gate: syntax', 'PASSED',
      'Run gate: test', 'FAILED, exit code 1', '✖ a tenth is off at exactly 100 euros', '10000 !== 9000', 'repair 1 of 2',
      'Ask the agent (turn 2)', '100 euros are enough', 'Commit and push', 'Stop the session', 'COMMITTED after 2 turns',
      'on workbench/issue-7', 'Workbench-Gate: test PASSED', 'prices.mjs | 4 ++--', 'git fetch', 'report.html',
    ];
    const places = outline.reduce<number[]>((found, part) => [...found, story.indexOf(part, found[found.length - 1] ?? 0)], []);
    expect(outline.filter((_, index) => places[index] < 0)).toEqual([]);
    const [, directory, branch] = /git fetch (\S+) (\S+)/.exec(story)!;
    expect(execFileSync('git', ['--git-dir', directory, 'show', `${branch}:prices.mjs`], { encoding: 'utf8' })).toContain('sum >= 10_000');
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});
