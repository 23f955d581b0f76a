import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { CodingLoopProps, Commit, Forge, GitHub, GitHubApp, GitLab, GitRepository, Verification } from '../../src';
import { exitCodeOf } from '../../src/journal/exit-codes';
import { reportOf } from '../../src/journal/report/report';
import { commandLine } from '../support/command-line';
import { RehearsedLoop, writes } from '../support/rehearsed-loop';
import { STUB_SANDBOXES } from '../support/stub-sandbox';

jest.setTimeout(120_000);

let loop: RehearsedLoop;
beforeEach(() => {
  loop = new RehearsedLoop();
});
afterEach(() => loop.close());

const PROMPT = { prompt: 'What is the answer?', taskId: 'answer' };
const FAST = { retryDelay: 0 };

/** Returns the assembly of a loop. @param change gets a secret of the template */
function synth(change: (secret: ISecret) => Partial<CodingLoopProps>): string {
  return loop.synth({ loop: (stack) => change(new Secret(stack, 'Secret')) });
}

const atGitHub = (more: Partial<CodingLoopProps> = {}) => synth((secret) => ({
  repository: GitRepository.fromGitHub('octo/shop', { app: GitHubApp.fromSecret(secret, { appId: '4711', installationId: '77' }) }),
  commit: Commit.pullRequest({ title: 'Answer {taskId}', labels: ['agent'], draft: true }),
  ...more,
}));

const url = 'https://git.example.com/scm/octo/shop.git';
const onAnyHost = () => synth((secret) => ({ repository: GitRepository.fromUrl(url, { forge: Forge.basic(secret, { username: 'deploy' }) }), commit: Commit.push() }));

async function commitAtForge({ forge }: Rehearsal, fullName = 'octo/shop'): Promise<string> {
  const { store } = forge!.server;
  return store.git(store.repository(fullName)!, 'rev-parse', 'refs/heads/workbench/answer');
}

test('a loop with a forge runs without any credential of the user', async () => {
  const assembly = loop.synth({
    loop: (stack) => ({
      repository: GitRepository.fromUrl(url, { forge: Forge.basic(new Secret(stack, 'Password'), { readSecret: Secret.fromSecretNameV2(stack, 'Read', 'read-token') }) }),
    }),
  });
  const rehearsal = await loop.start(writes('42'), { assembly });
  const record = await rehearsal.run(PROMPT, FAST);

  expect([record.error, record.outcome, record.missingPermissions]).toEqual([undefined, 'COMMITTED', []]);
  expect(record.forge).toMatchObject({ repository: 'octo/shop', checks: [], comments: [] });
  expect(record.forge).not.toHaveProperty('pullRequest');
  expect(reportOf(record)).not.toMatch(/<h2>(Pull request|At the forge)/);
  expect(await commitAtForge(rehearsal)).toBe(record.commit!.id);
  expect(loop.copy.git('branch', '--list')).toBe('* main\n');
});

test('a verified run at GitHub ends as a pull request with checks, in its record and its report, and no secret stays', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: atGitHub({ verification: Verification.inFreshSession() }), stateDirectory: loop.copy.state });
  const record = await rehearsal.run(PROMPT, FAST);
  const { origin, store } = rehearsal.forge!.server;

  expect([record.error, record.outcome, record.missingPermissions]).toEqual([undefined, 'COMMITTED', []]);
  expect(await commitAtForge(rehearsal)).toBe(record.commit!.id);
  expect(record.output?.pullRequest).toEqual({ number: 1, url: `${origin}/octo/shop/pull/1` });
  expect(record.forge?.pullRequest).toMatchObject({ number: 1, title: 'Answer answer', head: 'workbench/answer', base: 'main', draft: true, labels: ['agent'] });
  expect(record.forge?.checks).toEqual([expect.objectContaining({ name: expect.stringContaining('test'), conclusion: 'success', title: expect.stringContaining('PASSED') })]);

  const report = reportOf(record);
  expect(report).toContain('<h2>Pull request</h2>\n<h3>Answer answer <span class="dim">#1</span></h3>');
  expect(report).toContain('pull request #1 into main, a draft, from workbench/answer of octo/shop; labels: agent');
  expect(report).toMatch(/<h3>Checks<\/h3>[^]*<span class="good">success<\/span>/);
  expect(report).toContain('<code>POST /api/v3/repos/octo/shop/pulls</code>');

  const secrets = [...store.tokens.keys()];
  expect(secrets.length).toBeGreaterThanOrEqual(2);
  for (const secret of secrets) expect([secret, `${JSON.stringify(record)}${report}`.includes(secret)]).toEqual([secret, false]);
  for (const secret of secrets) expect(spawnSync('grep', ['-rlaF', '--', secret, loop.copy.state], { encoding: 'utf8' }).stdout).toBe('');
});

