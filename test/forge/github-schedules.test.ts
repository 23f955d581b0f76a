import fc from 'fast-check';
import { ForgeError } from '../../src/forge/publish/smart-http';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, TOKEN } from '../support/github-forge';

// Faults at random points of random requests, to clients that work at the same time and are started again when they fail.
let forge: GitHubForge;
beforeAll(async () => {
  forge = await GitHubForge.start();
  forge.server.store.addToken({
    value: 'ghp_other', repositories: ['octo/shop'], permissions: { contents: 'write', pull_requests: 'write', issues: 'write', statuses: 'write' }, login: 'octocat',
  });
});
afterAll(async () => forge.stop());

const fault = fc.record({
  at: fc.constantFrom('beforeStart' as const, 'beforeReply' as const, 'midReply' as const),
  kind: fc.constantFrom('reset' as const, 502, 503, 429, 401),
  times: fc.integer({ min: 1, max: 3 }),
  afterBytes: fc.nat(500),
  route: fc.constantFrom('GET', 'POST', 'PATCH', '/pulls', '/comments', '/labels', '/check-runs', '/access_tokens', ''),
});

test('whatever fails when, there is one of each in the end, and none that is changed by another client', async () => {
  const commit = await forge.server.store.git(forge.repository, 'rev-parse', 'workbench/task');
  const schedule = [fc.array(fault, { maxLength: 6 }), fc.integer({ min: 1, max: 3 }), fc.boolean()] as const;
  await fc.assert(fc.asyncProperty(...schedule, async (faults, clients, isApp) => {
    const { shop, server } = forge;
    for (const list of [shop.pulls, shop.comments, shop.checkRuns, shop.statuses, forge.slept]) list.length = 0;
    server.faults.clear();
    for (const { route, kind, at, ...rest } of faults) {
      const how = typeof kind === 'number' && at === 'midReply' ? { kind: 'end' as const, at } : { kind, at };
      server.faults.add({ operation: 'api', ...rest, ...how, match: (name) => name.includes(route) });
    }
    const issue = shop.openIssue('i');
    const work = async () => {
      const client = forge.client(isApp ? APP : TOKEN);
      await client.pullRequest!({ head: 'workbench/task', base: 'main', title: 't', body: 'b', draft: false, labels: ['l'], reviewers: [], teamReviewers: [] });
      await client.report!(commit, [{ name: 'test', conclusion: 'success', title: 't', summary: 's' }]);
    };
    const again = async (what: () => Promise<void>) => {
      for (let tries = 0; tries < 30; tries++) {
        const error: unknown = await what().then(() => undefined, (one) => one);
        if (error === undefined) return;
        // Whatever fails has a name that says whether a repeat may help.
        const names: string[] = [FORGE_ERRORS.UNAVAILABLE, FORGE_ERRORS.RATE_LIMITED, FORGE_ERRORS.UNAUTHORIZED];
        if (!(error instanceof ForgeError) || !names.includes(error.name)) throw error;
      }
      throw new Error('it never ended');
    };
    // Comments and check runs have no constraint at GitHub that keeps a second one out: those of a run are written one after the other.
    await Promise.all(Array.from({ length: clients }, async (_, index) => (index === 0 ? again(work) : again(async () => {
      await forge.client(isApp ? APP : TOKEN).pullRequest!({ head: 'workbench/task', base: 'main', title: 't', body: 'b', draft: false, labels: ['l'], reviewers: [], teamReviewers: [] });
    }))));
    await again(async () => forge.client(isApp ? APP : TOKEN).comment!(issue, 'run', 'body'));
    expect(shop.pulls).toMatchObject([{ title: 't', state: 'open' }]);
    expect(shop.comments).toHaveLength(1);
    expect(shop.checkRuns).toHaveLength(isApp ? 1 : 0);
    expect(new Set(shop.statuses.map(({ context }) => context))).toEqual(new Set(isApp ? [] : ['workbench/test']));
    expect(forge.openApi.violations).toEqual([]);
  }), { numRuns: 25 });
});
