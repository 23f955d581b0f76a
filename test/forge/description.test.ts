import { descriptionOf } from '../../src/forge/publish/description';

const RUN = { id: 'run-1', session: { id: 's'.repeat(33) }, branch: 'agent/a' };
const LOOP = { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: 'b', gates: [] };

const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1';

const descriptionWith = (execution: string, operate?: object) => descriptionOf({
  execution, config: { name: 'App/Loop', ...operate === undefined ? {} : { operate } }, state: { prompt: 'Fix it', run: RUN, loop: LOOP },
} as never, { seconds: 1 });

/** Returns the description of a run with other values than those of the shortest one. */
const described = ({ loop = {}, run = {}, prompt = 'Fix it', facts = {} }: { loop?: object; run?: object; prompt?: string; facts?: object } = {}) => descriptionOf({
  execution: EXECUTION, config: { name: 'App/Loop' }, state: { prompt, run: { ...RUN, ...run }, loop: { ...LOOP, ...loop } },
} as never, { seconds: 1, ...facts });

const list = (...names: string[]) => ({ names, count: names.length });
const gate = (name: string, more: object = {}) => ({ name, verdict: 'PASSED', exitCode: 0, seconds: 3, logPath: '/log', ...more });

test('the description of a pull request links to the report of the run in the bucket of the loop', () => {
  const artifacts = { bucket: 'reports', prefix: 'team (a)/' };
  const text = descriptionWith('arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1', { artifacts });
  const [, url] = /\[report\]\(([^)]*)\)/.exec(text)!;
  const { hostname, pathname, searchParams } = new URL(url);
  expect([hostname, pathname]).toEqual(['eu-west-1.console.aws.amazon.com', '/s3/object/reports']);
  expect([...searchParams]).toEqual([['region', 'eu-west-1'], ['prefix', 'team (a)/fix-1/report.html']]);
});

test.each([
  ['aws-cn', 'cn-north-1', 'console.amazonaws.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'console.amazonaws-us-gov.com'],
])('the links are to the console of the partition %s', (partition, region, host) => {
  const text = descriptionWith(`arn:${partition}:states:${region}:123456789012:execution:Runs:fix-1`, { artifacts: { bucket: 'reports', prefix: '' } });
  expect(text).toContain(`[execution](https://${host}/states/home?region=${region}#`);
  expect(text).toContain(`[report](https://${host}/s3/object/reports?region=${region}&prefix=fix-1%2Freport.html)`);
});

test.each([undefined, {}, { events: 'default' }])('a loop without artifacts has no report to link to (%j)', (operate) => {
  expect(descriptionWith('arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1', operate)).not.toContain('report');
});

test('the description says in words what is not in the commit', () => {
  const text = described({
    loop: {
      findings: { ignored: list('dist/a.js'), empty: list('empty'), links: list('out'), putAway: list('stash@{0}') },
      leftOut: list('.tool'),
      putBack: list('package-lock.json'),
    },
  });
  expect(text.split('### Not in the commit\n\n')[1].split('\n\n')[0].split('\n')).toEqual([
    '- new files that git ignores: `dist/a.js`',
    '- empty directories: `empty`',
    '- symbolic links that point out of the clone: `out`',
    '- stashed, or committed elsewhere than on the branch: `stash@{0}`',
    '- files of tools and linked worktrees: `.tool`',
    '- changed by the bootstrap, and restored: `package-lock.json`',
  ]);
  expect(described({ loop: { findings: { ignored: list() } } })).not.toContain('Not in the commit');
});

test('the gates of a verified change have the verdicts of both sessions, and the tests of the clean checkout', () => {
  const tests = { ran: 1, failed: 0, skipped: 2, ranBefore: 4 };
  const text = described({
    loop: {
      gates: [gate('lint', { knownFailure: true, verdict: 'FAILED' }), gate('test', { greenBefore: true })],
      tree: 't',
      verification: { passed: { tree: 't', base: 'b' }, gates: [gate('test', { seconds: 5, tests })] },
    },
  });
  expect(text).toContain('| `lint` | FAILED in 3 s, fails as on the base |  |  |');
  expect(text).toContain('| `test` | PASSED in 3 s, passed before the change, too | PASSED in 5 s | 1 test, 4 on the base, 0 failed, 2 skipped |');
  expect(text).not.toContain('was not verified');
  expect(described({ loop: { gates: [gate('test', { tests: { ...tests, ranBefore: 1 } })] } })).toContain('| `test` | PASSED in 3 s | 1 test, 0 failed, 2 skipped |');
});

test('long prompts and lists are shortened, and an issue is linked', () => {
  const text = described({
    prompt: 'x'.repeat(5_000), run: { issue: 7 }, loop: { round: 1, judgingFiles: { names: ['a', 'b'], count: 12 } }, facts: { seconds: 600, changed: list('src/a.ts') },
  });
  expect(text).toContain(`${'x'.repeat(4_000)}…`);
  expect(text).not.toContain('x'.repeat(4_001));
  expect(text).toContain('review these first\n\n- `a`\n- `b`\n- and 10 more');
  expect(text).toContain('### Changed files\n\n- `src/a.ts`');
  expect(text).toContain('2 turns, 10 minutes.');
  expect(text).toContain('For #7.');
  expect(described()).toContain('1 turn, 1 second.');
});