test('a loop with a token of GitHub shows the results of its gates as statuses', async () => {
  const assembly = synth((secret) => ({ repository: GitRepository.fromUrl('https://github.com/octo/shop.git', { forge: GitHub.token(secret) }) }));
  const rehearsal = await loop.start(writes('42'), { assembly });
  const { error, outcome, forge } = await rehearsal.run(PROMPT, FAST);

  expect([error, outcome]).toEqual([undefined, 'COMMITTED']);
  expect(forge?.checks).toEqual([expect.objectContaining({ name: expect.stringContaining('test'), conclusion: 'success' })]);
});

test('a rule of the repository refuses the change, in the words of the forge', async () => {
  const says = ['Commits must have verified signatures.'];
  const rehearsal = await loop.start(writes('42'), { assembly: atGitHub(), forge: { rules: { rulesets: [{ branch: 'workbench/*', says }] } } });
  const record = await rehearsal.run(PROMPT, FAST);

  expect(record.error?.name).toBe('Forge.RuleViolation');
  expect(record.error?.message).toContain('GH013: Repository rule violations found for refs/heads/workbench/answer.');
  expect(record.error?.message).toContain('Commits must have verified signatures.');
  expect(exitCodeOf(record)).toBe(1);
  expect(record.forge).not.toHaveProperty('pullRequest');
});

test('an archived repository ends a run before its first turn', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: atGitHub(), forge: { archived: true } });
  const record = await rehearsal.run(PROMPT, FAST);

  expect(record.error?.name).toBe('Forge.Forbidden');
  expect(record.steps.map(({ kind }) => kind)).not.toContain('turn');
});

test('a push whose answer is lost is one commit and one pull request', async () => {
  const rehearsal = await loop.start(writes('42'), { assembly: atGitHub() });
  const { faults } = rehearsal.forge!.server;
  const struck = [
    faults.add({ operation: 'push', at: 'beforeReply', kind: 'reset' }),
    faults.add({ operation: 'api', at: 'beforeReply', kind: 502, match: (request) => request === 'POST /api/v3/repos/octo/shop/pulls' }),
  ];
  const record = await rehearsal.run(PROMPT, FAST);

  expect([record.error, record.outcome, struck.map(({ fired }) => fired)]).toEqual([undefined, 'COMMITTED', [1, 1]]);
  expect(record.forge?.pullRequest?.number).toBe(1);
  const { github, server: { store } } = rehearsal.forge!;
  expect(github!.state.of(store.repository('octo/shop')!).pulls).toHaveLength(1);
  expect(record.forge?.requests.flatMap((request) => request.faults)).toEqual(['reset', 502]);
});

test('a session continues in another rehearsal, which has the forge at the same place', async () => {
  const assembly = onAnyHost();
  const first = await loop.start(writes('41.5'), { assembly, stateDirectory: loop.copy.state });
  const { session, error } = await first.run({ ...PROMPT, taskId: 'first' }, FAST);
  const { origin } = first.forge!.server;
  await first.close();

  expect([error?.name, session?.id]).toEqual([expect.any(String), expect.any(String)]);
  const second = await loop.start(writes('42'), { assembly, stateDirectory: loop.copy.state });
  const record = await second.run({ ...PROMPT, taskId: 'first', session: { id: session!.id } }, FAST);
  expect([second.forge!.server.origin, record.error, record.outcome]).toEqual([origin, undefined, 'COMMITTED']);
});

