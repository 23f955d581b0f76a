import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { messageOf } from '../../src/loop/steps/commit';
import { isAllowedRepository, isRef, isRepositoryUrl, patternFault } from '../../src/loop/steps/git-names';
import { branchOf } from '../../src/loop/steps/input';
import { LoopState, RunIdentity } from '../../src/loop/steps/state';

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
  test('is a name that git accepts', () => {
    fc.assert(fc.property(fc.oneof(TASK, fc.constantFrom('.', '..', '-', '.lock', 'a.lock', 'a.lock.', 'a..lock', '-.-', 'HEAD', '@', 'a.LOCK')), (task) => {
      const branch = branchOf('workbench/', task);
      return isRef(branch) && git('check-ref-format', '--branch', branch);
    }), { numRuns: 150 });
  });

  test('is the task itself if git accepts it', () => {
    for (const task of ['task-1', 'JIRA-123', 'a.b_c', 'x'.repeat(64)]) expect(branchOf('workbench/', task)).toBe(`workbench/${task}`);
  });

  test('is recognizable if git does not', () => {
    expect(branchOf('workbench/', '..a..b.lock')).toMatch(/^workbench\/a\.b-lock-[0-9a-f]{8}$/);
    expect(branchOf('workbench/', '...')).toMatch(/^workbench\/task-[0-9a-f]{8}$/);
  });

  test('is never the branch of another task', () => {
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
  test('is accepted only if git accepts it and it is not an option', () => {
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
    'https://example.com/a.git?token=x', 'https://example.com/a.git#x', 'https://good.example.com\\@evil.com/a', 'git://user@h/a', 'file://u:p@h/a', 'ssh://:p@h/a',
    'ssh://-oProxyCommand=id/a', '-oProxyCommand=id:a', 'git@-oProxyCommand=id:a', 'git@-o:a', 'ssh://git@-o/a', 'https://x\ny', `https://${'x'.repeat(2_000)}`, undefined,
  ])('may not be %j', (url) => {
    expect(isRepositoryUrl(url)).toBe(false);
  });
});

