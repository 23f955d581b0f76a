import { Commit, GitLab, GitRepository, MergeMethod, Verification } from '../../src';
import { gitHubRepository, useForgeLoops } from '../support/forge-loop';
import { emittedValues } from '../support/metrics';

const start = useForgeLoops();

/** Returns the commits of the run's branch, above the first. */
const commitsOf = ({ loop }: Awaited<ReturnType<typeof start>>, branch = 'workbench/task-1') => loop.git('log', '--format=%an %s', `main..${branch}`).trim().split('\n');

describe('a verified change', () => {
  test('is pushed by the publisher', async () => {
    const made = await start();
    const result = await made.run();
    expect(result).toMatchObject({ status: 'SUCCEEDED', record: { outcome: 'COMMITTED', verified: true, commit: { pushed: true } } });
    expect(made.loop.show()).toBe('right\n');
    expect(made.forge.requests.filter(({ operation }) => operation === 'push')).toMatchObject([{ login: 'write' }]);
    expect(made.leaks(result)).toEqual([]);
    expect(made.loop.deployment.authorizer.missing).toEqual([]);
    await made.loop.deployment.close(); // so that its output is complete
    const metrics = emittedValues(made.loop.logs).filter(({ name }) => name === 'StepSeconds');
    const stepOf = (step: string) => metrics.filter(({ dimensions }) => dimensions.Step === step)
      .map(({ namespace, dimensions }) => [namespace, Object.keys(dimensions).sort()]);
    expect(stepOf('commit')).toEqual(stepOf('stop'));
    expect(metrics.filter(({ value }) => !(Number(value) > 0))).toEqual([]);
  });

  test('ends as a pull request at GitHub, with tokens of an app, and a second run updates it', async () => {
    const made = await start({
      repository: gitHubRepository,
      agent: (turn) => (turn === 0 ? 'echo right > value.txt' : 'echo more > more.txt'),
      loop: { commit: Commit.pullRequest({ labels: ['agent'], reviewers: ['octocat'], autoMerge: MergeMethod.SQUASH, title: 'Fix: {prompt}' }) },
    });
    const result = await made.run({ prompt: 'Make it @octocat right | `now`' });
    expect(result).toMatchObject({ status: 'SUCCEEDED', record: { outcome: 'COMMITTED', verified: true, pullRequest: { number: expect.any(Number) } } });
    expect(made.state.pulls).toMatchObject([{ title: 'Fix: Make it @octocat right | `now`', base: 'main', head: 'workbench/task-1', state: 'open' }]);
    expect(made.state.pulls[0].body).toContain('- `value.txt`');

    const next = await made.run({ prompt: 'Another', session: result.record.session });
    expect(next).toMatchObject({ record: { outcome: 'COMMITTED', pullRequest: { number: result.record.pullRequest!.number, found: true } } });
    expect(made.state.pulls).toMatchObject([{ title: 'Fix: Another' }]);
    expect(commitsOf(made)).toEqual(['AgentCore Workbench Another', 'AgentCore Workbench Make it @octocat right | `now`']);
    expect(made.leaks([result, next])).toEqual([]);
    expect(made.loop.deployment.authorizer.missing).toEqual([]);
  });

  test('ends as a merge request at GitLab, and a second run updates it', async () => {
    const made = await start({
      host: 'gitlab',
      repository: (secret) => GitRepository.fromUrl('https://gitlab.com/octo/shop.git', { forge: GitLab.token(secret('write'), { readSecret: secret('read') }) }),
      agent: (turn) => (turn === 0 ? 'echo right > value.txt' : 'echo more > more.txt'),
      loop: { commit: Commit.pullRequest({ labels: ['agent'] }) },
    });
    const first = await made.run();
    expect([first.record.error, first.record.outcome, first.record.verified]).toEqual([undefined, 'COMMITTED', true]);
    const second = await made.run({ session: first.record.session, prompt: 'More' });
    expect(second.record).toMatchObject({ outcome: 'COMMITTED', pullRequest: { number: first.record.pullRequest!.number, found: true } });
    expect(made.project.mergeRequests).toMatchObject([{ title: 'More', labels: ['agent'] }]);
    expect(made.project.statuses.length).toBe(2);
    expect(made.leaks([first, second])).toEqual([]);
  });

  test('is pushed in pieces if it is large', async () => {
    const made = await start({ agent: 'echo right > value.txt; head -c 4500000 /dev/urandom > large' });
    expect(await made.run()).toMatchObject({ record: { outcome: 'COMMITTED', verified: true } });
    expect(made.loop.git('cat-file', '-s', 'workbench/task-1:large')).toBe('4500000\n');
    expect(made.loop.jobs('offer')).toHaveLength(2);
  });

  test('is pushed without a verification, too', async () => {
    const made = await start({ loop: { verification: Verification.none() } });
    const result = await made.run();
    expect(result).toMatchObject({ record: { outcome: 'COMMITTED', verified: false, commit: { pushed: true } } });
    const next = await made.run({ session: result.record.session, prompt: 'Again' });
    expect(next).toMatchObject({ record: { outcome: 'NO_CHANGES' } });
    expect(made.leaks([result, next])).toEqual([]);
  });
});

test('a commit that is not pushed needs no credential that writes', async () => {
  const made = await start({ loop: { commit: Commit.local() } });
  expect(await made.run()).toMatchObject({ record: { outcome: 'COMMITTED', commit: { pushed: false } } });
  expect(made.forge.requests.map(({ login }) => login)).not.toContain('write');
});

describe('the agent', () => {
  test('finds no token, and cannot push', async () => {
    const seen = [
      'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" "\\n" >> seen',
      'cp -r /tmp/.workbench* seen.tmp 2>/dev/null; cat ~/.netrc ~/.git-credentials ~/.gitconfig >> seen 2>/dev/null',
      'git config --list >> seen; find /tmp /mnt/workspace -type f -size -100k -newer /proc/1 -print0 | xargs -0 cat >> seen 2>/dev/null',
    ].join('; ');
    const push = 'git push "$(git config remote.origin.url)" HEAD:main >> push.log 2>&1; git push origin HEAD >> push.log 2>&1; echo "$?" >> push.log';
    const made = await start({ agent: `${seen}; ${push}; echo right > value.txt` });
    const result = await made.run();
    expect(result).toMatchObject({ record: { outcome: 'COMMITTED' } });
    const show = (file: string) => made.loop.git('show', `workbench/task-1:${file}`);
    expect(show('push.log')).toMatch(/could not read Username|Authentication failed/);
    expect(made.secrets.filter((secret) => show('seen').includes(secret))).toEqual([]);
    expect(made.loop.branches()).toEqual(['main', 'workbench/task-1']);
  });
});
