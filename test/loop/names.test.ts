import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { messageOf } from '../../src/loop/commit.client';
import { isRef, isRepositoryUrl } from '../../src/loop/git-names';
import { branchOf } from '../../src/loop/input.client';
import { LoopRecord, RunRecord } from '../../src/loop/records.client';

const TASK = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
const git = (...args: string[]) => {
  try {
    execFileSync('git', args, { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
};

describe('the branch of a task', () => {
  test('is a name that git takes', () => {
    fc.assert(fc.property(fc.oneof(TASK, fc.constantFrom('.', '..', '-', '.lock', 'a.lock', 'a.lock.', 'a..lock', '-.-', 'HEAD', '@', 'a.LOCK')), (task) => {
      const branch = branchOf('workbench/', task);
      return isRef(branch) && git('check-ref-format', '--branch', branch);
    }), { numRuns: 150 });
  });

  test('is the task itself where git takes that', () => {
    for (const task of ['task-1', 'JIRA-123', 'a.b_c', 'x'.repeat(64)]) expect(branchOf('workbench/', task)).toBe(`workbench/${task}`);
  });

  test('is recognizable where git does not', () => {
    expect(branchOf('workbench/', '..a..b.lock')).toMatch(/^workbench\/a\.b-lock-[0-9a-f]{8}$/);
    expect(branchOf('workbench/', '...')).toMatch(/^workbench\/task-[0-9a-f]{8}$/);
  });

  test('is never that of another task', () => {
    expect(branchOf('', 'x-a4209624')).not.toBe(branchOf('', '-x'));
    fc.assert(fc.property(TASK, (task) => {
      const other = branchOf('', task);
      return other === task || !/^[A-Za-z0-9._-]{1,64}$/.test(other) || branchOf('', other) !== other;
    }));
    const near = fc.stringMatching(/^[a.-]{1,5}(\.lock)?$/);
    fc.assert(fc.property(near, near, (one, other) => one === other || branchOf('', one) !== branchOf('', other)), { numRuns: 5_000 });
  });
});

describe('a ref', () => {
  test('that is taken is one that git takes, and no option', () => {
    const likely = fc.stringMatching(/^[a-c/.@{~^:?*\\ -]{1,8}(\.lock)?$/);
    fc.assert(fc.property(fc.oneof(likely, fc.string()), (ref) => !isRef(ref) || (!ref.startsWith('-') && git('check-ref-format', '--allow-onelevel', ref))), { numRuns: 400 });
  });

  test.each(['main', 'v1.0', 'feature/a-b_c', 'refs/heads/main', 'a@b', '0123456789012345678901234567890123456789', 'ü'])('may be %s', (ref) => {
    expect(isRef(ref)).toBe(true);
  });

  test.each([
    '', '-x', '.a', '/a', 'a/', 'a.', 'a..b', 'a b', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[', 'a\\b', 'a@{0}', '@', 'a//b', 'a/.b', 'a.lock', 'a.lock/b', '\x7f', 'x'.repeat(201),
    undefined, 1,
  ])('may not be %j', (ref) => {
    expect(isRef(ref)).toBe(false);
  });
});

describe('a URL', () => {
  test.each([
    'https://example.com/a.git', 'http://localhost:3000/a', 'ssh://git@example.com/a.git', 'git@example.com:org/a.git', 'git://example.com/a', 'file:///srv/a.git',
    'codecommit::eu-central-1://repo', 'codecommit://repo', 'codecommit::eu-central-1://profile@repo', 'https://example.com:8080/a@b',
  ])('may be %s', (url) => {
    expect(isRepositoryUrl(url)).toBe(true);
  });

  test.each([
    '', '-x', 'ext::sh -c id', 'fd::3', '/srv/a.git', 'https://', 'https://a b/', 'https://u:p@example.com/a', 'https://:p@example.com/a', 'https://user@example.com/a', 'http://token@localhost:3000/a', 'https://a?b@example.com/', 'ssh://u:p@h/a',
    'ssh://-oProxyCommand=id/a', '-oProxyCommand=id:a', 'git@-oProxyCommand=id:a', 'git@-o:a', 'ssh://git@-o/a', 'https://x\ny', `https://${'x'.repeat(2_000)}`, undefined,
  ])('may not be %j', (url) => {
    expect(isRepositoryUrl(url)).toBe(false);
  });
});

describe('the message of a commit', () => {
  const run = { id: 'run-1', taskId: 'task-1' } as RunRecord;
  const loop = { gates: [{ name: 'test', verdict: 'PASSED', exitCode: 0, seconds: 3, logPath: '' }] } as unknown as LoopRecord;
  const TRAILERS = 'Workbench-Task: task-1\nWorkbench-Run: run-1\nWorkbench-Gate: test PASSED in 3 s\n';

  test('has one line of the prompt and trailers that git reads, whatever the prompt holds', () => {
    fc.assert(fc.property(fc.string({ minLength: 1, unit: 'binary' }), (prompt) => {
      const message = messageOf('{prompt}', prompt, run, loop);
      const [subject, empty, ...rest] = message.split('\n');
      // eslint-disable-next-line no-control-regex -- what must not be there
      return subject !== '' && empty === '' && rest.join('\n') === TRAILERS && !/[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]/.test(message) && [...subject].length <= 72;
    }), { numRuns: 2_000 });
  });

  test('takes the template as it is, and the prompt for no template', () => {
    expect(messageOf('{taskId} by {run}: {prompt}', '{run} $& $1', run, loop)).toBe(`task-1 by run-1: {run} $& $1\n\n${TRAILERS}`);
    expect(messageOf('{unknown}', 'a', run, loop)).toBe(`{unknown}\n\n${TRAILERS}`);
  });

  test('is the task\'s id if the prompt has nothing to print', () => {
    expect(messageOf('{prompt}', '\u202e\u0007', run, loop)).toBe(`task-1\n\n${TRAILERS}`);
  });

  test('cuts between characters', () => {
    expect(messageOf('{prompt}', '\u{1F600}'.repeat(72), run, loop).split('\n')[0]).toBe('\u{1F600}'.repeat(72));
    expect(messageOf('{prompt}', '\u{1F600}'.repeat(73), run, loop).split('\n')[0]).toBe(`${'\u{1F600}'.repeat(71)}…`);
  });
});
