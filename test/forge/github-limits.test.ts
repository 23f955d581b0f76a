import { FORGE_ERRORS } from '../../src/loop/steps/constants';
import { APP, GitHubForge, TOKEN } from '../support/github-forge';

let forge: GitHubForge;
beforeEach(async () => {
  forge = await GitHubForge.start();
});
afterEach(async () => {
  await forge.stop();
  expect(forge.openApi.violations).toEqual([]);
});

const CONTENT = { head: 'workbench/task', base: 'main', title: 't', body: '', draft: false, labels: [], reviewers: [], teamReviewers: [] };

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message: string;
}

/** Answers a number of requests in GitHub's place. */
function answerFirst(times: number, { status, headers, message }: Reply, method?: string): void {
  const { api } = forge.server;
  forge.server.api = async (request) => {
    if (times <= 0 || (method !== undefined && method !== request.method)) return api!(request);
    times--;
    return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) };
  };
}

test('a short primary limit is waited for', async () => {
  forge.server.store.rateLimit = { requests: 1, seconds: 30 };
  await forge.client(TOKEN).check();
  await forge.client(TOKEN).check();
  expect(forge.slept).toEqual([expect.any(Number)]);
  expect(forge.slept[0]).toBeGreaterThanOrEqual(30);
  expect(forge.slept[0]).toBeLessThanOrEqual(32);
});

test('fails for a long primary limit, and says how long', async () => {
  forge.server.store.rateLimit = { requests: 1, seconds: 3_600 };
  await forge.client(TOKEN).check();
  const error: { retryAfter: number } = await forge.client(TOKEN).check().then(() => Promise.reject(new Error('passed')), (one) => one);
  expect(error).toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, quote: 'API rate limit exceeded for installation.' });
  expect(error.retryAfter).toBeGreaterThanOrEqual(3_600);
  expect(error.retryAfter).toBeLessThanOrEqual(3_602);
  expect(forge.slept).toEqual([]);
});

const SECONDARY = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
test.each<[Reply, number[]]>([
  [{ status: 403, headers: { 'retry-after': '7' }, message: SECONDARY }, [7]],
  [{ status: 429, headers: { 'retry-after': '60' }, message: SECONDARY }, [60]],
  [{ status: 429, headers: { 'retry-after': '0' }, message: SECONDARY }, [0]],
  [{ status: 403, message: SECONDARY }, [60]],
  [{ status: 429, message: 'Too many requests' }, [60]],
  [{ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' }, message: 'API rate limit exceeded' }, [60]],
  [{ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }, message: 'API rate limit exceeded' }, [1]], // clocks differ
])('a pause is waited for, also before what is not repeatable otherwise: %j', async (reply, slept) => {
  await forge.client().pullRequest!(CONTENT);
  const issue = forge.shop.openIssue('i');
  await forge.client().comment!(issue, 'other', 'b');
  answerFirst(1, reply, 'POST');
  await forge.client().comment!(issue, 'm', 'b');
  expect(forge.slept).toEqual(slept);
  expect(forge.shop.comments).toHaveLength(2);
});

test.each([
  [{ status: 403, headers: { 'retry-after': '61' }, message: SECONDARY }, 61],
  [{ status: 429, headers: { 'retry-after': '86400' }, message: SECONDARY }, 86_400],
])('fails at once for a pause of more than a minute: %j', async (reply, retryAfter) => {
  answerFirst(1, reply);
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, retryAfter, quote: SECONDARY });
  expect(forge.slept).toEqual([]);
});

test('fails for limits without an end', async () => {
  answerFirst(100, { status: 429, headers: { 'retry-after': '20' }, message: SECONDARY });
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.RATE_LIMITED, retryAfter: 20 });
  expect(forge.slept).toEqual([20, 20, 20]);
});

test('a refusal that is no limit is not repeated', async () => {
  answerFirst(1, { status: 403, headers: { 'x-ratelimit-remaining': '4999' }, message: 'Resource not accessible by integration' });
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.FORBIDDEN, quote: 'Resource not accessible by integration' });
  expect(forge.slept).toEqual([]);
});

