import { GateStatus } from '../../src/forge/publish/forge-client';
import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, TOKEN } from '../support/github-forge';

let forge: GitHubForge;
let commit: string;
beforeEach(async () => {
  forge = await GitHubForge.start();
  commit = await forge.server.store.git(forge.repository, 'rev-parse', 'workbench/task');
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

const GATES: readonly GateStatus[] = [
  { name: 'lint', conclusion: 'success', title: 'passed in both sessions', summary: 'ok' },
  { name: 'test & "build" ☃', conclusion: 'neutral', title: '3 failures that were there before', summary: '```\nfailed\n```' },
];

describe('check runs, for an app', () => {
  test('a gate has one, which a repeat updates', async () => {
    await forge.client().report!(commit, GATES);
    await forge.client().report!(commit, GATES.map((gate) => ({ ...gate, title: 'seen again' })));
    expect(forge.shop.checkRuns).toMatchObject([
      { name: 'lint', commit, status: 'completed', conclusion: 'success', title: 'seen again', externalId: 'workbench/lint' },
      { name: 'test & "build" ☃', conclusion: 'neutral', title: 'seen again', summary: '```\nfailed\n```' },
    ]);
    const before = forge.requests.length;
    await forge.client().report!(commit, GATES.map((gate) => ({ ...gate, title: 'seen again' })));
    expect(forge.requests.slice(before).map((name) => name.split(' ')[0])).toEqual(['GET', 'GET']); // nothing changed, nothing is written
  });

  test('one of another app with the same name and ID is left alone', async () => {
    const theirs = {
      id: 1, app: '99', commit, name: 'lint', externalId: 'workbench/lint', status: 'completed', conclusion: 'failure', title: 'theirs', summary: '', started: '2026-01-01T00:00:00Z', completed: null,
    };
    forge.shop.checkRuns.push({ ...theirs });
    await forge.client().report!(commit, GATES.slice(0, 1));
    expect(forge.shop.checkRuns).toMatchObject([theirs, { app: '4711', conclusion: 'success' }]);
  });

  test('a large summary is cut where GitHub would refuse it', async () => {
    await forge.client().report!(commit, [{ name: 'n'.repeat(400), conclusion: 'success', title: 't'.repeat(1_000), summary: '🦄'.repeat(60_000) }]);
    const [{ summary }] = forge.shop.checkRuns;
    expect(summary!.length).toBeLessThanOrEqual(65_535);
    expect(summary).toMatch(/^(?:🦄)+\n\n… \(cut, because the forge takes no more\)$/u); // no half of a character
  });

  test('fails for a commit that is not at GitHub', async () => {
    await expect(forge.client().report!('0'.repeat(40), GATES)).rejects.toMatchObject({ name: FORGE_ERRORS.REFUSED, quote: `No commit found for SHA: ${'0'.repeat(40)}` });
  });

  test('fails for an app that may not write checks, and names the permission', async () => {
    forge.api.state.installation('octo').permissions.checks = 'read';
    await expect(forge.client().report!(commit, GATES)).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, summary: expect.stringContaining('grant it checks: write') });
  });

  test.each(['beforeStart', 'beforeReply'] as const)('there is one for each gate if GitHub fails %s of making one', async (at) => {
    forge.server.faults.add({ operation: 'api', at, kind: 502, match: (name) => name.startsWith('POST /api/v3/repos/octo/shop/check-runs') });
    await forge.client(APP).report!(commit, GATES);
    expect(forge.shop.checkRuns.map(({ name }) => name)).toEqual(GATES.map(({ name }) => name));
  });
});

test('a token writes statuses, whose last one counts', async () => {
  await forge.client(TOKEN).report!(commit, [...GATES, { name: 'x'.repeat(300), conclusion: 'success', title: '☃'.repeat(200), summary: '' }]);
  await forge.client(TOKEN).report!(commit, GATES);
  expect(forge.shop.checkRuns).toEqual([]);
  expect(new Set(forge.shop.statuses.map(({ context }) => context)).size).toBe(3);
  expect(forge.shop.statuses[0]).toMatchObject({ commit, context: 'workbench/lint', state: 'success', description: 'passed in both sessions' });
});
