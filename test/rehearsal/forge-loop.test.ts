import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { Commit, Forge, GitHubApp, GitRepository, Verification } from '../../src';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';

jest.setTimeout(120_000);

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

/** A loop on a repository at some host, whose publisher has a secret of the template, and whose sessions read with another one. */
function onAnyHost(verification = Verification.none()): string {
  return loop.synth({
    loop: (stack) => ({
      repository: GitRepository.fromUrl('https://git.example.com/scm/octo/shop.git', {
        forge: Forge.basic(new Secret(stack, 'Password'), { username: 'deploy', readSecret: Secret.fromSecretNameV2(stack, 'Read', 'read-token') }),
      }),
      commit: Commit.push(),
      verification,
    }),
  });
}

function atGitHub(): string {
  return loop.synth({
    loop: (stack) => ({
      repository: GitRepository.fromGitHub('octo/shop', { app: GitHubApp.fromSecret(new Secret(stack, 'Key'), { appId: '4711', installationId: '77' }) }),
      commit: Commit.pullRequest({ title: 'Answer {taskId}', labels: ['agent'], draft: true }),
      verification: Verification.inFreshSession(),
    }),
  });
}

test('a loop with a forge runs without any credential of the user', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: onAnyHost() });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
  expect([record.error, record.outcome, record.missingPermissions]).toEqual([undefined, 'COMMITTED', []]);
  expect(record.forge).toMatchObject({ repository: 'octo/shop', checks: [], comments: [] });
  expect(await commitAtForge(rehearsal)).toBe(record.commit!.id);
});

test('a loop at GitHub ends as a pull request', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: atGitHub() });
  const record = await rehearsal.run({ prompt: 'What is the answer?', taskId: 'answer' }, { retryDelay: 0 });
  expect([record.error, record.outcome, record.missingPermissions]).toEqual([undefined, 'COMMITTED', []]);
  expect(await commitAtForge(rehearsal)).toBe(record.commit!.id);
  expect(record.output?.pullRequest).toEqual({ number: 1, url: `${rehearsal.forge!.server.origin}/octo/shop/pull/1` });
  expect(record.forge?.pullRequest).toMatchObject({ number: 1, title: 'Answer answer', head: 'workbench/answer', base: 'main', draft: true, labels: ['agent'] });
  expect(record.forge?.pullRequest?.body).toContain('What is the answer?');
});

async function commitAtForge({ forge }: Rehearsal): Promise<string> {
  const { store } = forge!.server;
  return store.git(store.repository('octo/shop')!, 'rev-parse', 'refs/heads/workbench/answer');
}
