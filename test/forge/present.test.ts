/** The words and the parts of what a forge is asked to show. The other tests of this directory ask emulated forges. */
import { present } from '../../src/forge/publish/present';

const RUN = { id: 'run-1', taskId: 'T-1', session: { id: 's'.repeat(33) }, branch: 'agent/a', startedAt: 0, repository: { url: 'https://example.com/a.git' } };
const gate = (name: string, more: object = {}) => ({ name, verdict: 'PASSED', exitCode: 0, seconds: 3, logPath: '/log', ...more });
const LOOP = { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: 'b', commit: 'c0', gates: [gate('test')] };

type Call = Record<string, unknown>;

/** Presents a commit, and returns what the client was asked, and the result. */
async function presented({ loop = {}, proposal, prompt = 'Fix it', warnings, fails = false }: {
  loop?: object; proposal?: object; prompt?: string; warnings?: string[]; fails?: boolean;
}) {
  const pullRequests: Call[] = [];
  const statuses: Call[] = [];
  const client = {
    pullRequest: async (request: Call) => {
      pullRequests.push(request);
      return { number: 7, url: 'https://example.com/pull/7', warnings };
    },
    report: async (_: string, all: Call[]) => {
      if (fails) throw new Error('no permission for checks');
      statuses.push(...all);
    },
  };
  const request = { execution: 'arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1', config: { name: 'App/Loop', verification: {} }, state: { prompt, run: RUN, loop: { ...LOOP, ...loop } } };
  // There is no session that has the outputs of gates: they are left out.
  const result = await present(request as never, proposal as never, client as never, { clock: { now: () => 60_000 } } as never);
  return { pullRequests, statuses, result };
}

test('a commit without a proposal has the results of its gates alone', async () => {
  const { pullRequests, statuses, result } = await presented({ loop: { gates: [gate('lint', { knownFailure: true, verdict: 'FAILED' }), gate('test', { tests: { ran: 2, failed: 0, skipped: 0 } })] } });
  expect([pullRequests, result]).toEqual([[], {}]);
  expect(statuses).toEqual([
    { name: 'lint', conclusion: 'neutral', title: 'FAILED in 3 s, fails as on the base', summary: '`lint`: FAILED in 3 s, fails as on the base, in the session of the agent.' },
    { name: 'test', conclusion: 'success', title: 'PASSED in 3 s, 2 tests, 0 failed, 0 skipped', summary: '`test`: PASSED in 3 s, in the session of the agent.' },
  ]);
});

test('a verified commit has the results of the clean checkout', async () => {
  const { statuses } = await presented({ loop: { tree: 't', verification: { attempt: 1, passed: { tree: 't', base: 'b' }, isOver: true, gates: [gate('test', { seconds: 9 })] } } });
  expect(statuses).toMatchObject([{ name: 'test', title: 'PASSED in 9 s', summary: '`test`: PASSED in 9 s, in a clean checkout.' }]);
});

test('a verification of other files counts for nothing', async () => {
  const { statuses } = await presented({ loop: { tree: 'other', verification: { attempt: 1, passed: { tree: 't', base: 'b' }, isOver: true, gates: [gate('test', { seconds: 9 })] } } });
  expect(statuses).toMatchObject([{ title: 'PASSED in 3 s' }]);
});

test.each<[string, object, string | undefined, string | undefined]>([
  ['the base of the proposal', { base: 'release' }, 'main', 'release'],
  ['the branch that the run started from', {}, 'refs/heads/main', 'main'],
  ['the branch of a remote', {}, 'origin/main', 'main'],
])('a pull request is for %s', async (_, proposal, ref, base) => {
  const { pullRequests: [pullRequest], result } = await presented({ proposal, loop: { upstream: { ref } } });
  expect(pullRequest).toMatchObject({ head: 'agent/a', base, title: 'Fix it', draft: false, labels: [], reviewers: [], teamReviewers: [] });
  expect(result).toEqual({ pullRequest: { number: 7, url: 'https://example.com/pull/7', warnings: undefined } });
});

test('a pull request without a base is not made', async () => {
  await expect(presented({ proposal: {}, loop: { upstream: {} } })).rejects.toMatchObject({ name: 'CodingLoop.CommitFailed', message: expect.stringContaining('set "base" of Commit.pullRequest') });
});

test('a title without words is the ID of the task, and a body of its own stands first', async () => {
  const { pullRequests: [{ title, body }] } = await presented({ proposal: { base: 'main', title: '{prompt}', body: 'For {taskId}' }, prompt: ' \n' });
  expect(title).toBe('T-1');
  expect(body).toMatch(/^For T-1\n\n/);
});

test('what the forge refused is in the record, and at most ten of it', async () => {
  const { result } = await presented({ proposal: { base: 'main' }, warnings: Array.from({ length: 12 }, () => 'x'.repeat(400)), fails: true });
  expect(result.pullRequest!.warnings!.map((warning) => warning.length)).toEqual(Array.from({ length: 10 }, () => 300));
  expect((await presented({ proposal: { base: 'main' }, fails: true })).result.pullRequest!.warnings).toEqual(['results of gates: no permission for checks']);
});
