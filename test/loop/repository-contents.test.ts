import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src';
import { LoopFixture, useLoops } from '../support/loop-fixture';

const start = useLoops();

const NAMES = ['a b', 'q"u\'o`te$x', 'new\nline', 'ünïcode 漢', ' lead', 'trail ', '-option', '*.glob', 'back\\slash', '[a]', '#hash', 'é\u0301'];
const quoted = (name: string) => `'${name.replace(/'/g, "'\\''")}'`;
const touchAll = NAMES.map((name) => `printf x > ./${quoted(name)}`).join('\n');
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`;

/** Returns the mode and path of everything in a commit. */
function tree(loop: LoopFixture, ref = 'workbench/task-1'): { readonly [path: string]: string } {
  const entries = loop.git('ls-tree', '-r', '-z', ref).split('\0').filter((entry) => entry !== '');
  return Object.fromEntries(entries.map((entry) => [entry.slice(entry.indexOf('\t') + 1), entry.slice(0, 6)]));
}

/** Returns the paths that differ from the run's starting commit. */
const changed = (loop: LoopFixture) => loop.git('diff-tree', '-r', '-z', '--name-only', '--no-renames', 'main', 'workbench/task-1').split('\0').slice(0, -1);

async function committed(loop: LoopFixture): Promise<void> {
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
}

test('a run does not change anything that a repository may contain', async () => {
  const loop = await start({
    files: { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': POINTER, 'crlf.txt': 'a\r\nb\r\n', 'mixed.txt': 'a\r\nb\nc\r' },
    seed: [
      'ln -s value.txt link; ln -s /nowhere dangling; printf x > tool; chmod a+x tool', touchAll, 'git add --all',
      'printf \'[submodule "sub"]\\n\\tpath = sub\\n\\turl = https://127.0.0.1/sub.git\\n\' > .gitmodules; git add .gitmodules',
      'git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,sub',
    ].join('\n'),
    // Files that are rewritten with the same content are unchanged.
    agent: 'for file in *; do [ -f "./$file" ] && [ ! -L "./$file" ] && cp -p "./$file" /tmp/copy && rm "./$file" && cp -p /tmp/copy "./$file"; done; echo right > value.txt',
    loop: { gates: [Gate.command('test', './test.sh && test -d sub && test -L link && test -x tool && test ! -x value.txt')] },
  });
  await committed(loop);
  expect(changed(loop)).toEqual(['value.txt']);
  expect(tree(loop)).toMatchObject({ 'sub': '160000', 'link': '120000', 'dangling': '120000', 'tool': '100755', 'new\nline': '100644' });
});

test('everything that an agent may create is committed unchanged', async () => {
  const loop = await start({
    agent: [
      'echo right > value.txt; ln -s "value.txt" "li nk"; ln -s /etc dir-link; printf x > tool; chmod a+x tool; mkdir -p empty/dir "dir with space"', touchAll,
      'printf "a\\r\\nb\\r\\n" > crlf.txt; mkdir -p ignored && echo x > ignored/file; rm .gitignore; echo "ignored/" > .gitignore',
      'printf x > "dir with space/f"; chmod a-x test.sh; chmod a+x test.sh; head -c 1000 /dev/urandom > binary',
    ].join('\n'),
  });
  await committed(loop);
  expect(tree(loop)).toEqual({
    ...Object.fromEntries(NAMES.map((name) => [name, '100644'])),
    'value.txt': '100644',
    'test.sh': '100755',
    '.gitignore': '100644',
    'crlf.txt': '100644',
    'binary': '100644',
    'dir with space/f': '100644',
    'li nk': '120000',
    'dir-link': '120000',
    'tool': '100755',
  });
  expect(loop.show(undefined, 'crlf.txt')).toBe('a\r\nb\r\n');
});

test('the repository\'s hooks decide nothing', async () => {
  const hook = '#!/bin/sh\necho "hooked" > hooked.txt; git add hooked.txt; exit 1\n';
  const names = ['pre-commit', 'commit-msg', 'prepare-commit-msg', 'pre-push', 'post-checkout', 'reference-transaction', 'post-index-change'];
  const loop = await start({
    files: Object.fromEntries(names.map((name) => [`.githooks/${name}`, hook])),
    loop: { bootstrap: ['chmod a+x .githooks/*; git config core.hooksPath .githooks; git config --global core.hooksPath /mnt/workspace/repo/.githooks; git checkout -q -- . || true'] },
    agent: 'git reset -q --hard 2>/dev/null; rm -f hooked.txt; chmod a-x .githooks/*; echo right > value.txt; chmod a+x .githooks/*; chmod a-x .githooks/*',
  });
  await committed(loop);
  expect(changed(loop)).toEqual(['value.txt']);
});

test('Git LFS pointers stay pointers, even where Git LFS would replace them', async () => {
  const loop = await start({
    files: { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': POINTER },
    agent: 'git config filter.lfs.clean "tr a-z A-Z"; git config filter.lfs.smudge "tr a-z A-Z"; touch big.bin; echo right > value.txt',
  });
  await committed(loop);
  expect(changed(loop)).toEqual(['value.txt']);
});

describe('Git LFS in the image', () => {
  /** The configuration that its packages install; without a remote that it can reach, it fails. */
  const CONFIG = [['filter.lfs.clean', 'false'], ['filter.lfs.smudge', 'false'], ['filter.lfs.process', 'false'], ['filter.lfs.required', 'true'], ['alias.hello', '!echo hello']];
  const environment = Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(CONFIG.length)],
    ...CONFIG.flatMap(([key, value], index) => [[`GIT_CONFIG_KEY_${index}`, key], [`GIT_CONFIG_VALUE_${index}`, value]]),
  ]);
  const files = { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': POINTER };

  test('does not fetch contents: gates see the pointers', async () => {
    const gates = [Gate.command('pointer', './test.sh && grep -q oid big.bin')];
    const loop = await start({ files, loop: { environment, gates } });
    await committed(loop);
    expect(changed(loop)).toEqual(['value.txt']);
  });

  test('tolerates a file that the agent moved', async () => {
    const loop = await start({ files, agent: 'mv big.bin moved.bin; echo right > value.txt', loop: { environment } });
    await committed(loop);
    expect(changed(loop)).toEqual(['big.bin', 'moved.bin', 'value.txt']);
  });

  test('fails the run if the agent changed a file that it tracks, since nobody would upload it', async () => {
    const loop = await start({ files, agent: 'printf other > big.bin; echo right > value.txt', loop: { environment } });
    const { error, record } = await loop.run();
    expect([error, record.error!.message]).toEqual(['CodingLoop.SnapshotFailed', expect.stringContaining('a Git LFS file was changed, and a run uploads none: big.bin')]);
  });

  test('can be configured in the environment, like credential helpers, next to what a run needs', async () => {
    const gates = [Gate.command('both', './test.sh && [ "$(git hello)" = hello ] && [ "$(git config safe.directory)" = "*" ]')];
    const loop = await start({ files, loop: { environment, gates } });
    await committed(loop);
    expect(changed(loop)).toEqual(['value.txt']);
  });
});

test.each([['no number', 'a[$(touch "$SHARED/ran")]'], ['an octal number', '08'], ['empty', '']])('a count of git\'s variables in the environment that is %s neither runs code nor stops the run', async (_, count) => {
  const gates = [Gate.command('test', './test.sh && [ "$(git config safe.directory)" = "*" ]')];
  const variables = Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].flatMap((index) => [[`GIT_CONFIG_KEY_${index}`, `alias.a${index}`], [`GIT_CONFIG_VALUE_${index}`, 'status']]));
  const loop = await start({ loop: (shared) => ({ environment: { ...variables, GIT_CONFIG_COUNT: count, SHARED: shared }, gates }) });
  await committed(loop);
  expect(existsSync(join(loop.shared, 'ran'))).toBe(false);
});

test('values that the agent writes into the run\'s records are not evaluated in bash arithmetic, which would run commands', async () => {
  const loop = await start({
    agent: 'read -r boot </proc/sys/kernel/random/boot_id; echo "$boot BASH_VERSINFO[\\$(touch /mnt/workspace/ran)0]" > ../.workbench/microvm; echo right > value.txt',
  });
  const { record } = await loop.run();
  expect(record.outcome).toBe('COMMITTED');
  expect(existsSync(join(loop.workspace(record.session), 'ran'))).toBe(false);
});

test('files that the agent adds next to the bootstrap\'s files are committed', async () => {
  const loop = await start({
    agent: 'echo mine > "generated/b [x]"; echo theirs > "generated/a [x]"; echo right > value.txt',
    loop: { bootstrap: ['mkdir -p generated/deep many; touch "generated/a [x]" "generated/deep/c " "generated/back\\slash" "generated/*"; cd many; seq 1001 | xargs touch'] },
  });
  await committed(loop);
  expect(changed(loop)).toEqual(['generated/b [x]', 'value.txt']);
});

describe('a submodule', () => {
  const remote = 'git init -q --bare --initial-branch main ../shared/sub.git';
  const seed = [
    `${remote}; git init -q sub; cd sub; echo x > x; git add x; git -c user.name=a -c user.email=a@b commit -qm sub; git push -q ../../shared/sub.git HEAD:main; cd ..`,
    'printf \'[submodule "sub"]\\n\\tpath = sub\\n\\turl = ../sub.git\\n\' > .gitmodules; git add .gitmodules; git add sub 2>/dev/null; rm -rf sub',
  ].join('\n');
  const checkOut = 'git clone -q "$(git config remote.origin.url | sed "s/remote.git/sub.git/")" sub 2>/dev/null; cd sub && echo y > y && git add y && git commit -qm more && git push -q origin HEAD:main';

  test('is committed at the commit that it is checked out at', async () => {
    const loop = await start({ seed, agent: `echo right > value.txt; ${checkOut}` });
    await committed(loop);
    expect(tree(loop)).toMatchObject({ sub: '160000' });
  });

  test('fails the run if it has uncommitted changes', async () => {
    const loop = await start({ seed, agent: `echo right > value.txt; ${checkOut} && echo z > x` });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.SnapshotFailed');
    expect(record.error!.message).toContain('a submodule has uncommitted changes: sub');
  });

  test('fails a gate that changes it', async () => {
    const loop = await start({ seed, agent: `echo right > value.txt; ${checkOut}`, loop: { maxRepairs: 0, gates: [Gate.command('test', 'echo z > sub/x')] } });
    const { error, record } = await loop.run();
    expect(error).toBe('CodingLoop.Red');
    expect(record.feedback!.changedFiles).toEqual(['sub']);
  });

  test('can be added by the agent', async () => {
    const loop = await start({ seed: remote, agent: `echo right > value.txt; (${checkOut}); printf '[submodule "sub"]\\n\\tpath = sub\\n\\turl = ../sub.git\\n' > .gitmodules` });
    await committed(loop);
    expect(tree(loop)).toMatchObject({ sub: '160000' });
  });
});

test.each([
  ['without a commit', 'git init -q app && mkdir app/sub && echo x > app/sub/x'],
  ['within a repository', 'git init -q app && echo x > app/x && git init -q app/sub && echo x > app/sub/x && (cd app/sub && git add x && git commit -qm x)'],
  ['in place of a file', 'rm test2 && git init -q app && mkdir -p app/sub && echo x > app/sub/x'],
])('a repository inside the repository, %s, is committed as files', async (_, script) => {
  const loop = await start({
    files: { test2: '' },
    agent: `echo right > value.txt; ${script}`,
    loop: { gates: [Gate.command('test', './test.sh && test -e app/sub/x && touch app/left')] },
  });
  await committed(loop);
  expect(tree(loop)).toMatchObject({ 'app/sub/x': '100644' });
  expect(Object.keys(tree(loop)).filter((path) => /\.git\/|left/.test(path))).toEqual([]);
});
