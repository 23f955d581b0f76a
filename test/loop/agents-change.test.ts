import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Gate, SessionPolicy } from '../../src';
import { LoopFixture, useLoops } from '../support/loop-fixture';

// A commit contains the agent's change: all of it, and nothing else.
const start = useLoops();

/** Returns the paths that differ from the run's starting commit. */
const changed = (loop: LoopFixture) => loop.git('diff-tree', '-r', '-z', '--name-only', '--no-renames', 'main', 'workbench/task-1').split('\0').slice(0, -1);

async function committed(loop: LoopFixture) {
  const { record, cause } = await loop.run();
  expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'COMMITTED', cause: undefined });
  return record;
}

describe('files that git would convert', () => {
  const files = { '.gitattributes': '*.txt text\n*.bat text eol=crlf\n*.id ident\n*.up filter=up\n*.utf16 working-tree-encoding=UTF-16LE\n', 'lf.bat': 'a\nb\n', 'x.up': 'lower\n' };
  // Raw blobs, which no attribute has changed.
  const raw = (name: string, text: string) => `git update-index --add --cacheinfo "100644,$(printf '${text}' | git hash-object -w --stdin),${name}"`;
  const seed = [raw('crlf.txt', 'a\\r\\nb\\r\\n'), raw('mixed.bat', 'a\\r\\nb\\n'), raw('x.id', '$Id: 1234 $\\n'), raw('x.utf16', 'plain\\n')].join('\n');
  const bootstrap = [
    'git config --global filter.up.clean "tr a-z A-Z"; git config --global filter.up.smudge "tr a-z A-Z"; git config --global filter.up.required true',
    'git config --global core.autocrlf true; git config --global core.eol crlf; git config --global core.attributesFile /tmp/attributes; echo "* text ident" > /tmp/attributes',
    'echo "* text ident filter=up" > /etc/gitattributes; mkdir -p ~/.config/git; echo "* ident" > ~/.config/git/attributes',
  ];
  const rewritten = 'for file in *; do cp "$file" /tmp/copy && rm "$file" && cp /tmp/copy "$file"; done; chmod a+x test.sh';

  test('stay unchanged if the agent did not change them, whatever is configured', async () => {
    const loop = await start({ files, seed, agent: rewritten, loop: { bootstrap, gates: [Gate.command('any', 'true')] } });
    const { record, cause } = await loop.run();
    expect({ outcome: record?.outcome, cause }).toEqual({ outcome: 'NO_CHANGES', cause: undefined });
  });

  test('are committed as the gates saw them, while others keep their blobs', async () => {
    const loop = await start({
      files,
      seed,
      agent: `${rewritten}; echo right > value.txt; printf 'n\\r\\n' > new.txt; printf 'low $Id$\\n' > new.up; printf 'a\\r\\nc\\r\\n' > crlf.txt`,
      loop: { bootstrap, gates: [Gate.command('bytes', './test.sh && sha1sum new.* crlf.txt > /tmp/sums && git status --short >&2')] },
    });
    await committed(loop);
    expect(changed(loop)).toEqual(['crlf.txt', 'new.txt', 'new.up', 'value.txt']);
    expect(['new.txt', 'new.up', 'crlf.txt'].map((path) => loop.show(undefined, path))).toEqual(['n\r\n', 'low $Id$\n', 'a\r\nc\r\n']);
  });
});

describe('a tracked file that the bootstrap changes', () => {
  const files = { 'lock.json': '{}\n', 'gone.txt': 'x\n', 'dir/a': 'a\n' };
  const bootstrap = ['echo "{ }" > lock.json; rm gone.txt; chmod a+x value.txt; rm -r dir; touch dir; echo new > made.txt'];

  test('is restored and named, and does not count as the agent\'s change', async () => {
    const loop = await start({ files, agent: 'true', loop: { bootstrap, gates: [Gate.command('any', 'true')] } });
    const { record } = await loop.run();
    expect(record.outcome).toBe('NO_CHANGES');
    expect(record.putBack).toEqual({ names: ['dir/a', 'gone.txt', 'lock.json', 'value.txt'], count: 4 });
  });

  test('is not in the commit, and the gates see the committed version', async () => {
    const gates = [Gate.command('test', './test.sh && [ "$(cat lock.json)" = "{}" ] && [ -e gone.txt ] && [ ! -x value.txt ] && [ -e made.txt ] && [ -e dir/a ]')];
    const loop = await start({ files, loop: { bootstrap, gates } });
    const record = await committed(loop);
    expect(changed(loop)).toEqual(['value.txt']);
    expect(record.putBack!.count).toBe(4);
  });
});