describe('a repository that an input names', () => {
  const allow = ['https://git.example.com/team/*', 'https://git.example.com:8443/a/*/lib-*.git', 'ssh://git@git.example.com/team/*', 'file:///srv/git/*'];

  test.each([
    'https://git.example.com/team/app.git', 'https://git.example.com/team/app', 'https://git.example.com:8443/a/b/lib-x.git', 'ssh://git@git.example.com/team/app.git',
    'file:///srv/git/a.git',
  ])('is allowed if a pattern matches it: %s', (url) => {
    expect(isAllowedRepository(url, allow)).toBe(true);
    expect(isRepositoryUrl(url)).toBe(true);
  });

  test.each([
    'https://evil.com/team/app.git', 'http://git.example.com/team/app.git', 'https://git.example.com.evil.com/team/app', 'https://evil.com/git.example.com/team/app',
    'https://git.example.com/team', 'https://git.example.com/team/', 'https://git.example.com/team/a/b', 'https://git.example.com//team/app', 'https://git.example.com/team//app',
    'https://git.example.com/other/app', 'https://git.example.com/team/../other/app', 'https://git.example.com/team/..', 'https://git.example.com/team/.', 'https://git.example.com/team/...',
    'https://git.example.com/team/%2e%2e', 'https://git.example.com/team/a%2fb', 'https://git.example.com/team/a?x', 'https://git.example.com/team/a#x', 'https://git.example.com/team/a\\b',
    'https://git.example.com:443/team/app', 'https://git.example.com:8444/a/b/lib-x.git', 'https://git.example.com./team/app', 'https://GIT.example.com/team/app', 'HTTPS://git.example.com/team/app',
    'https://user@git.example.com/team/app', 'https://:@git.example.com/team/app', 'https://git.example.com@evil.com/team/app', 'https://evil.com\\@git.example.com/team/app',
    'https://evil.com#@git.example.com/team/app', 'https://evil.com?@git.example.com/team/app', 'https://git.example.com\t/team/app', 'https://git.example.com/team/app\n', ' https://git.example.com/team/app',
    'https://gít.example.com/team/app', 'https://git。example.com/team/app', 'https://git.example.com/team/äpp', 'https://git.example.com/team/*', 'https://git.example.com/team/a@b',
    'ssh://git.example.com/team/app.git', 'ssh://root@git.example.com/team/app.git', 'ssh://git:x@git.example.com/team/app.git', 'git@git.example.com:team/app.git', 'ssh://-oProxyCommand=id/team/app',
    'file:///srv/git/../a', 'file:///srv/git', 'file:///etc/passwd', 'file://host/srv/git/a', '/srv/git/a.git', 'ext::sh -c id', 'codecommit://team', '-x', '', undefined, null, ['https://git.example.com/team/app'],
    `https://git.example.com/team/${'x'.repeat(2_000)}`,
  ])('is refused if no pattern matches it: %j', (url) => {
    expect(isAllowedRepository(url, allow)).toBe(false);
  });

  test('may be any plain https URL if the loop does not restrict it', () => {
    expect(['https://a.example/b', 'https://git.example.com:8443/a/b.git'].map((url) => isAllowedRepository(url, undefined))).toEqual([true, true]);
    const others = ['http://a.example/b', 'ssh://git@a.example/b', 'git://a.example/b', 'file:///a', 'git@a.example:b', 'codecommit::us-east-1://b', 'https://a.example/b?c', 'https://t@a.example/b'];
    expect(others.filter((url) => isAllowedRepository(url, undefined))).toEqual([]);
  });

  test('is never allowed if the loop\'s list is empty', () => {
    expect(isAllowedRepository('https://git.example.com/team/app', [])).toBe(false);
  });

  test('always has a host of the patterns, however it is composed', () => {
    const piece = fc.constantFrom('https://', 'git.example.com', 'evil.com', '/', 'team', 'app', '@', ':', '..', '.', '%2e', '\\', '#', '?', '443', 'ssh://', 'git', '*', '//', '\t');
    fc.assert(fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const url = pieces.join('');
      return !isAllowedRepository(url, allow) || ['git.example.com', ''].includes(new URL(url).hostname);
    }), { numRuns: 20_000 });
  });

  test.each([
    'https://*.example.com/team/*', 'https://*/a', 'https://git.example.com', 'https://git.example.com/', 'https://git.example.com/../a', 'https://u:p@git.example.com/a', 'https://git.example.com/a?b', '*', '',
    'git@git.example.com:a', 'https://Git.example.com/a', 'ssh://*@git.example.com/a',
  ])('cannot be allowed by a pattern such as %j', (pattern) => {
    expect(patternFault(pattern)).toMatch(/^"allow" must have https, .*, not ".*": write them like/);
    expect(isAllowedRepository(pattern.replaceAll('*', 'x'), [pattern])).toBe(false);
  });
});

describe('the message of a commit', () => {
  const run = { id: 'run-1', taskId: 'task-1' } as RunIdentity;
  const loop = { gates: [{ name: 'test', verdict: 'PASSED', exitCode: 0, seconds: 3, logPath: '' }] } as unknown as LoopState;
  const TRAILERS = 'Workbench-Task: task-1\nWorkbench-Run: run-1\nWorkbench-Gate: test PASSED in 3 s\n';

  test('has one line of the prompt and trailers that git parses, whatever the prompt contains', () => {
    fc.assert(fc.property(fc.string({ minLength: 1, unit: 'binary' }), (prompt) => {
      const message = messageOf('{prompt}', prompt, run, loop);
      const [subject, empty, ...rest] = message.split('\n');
      // eslint-disable-next-line no-control-regex -- what must not be there
      return subject !== '' && empty === '' && rest.join('\n') === TRAILERS && !/[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]/.test(message) && [...subject].length <= 72;
    }), { numRuns: 2_000 });
  });

  test('uses the template unchanged, and the prompt if there is no template', () => {
    expect(messageOf('{taskId} by {run}: {prompt}', '{run} $& $1', run, loop)).toBe(`task-1 by run-1: {run} $& $1\n\n${TRAILERS}`);
    expect(messageOf('{unknown}', 'a', run, loop)).toBe(`{unknown}\n\n${TRAILERS}`);
  });

  test('is the task\'s id if the prompt has no printable character', () => {
    expect(messageOf('{prompt}', '\u202e\u0007', run, loop)).toBe(`task-1\n\n${TRAILERS}`);
  });

  test('cuts between characters', () => {
    expect(messageOf('{prompt}', '\u{1F600}'.repeat(72), run, loop).split('\n')[0]).toBe('\u{1F600}'.repeat(72));
    expect(messageOf('{prompt}', '\u{1F600}'.repeat(73), run, loop).split('\n')[0]).toBe(`${'\u{1F600}'.repeat(71)}…`);
  });
});
