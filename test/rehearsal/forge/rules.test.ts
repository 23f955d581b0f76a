import { PushRules } from '../../../rehearsal/forge';
import { announced, pushed } from '../../../src/forge/publish/smart-http';
import { Forge } from '../../support/forge';

let forge: Forge;
beforeEach(async () => {
  forge = await Forge.start();
});
afterEach(() => forge.close());

function rule(rules: Partial<PushRules>): void {
  const repository = forge.server.store.repository('octo/shop')!;
  repository.rules = { ...repository.rules, ...rules };
}

test('a protected branch refuses a push, in the words of GitHub', async () => {
  rule({ protectedBranches: [{ branch: 'main', says: ['Changes must be made through a pull request.'] }] });
  forge.change('value.txt', '1\n');
  const before = await forge.at('main');
  const { code, said } = await forge.push('writer', 'HEAD:main');
  expect(code).toBe(1);
  expect(said).toMatch(/remote: error: GH006: Protected branch update failed for refs\/heads\/main\.\s+remote: error: Changes must be made through a pull request\./);
  expect(said).toContain('! [remote rejected] HEAD -> main (protected branch hook declined)');
  expect(await forge.at('main')).toBe(before);
  expect(await forge.push('writer', 'HEAD:workbench/task')).toMatchObject({ code: 0 });
});

test('a ruleset for branches by a pattern refuses a push', async () => {
  rule({ rulesets: [{ branch: 'release/*', says: ['Commits must have verified signatures.', 'Cannot create ref due to creations being restricted.'] }] });
  forge.change('value.txt', '1\n');
  const { said } = await forge.push('writer', 'HEAD:release/1.0');
  expect(said).toMatch(/remote: error: GH013: Repository rule violations found for refs\/heads\/release\/1\.0\./);
  expect(said).toContain(`remote: Review all repository rules at ${forge.server.origin}/octo/shop/rules?ref=refs%2Fheads%2Frelease%2F1.0`);
  expect(said).toMatch(/remote: - Commits must have verified signatures\.\s+remote: \s+remote: - Cannot create ref/);
  expect(said).toContain('(push declined due to repository rule violations)');
  expect(await forge.push('writer', 'HEAD:releases')).toMatchObject({ code: 0 });
});

test('a file over the limit is refused, and leaves nothing behind', async () => {
  rule({ maxFileBytes: 1_048_576 });
  forge.change('exact.bin', Buffer.alloc(1_048_576));
  expect(await forge.push('writer', 'HEAD:main')).toMatchObject({ code: 0 });
  forge.change('a large.bin', Buffer.alloc(1_048_577 + 500_000));
  const { said } = await forge.push('writer', 'HEAD:workbench/task');
  expect(said).toContain('remote: error: File a large.bin is 1.48 MB; this exceeds GitHub\'s file size limit of 1.00 MB');
  expect(said).toContain('remote: error: GH001: Large files detected. You may want to try Git Large File Storage');
  expect(said).toContain('(pre-receive hook declined)');
  const { store } = forge.server;
  await expect(store.git(store.repository('octo/shop')!, 'cat-file', '-e', forge.must('rev-parse', 'HEAD:a large.bin'))).rejects.toThrow();
});

test('a secret is found, once, where it is', async () => {
  forge.change('config.txt', `one\ntwo ghp_${'a1B2'.repeat(9)}\n`);
  const { said } = await forge.push('writer', 'HEAD:workbench/task');
  expect(said).toContain('remote: error: GH013: Repository rule violations found for refs/heads/workbench/task.');
  expect(said).toMatch(/- GITHUB PUSH PROTECTION/);
  expect(said).toContain('- Push cannot contain secrets');
  expect(said).toContain('—— GitHub Personal Access Token ——');
  expect(said).toContain(`- commit: ${forge.must('rev-parse', 'HEAD')}`);
  expect(said.match(/path: config\.txt:2/g)).toHaveLength(1);
  forge.must('rm', '--quiet', 'config.txt');
  forge.must('commit', '--quiet', '--amend', '--allow-empty', '-m', 'none');
  expect(await forge.push('writer', 'HEAD:workbench/task')).toMatchObject({ code: 0 });
});

test('rules apply to deletions too, and what is at the forge already is not checked again', async () => {
  forge.change('large.bin', Buffer.alloc(2_000_000));
  await forge.push('writer', 'HEAD:main');
  rule({ maxFileBytes: 1_000_000, protectedBranches: [{ branch: 'kept', says: ['Cannot delete this branch'] }] });
  const { store } = forge.server;
  await store.git(store.repository('octo/shop')!, 'branch', 'kept', 'main');
  forge.change('value.txt', '1\n');
  expect(await forge.push('writer', 'HEAD:main', ':kept')).toMatchObject({ code: 1, said: expect.stringContaining('Cannot delete this branch') });
  expect(await forge.push('writer', 'HEAD:main')).toMatchObject({ code: 0 });
});

test('the publisher\'s own push is refused with the same words, with and without side bands', async () => {
  rule({ rulesets: [{ branch: '*', says: ['Changes must be made through a pull request.'] }] });
  const to = forge.must('rev-parse', 'HEAD');
  const authorization = `Basic ${Buffer.from('x:writer').toString('base64')}`;
  const remote = { url: forge.server.url('octo/shop'), authorization };
  const there = await announced(remote);
  const nothing = async function* () { yield Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex'); };
  const rejected = 'push declined due to repository rule violations';
  expect(await pushed(remote, there, { reference: 'refs/heads/task', to }, nothing())).toEqual({ rejected, said: expect.stringContaining('error: GH013: ') });
  const withoutBands = { ...there, capabilities: new Set([...there.capabilities].filter((name) => name !== 'side-band-64k')) };
  expect(await pushed(remote, withoutBands, { reference: 'refs/heads/task', to }, nothing())).toMatchObject({ rejected: expect.stringMatching(/declined/) });
});