test('what a gate changes is restored, so that it is never committed', async () => {
  const loop = await start({
    agent: (turn) => turn === 0 ? 'echo right > value.txt; echo "x = 1" > code.py' : 'true',
    loop: { gates: [Gate.command('format', 'echo "x=1" > code.py; chmod 0555 .'), Gate.command('test', './test.sh')] },
  });
  const { error, record } = await loop.run();
  expect({ error, changed: record.feedback!.changedFiles }).toEqual({ error: 'CodingLoop.Stuck', changed: ['code.py'] });
  expect(loop.turns[1].prompt).toContain('its changes are undone');
  expect(loop.branches()).toEqual(['main']);
});

test.each([
  ['a sparse checkout', 'git sparse-checkout set --no-cone /value.txt /test.sh && test ! -e a/b'],
  ['a cone', 'git sparse-checkout init --cone && git sparse-checkout set other && test ! -e a/b'],
  ['files that its git is told to skip', 'git update-index --skip-worktree a/b && rm a/b'],
  ['files that its git is told to assume unchanged', 'git update-index --assume-unchanged value.txt'],
])('an agent that uses %s deletes nothing', async (_, script) => {
  const loop = await start({
    files: { 'a/b': 'x\n', 'other/c': 'y\n' }, agent: `${script}; echo right > value.txt`, loop: { gates: [Gate.command('test', './test.sh && test -e a/b && test -e other/c')] },
  });
  await committed(loop);
  expect(changed(loop)).toEqual(['value.txt']);
});

test('linked worktrees are left out and named, wherever they are', async () => {
  const loop = await start({
    agent: 'git worktree add -q .claude/worktrees/x -b one && git worktree add -q here/second -b two && echo z > here/second/z && mkdir here/mine && echo right > value.txt && cp value.txt here/mine/value.txt',
    loop: { sessionPolicy: SessionPolicy.LEAVE, gates: [Gate.command('test', './test.sh && test ! -e here/second -a ! -e .claude')] },
  });
  const record = await committed(loop);
  expect(changed(loop)).toEqual(['here/mine/value.txt', 'value.txt']);
  expect(record.leftOut!.names).toEqual(expect.arrayContaining(['here/second/']));
  expect(record.leftOut!.names.join()).toContain('.claude/worktrees/x');
  // They are hidden only from the gates.
  expect(['here/second/z', '.claude/worktrees/x/value.txt'].filter((path) => existsSync(join(loop.workspace(record.session), 'repo', path)))).toHaveLength(2);
});

test('files of tools and files that the clone\'s own excludes match are left out and named, unless git tracks them', async () => {
  const loop = await start({
    files: { 'src/a.py': 'a\n' },
    agent: [
      'touch .aider.chat.history.md .aider.conf.yml; mkdir -p .claude src; touch .claude/settings.local.json .claude/settings.json src/new.py notes.mine',
      'printf "*.mine\\n*.py\\n" >> .git/info/exclude; echo right > value.txt',
    ].join('\n'),
  });
  const record = await committed(loop);
  expect(changed(loop)).toEqual(['.aider.conf.yml', '.claude/settings.json', 'src/new.py', 'value.txt']);
  expect(record.leftOut).toEqual({ names: ['.aider.chat.history.md', '.claude/settings.local.json', 'notes.mine'], count: 3 });
});

test('an ignored file that the agent force-adds is part of its change', async () => {
  const loop = await start({ agent: 'mkdir ignored && echo x > ignored/x.js && git add --force ignored/x.js; echo right > value.txt' });
  const record = await committed(loop);
  expect(changed(loop)).toEqual(['ignored/x.js', 'value.txt']);
  expect(record.findings).toBeUndefined();
  expect(record.rounds).toBe(1);
});

test('commits none of the bootstrap\'s eighteen thousand files, but the files that the agent adds next to them', async () => {
  const loop = await start({ agent: 'echo x > many/mine; echo right > value.txt', loop: { bootstrap: ['mkdir many && cd many && seq 18000 | xargs touch'] } });
  await committed(loop);
  expect(changed(loop)).toEqual(['many/mine', 'value.txt']);
});