test('a session does not see the repositories of the forge', async () => {
  const seen: string[] = [];
  const rehearsal: Rehearsal = await loop.start(async (request, session) => {
    const { workspace } = request.json() as { workspace: string };
    const { directory } = rehearsal.forge!.server.store.repository('octo/shop')!;
    const { stdout } = await session.exec(`ls -d ${directory} 2>&1; echo 42 > answer`, { workingDirectory: workspace });
    seen.push(stdout);
    return {};
  }, { assembly: onAnyHost() });
  const { error } = await rehearsal.run(PROMPT, FAST);
  expect([error, seen]).toEqual([undefined, [expect.stringContaining('No such file or directory')]]);
});

test('a repository that only the input names is at the forge, too', async () => {
  const forge = (secret: ISecret) => Forge.basic(secret);
  const assembly = synth((secret) => ({ repository: GitRepository.fromInput({ allow: ['https://git.example.com/team/*'], forge: forge(secret) }) }));
  const rehearsal = await loop.start(writes('42', '42'), { assembly });

  const named = await rehearsal.run({ ...PROMPT, repository: { url: 'https://git.example.com/team/app.git' } }, FAST);
  expect([named.error, named.forge?.repository]).toEqual([undefined, 'team/app']);
  const unnamed = await rehearsal.run({ ...PROMPT, taskId: 'another' }, FAST);
  expect([unnamed.error, unnamed.forge?.repository]).toEqual([undefined, 'rehearsal/project']);
});

test('fails for sessions that cannot reach the forge', async () => {
  await expect(loop.start(writes('42'), { assembly: onAnyHost(), sandbox: { ...STUB_SANDBOXES, ownNetwork: true } }))
    .rejects.toThrow(/cannot be rehearsed: its sessions clone from a forge on this machine, which a container that has its own network does not reach/);
});

test('a run at GitLab ends as a merge request with statuses, in a project of a group in a group', async () => {
  const assembly = synth((secret) => ({
    repository: GitRepository.fromUrl('https://gitlab.com/group/octo/shop.git', { forge: GitLab.token(secret, { readSecret: secret }) }),
    commit: Commit.pullRequest({ title: 'Answer {taskId}', labels: ['agent'], draft: true, reviewers: ['nobody'] }),
  }));
  const rehearsal = await loop.start(writes('42'), { assembly });
  const record = await rehearsal.run(PROMPT, FAST);
  const { origin } = rehearsal.forge!.server;

  expect([record.error, record.outcome, record.missingPermissions]).toEqual([undefined, 'COMMITTED', []]);
  expect(record.output?.pullRequest).toMatchObject({ number: 1, url: `${origin}/octo/shop/-/merge_requests/1`, warnings: ['reviewer nobody: GitLab has no user with this name'] });
  expect(record.forge).toMatchObject({
    pullRequest: { number: 1, title: 'Draft: Answer answer', head: 'workbench/answer', base: 'main', draft: true, labels: ['agent'], body: expect.stringContaining('test') },
    checks: [{ name: expect.stringContaining('test'), conclusion: 'success', title: expect.stringContaining('PASSED') }],
    comments: [],
  });
  expect(reportOf(record)).toContain('pull request #1 into main, a draft, from workbench/answer of octo/shop; labels: agent');
  expect(rehearsal.forge!.github).toBeUndefined();
});

test('the command line tells the pull request', async () => {
  const assembly = atGitHub();
  writeFileSync(join(assembly, 'agent.js'), `
    require('node:http').createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      if (request.url === '/invocations') require('node:fs').writeFileSync(JSON.parse(body).workspace + '/answer', '42\\n');
      response.end('{"status":"Healthy"}');
    }).listen(process.env.PORT);
  `);
  const agent = `exec '${process.execPath}' '${join(assembly, 'agent.js')}'`;
  const { exitCode, stdout, stderr } = await commandLine('rehearse', '--app', assembly, '--repository', loop.copy.directory, '--agent', agent,
    '--prompt', PROMPT.prompt, '--task', PROMPT.taskId, '--state', loop.copy.state);

  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('\npull request #1 into main, a draft: Answer answer\n    labels: agent\n');
  expect(stdout).toMatch(/\n {4}\S*test\S* success \(PASSED/);
});
