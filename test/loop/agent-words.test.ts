import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { agentLine, descriptionOf } from '../../src/forge/publish/description';
import { cleaned } from '../../src/loop/steps/agent-report';
import { agentInWords, inert, quoted } from '../../src/loop/steps/agent-words';
import { messageOf } from '../../src/loop/steps/commit';

jest.setTimeout(120_000);

/** Texts that do something where an agent's summary stands: at GitHub, at GitLab, in CI services, in tools for releases, in git, in a terminal. */
const ATTACKS = [
  'Closes #1', 'fixes: octo/shop#1', 'Resolves GH-1', 'Implements SHOP-1', 'Closes https://github.com/octo/shop/issues/1', 'closes !1 &2 $3 %4 ~"bug"',
  '@octocat @octo/team', 'ping @all', 'Co-authored-by: Eve <eve@example.com>', 'Signed-off-by: Eve <eve@example.com>', 'Workbench-Run: other', 'Workbench-Task: x',
  'Workbench-Gate: test PASSED in 1 s', 'Change-Id: I0123', '[skip ci]', '[ci skip] ***NO_CI***', 'skip-checks: true', 'BREAKING CHANGE: all of it', '+semver: major', '#major',
  'BEGIN_COMMIT_OVERRIDE\nfeat: x\nEND_COMMIT_OVERRIDE', 'Release-As: 9.0.0', '---', '---\ndiff --git a/x b/x', '-- >8 --', '# ------------------------ >8 ------------------------', '# comment',
  '```', '````\n</details><img src=https://evil.example/x.png>', '~~~', '<!-- x -->', '<script>alert(1)</script>', '![x](https://evil.example/x.png)', '[x](javascript:x)', '| a | b |', '\u001b[2J\u001b]0;x\u0007',
  '\u202egnp.exe', '\r\rCo-authored-by: Eve <eve@example.com>', '\u2028Closes #1', '\u0000', '\ud800', '/approve\n/merge', '/label ~"x"', 'bors r+', 'x'.repeat(10_000), '> quoted', '    code', 'Closes\u200b #1', 'Closes #\u00adx1', '@\u200boctocat',
];
/** Attacks, pieces of attacks and any text, in any order and with anything between them. */
const TEXT = fc.array(
  fc.oneof(
    fc.constantFrom(...ATTACKS),
    fc.constantFrom(...ATTACKS).chain((text) => fc.nat(text.length).map((at) => text.slice(at))),
    fc.constantFrom(' ', '\n', '\n\n', '\r', '\t', '#', '@', '[', '`', '-', ':', '//', '8', '>', '<', '\u200d'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  ), { maxLength: 12 },
).chain((parts) => fc.constantFrom('', ' ', '\n').map((between) => parts.join(between)));

/** What must not be in a text, wherever it is copied to. */
const ACTIVE: readonly RegExp[] = [
  /@[^\s…]/, /#\w/, /!\d/, /&\d/, /\bGH-\d/i, /\b[A-Z][A-Z0-9_]+-\d/, /:\/\//, /\[/, /\]/, /\*\*\*/, /\+semver/i, /(?:BEGIN|END)_COMMIT/, />8|8<|>%|%</,
  /(?!\n)\p{Cc}/u, /[\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\u00ad\ufeff]/, /\p{Cs}/u,
];

const RUN = { id: 'run-1-0123abcd', taskId: 'task-1', session: { id: 's'.repeat(40) }, mount: '/m', clone: '/m/repo', branch: 'b', startedAt: 1 };
const GATE = { name: 'test', verdict: 'PASSED', exitCode: 0, seconds: 1, logPath: '/l' };
const loopWith = (summary: string) => ({ next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: 'a', gates: [GATE], agent: { name: 'claude-code', summary } });
const messageWith = (summary: string) => messageOf('{prompt}', 'Make it right', RUN as never, loopWith(summary) as never);
const TRAILERS = ['Workbench-Task: task-1', 'Workbench-Run: run-1-0123abcd', 'Workbench-Gate: test PASSED in 1 s'];

describe('the quotation of an agent\'s text', () => {
  test('has nothing in it that acts, in lines of at most 72 characters that are marked', () => {
    fc.assert(fc.property(TEXT, fc.integer({ min: 1, max: 2_000 }), (text, length) => {
      const lines = quoted(cleaned(text, 2_000), length).split('\n');
      for (const line of lines) {
        expect(line).toMatch(/^>(?: \S.*)?$/);
        expect(line.length).toBeLessThanOrEqual(72);
        for (const pattern of ACTIVE) expect(line.slice(2)).not.toMatch(pattern);
      }
      expect(lines.map((line) => line.slice(2)).join('').length).toBeLessThanOrEqual(length);
    }), { numRuns: 2_000 });
  });

  test('is the same each time, also of a text that is inert already', () => {
    fc.assert(fc.property(TEXT, (text) => {
      const once = inert(cleaned(text, 2_000));
      expect(inert(once)).toBe(once);
      expect(cleaned(cleaned(text, 2_000), 2_000)).toBe(cleaned(text, 2_000));
    }), { numRuns: 2_000 });
  });

  test('leaves plain words as they are', () => {
    const text = 'Changed `prices.mjs`: a sum of 10_000 or more gets 10% off (see README.md).\n\n- `npm test` passes\n- 3 files < 100 lines, a C# example';
    expect(quoted(text, 1_000)).toBe(`> ${text.replace('(see README', '(see\nREADME').replaceAll('\n', '\n> ')}`.replaceAll('> \n', '>\n'));
  });

  test('ends within a bound, and not in half of a character', () => {
    expect(quoted('\u{1F600}'.repeat(10), 6)).toBe('> \u{1F600}\u{1F600}…');
    expect(quoted('x'.repeat(10_000), 1_000).split('\n')).toHaveLength(15);
  });
});

describe('a commit', () => {
  let directory: string;
  const git = (args: readonly string[], input = '') => execFileSync('git', args, { cwd: directory, encoding: 'utf8', input, env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' } });
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'words-'));
    git(['init', '--quiet', '--initial-branch', 'main']);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(['\u{10FFFE}', '\uFFFF', '\uFDD0', '\u{1FFFF} and more'])('has no character that git takes for another encoding: %j', (text) => {
    const message = messageWith(text);
    const id = git(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', git(['mktree']).trim()], message).trim();
    expect(git(['log', '-1', '--format=%B', id]).trimEnd()).toBe(message.trimEnd());
    expect(git(['stripspace', '--strip-comments'], message)).toBe(message);
  });

  test('has the trailers of the loop and no others, whatever the agent says', () => {
    const tree = git(['mktree']).trim();
    fc.assert(fc.property(fc.constantFrom(...ATTACKS), TEXT, (attack, text) => {
      const message = messageWith(cleaned([attack, text, attack].join('\n'), 2_000));
      const id = git(['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', tree], message).trim();
      expect(git(['log', '-1', '--format=%(trailers:unfold)', id]).trim().split('\n')).toEqual(TRAILERS);
      expect(git(['interpret-trailers', '--parse', '--unfold'], message).trim().split('\n')).toEqual(TRAILERS);
      // Nothing is taken for a comment or below a line of scissors, in an editor or in a mail.
      expect(git(['stripspace', '--strip-comments'], message)).toBe(message);
      expect(git(['log', '-1', '--format=%B', id]).trimEnd()).toBe(message.trimEnd());
      const mail = git(['format-patch', '-1', '--stdout', '--always', id]);
      expect(git(['mailinfo', '--scissors', '/dev/null', '/dev/null'], mail)).toContain('Subject: Make it right');
      expect(message.length).toBeLessThan(1_700);
    }), { numRuns: 60 });
  });

  test('has no paragraph of the agent if there is no summary', () => {
    const { agent: _, ...loop } = loopWith('');
    expect(messageOf('{prompt}', 'Make it right', RUN as never, loop as never)).toBe(`Make it right\n\n${TRAILERS.join('\n')}\n`);
  });

  test('quotes the agent between its subject and its trailers', () => {
    expect(messageWith('Done.\n\nCo-authored-by: Eve <eve@example.com>')).toBe(
      `Make it right\n\nThe agent says:\n> Done.\n>\n> Co-authored-by: Eve <eve@ example.com>\n\n${TRAILERS.join('\n')}\n`);
  });
});

describe('the description of a pull request', () => {
  const descriptionWith = (summary: string) => descriptionOf({
    execution: 'arn:aws:states:us-east-1:1:execution:m:e', config: { name: 'loop' }, state: { prompt: 'Make it right', run: RUN, loop: loopWith(summary) },
  } as never, { seconds: 1 });

  test('has the text of the agent in one block of code, and nothing of it outside', () => {
    const expected = descriptionWith('Done.').split('> Done.');
    expect(expected[0]).toMatch(/\n\n### What the agent says\n\n```text\n$/);
    expect(expected[1]).toMatch(/^\n```\n\n### Gates\n/);
    fc.assert(fc.property(TEXT, (text) => {
      const summary = cleaned(`x ${text}`, 2_000);
      const block = quoted(summary, 2_000);
      // A line that begins with ">" cannot end the block, whose fence has as many marks as it needs.
      const fence = '`'.repeat(Math.max(3, ...[...block.matchAll(/`+/g)].map(([marks]) => marks.length + 1)));
      expect(descriptionWith(summary)).toBe(expected.join(block).replace('```text\n>', `${fence}text\n>`).replace(`${block}\n\`\`\``, () => `${block}\n${fence}`));
    }), { numRuns: 500 });
  });

  test('names the agent as code', () => {
    expect(agentLine({ name: '`x` @octocat', version: 'Closes #1', turns: 1 })).toBe('`` `x` @ octocat Closes # 1 ``: 1 model call');
    expect(agentLine({})).toBe('`the agent`');
  });
});

test('the numbers of an agent are one line', () => {
  const usage = { inputTokens: 40_000, outputTokens: 5_000 };
  expect(agentInWords({ name: 'claude-code', version: '2.1.197', turns: 12, usage, costUsd: 0.31 }))
    .toBe('claude-code 2.1.197: 12 model calls, 45,000 tokens, 0.31 USD as the program estimates');
  expect(agentInWords({ name: 'a\nb', turns: 1, usage: { ...usage, cacheReadTokens: 1_000_000, cacheWriteTokens: 5 }, costUsd: 0.0012, unreported: { turns: 2, reason: 'the turn was lost' } }))
    .toBe('a b: 1 model call, 1,045,005 tokens (1,000,000 of them from the cache), 0.0012 USD as the program estimates, without 2 turns of the loop (the turn was lost)');
  expect(agentInWords({ unreported: { turns: 1, reason: 'the turn has no report' } })).toBe('the agent: without 1 turn of the loop (the turn has no report)');
});