test.each([500, 502, 503, 504])('the status %d is repeated, and fails when it stays', async (status) => {
  answerFirst(2, { status, message: 'Server Error' });
  await forge.client(TOKEN).check();
  expect(forge.slept).toEqual([1, 2]);
  answerFirst(100, { status, message: 'Server Error' });
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE, message: `GitHub cannot handle the request now (HTTP ${status}): Server Error` });
});

test.each(['reset', 'end'] as const)('a reply that breaks off by %s is repeated', async (kind) => {
  forge.server.faults.add({ operation: 'api', at: 'midReply', kind, afterBytes: 10 });
  await forge.client(TOKEN).check();
  expect(forge.requests.filter((name) => name === 'GET /repos/octo/shop')).toHaveLength(2);
});

test.each([['beforeStart', undefined], ['beforeReply', undefined], ['midReply', 10]] as const)('silence %s ends by a timeout, and is repeated', async (at, afterBytes) => {
  const { timeout } = AbortSignal;
  const asked = jest.spyOn(AbortSignal, 'timeout').mockImplementationOnce(() => timeout.call(AbortSignal, 200));
  forge.server.faults.add({ operation: 'api', at, kind: 'hang', afterBytes });
  await forge.client(TOKEN).check();
  expect(asked).toHaveBeenCalledWith(30_000);
  asked.mockRestore();
  expect(forge.slept).toEqual([1]);
});

test('fails if nobody answers', async () => {
  const client = forge.client(TOKEN);
  await forge.server.close();
  await expect(client.check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNAVAILABLE, summary: 'GitHub does not answer', quote: expect.stringContaining('ECONNREFUSED') });
});

test('fails for an answer that is no JSON', async () => {
  forge.server.api = async () => ({ status: 418, headers: { 'content-type': 'text/html' }, body: '<html>a proxy says no</html>' });
  await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED, summary: 'GitHub does not answer as its API does (HTTP 418)' });
});

describe('a renamed repository', () => {
  test('is followed, with every kind of request', async () => {
    forge.server.store.redirect('octo/shop', 'octo/store');
    const there = forge.server.store.repository('octo/store')!;
    forge.server.store.addToken({ value: 'ghp_store', repositories: ['octo/store'], permissions: { contents: 'write', pull_requests: 'write', issues: 'write' }, login: 'octocat' });
    forge.secrets['arn:token'] = 'ghp_store';
    await forge.client(TOKEN).check();
    await forge.client(TOKEN).pullRequest!({ ...CONTENT, labels: ['bot'] });
    await forge.client(TOKEN).pullRequest!({ ...CONTENT, title: 'changed' });
    expect(forge.api.state.of(there).pulls).toMatchObject([{ title: 'changed', labels: ['bot'] }]);
  });

  test('fails for an app, whose tokens are made by name', async () => {
    forge.server.store.redirect('octo/shop', 'octo/store');
    await expect(forge.client(APP).check()).rejects.toMatchObject({ name: FORGE_ERRORS.NOT_FOUND, summary: expect.stringContaining('use the present name of the repository') });
  });

  test('fails for a redirect to another host, which gets no credential', async () => {
    const other = await GitHubForge.start();
    forge.server.store.redirect('octo/shop', `${other.server.origin}/octo/shop`);
    await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED, summary: expect.stringContaining('which is not followed') });
    expect(other.server.requests).toEqual([]);
    await other.stop();
  });

  test.each([[{ location: '/api/v3/repos/octo/shop' }], [{}], [{ location: 'http://' }]])('fails for a redirect in a circle or to nowhere: %j', async (headers) => {
    forge.server.api = async () => ({ status: 301, headers: { 'content-type': 'application/json', ...headers }, body: '{}' });
    await expect(forge.client(TOKEN).check()).rejects.toMatchObject({ name: FORGE_ERRORS.UNEXPECTED });
    expect(forge.server.requests.length).toBeLessThanOrEqual(4);
  });
});
