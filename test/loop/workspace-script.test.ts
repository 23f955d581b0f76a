import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '../../src/jobs/constants';
import { Results, resultsOf, WorkspaceFunction } from '../../src/loop/steps/results';
import { AWAY_SCRIPT, CARRY_SCRIPT, FRESH_SCRIPT, MOVE_SCRIPT, PREPARE_SCRIPT, REMOTE_SCRIPT, scriptOf, WORKSPACE_SCRIPT } from '../../src/loop/steps/workspace-scripts';

const sourcesOf = (...parts: string[]) => ['workspace', 'workspace-results', ...parts].map((name) => join(__dirname, '../../src/loop/steps', `${name}.sh`));
const SCRIPTS: [string, string[]][] = [
  [PREPARE_SCRIPT, sourcesOf('workspace-files', 'workspace-prepare')],
  [MOVE_SCRIPT, sourcesOf('workspace-files', 'workspace-merge', 'workspace-move')],
  [WORKSPACE_SCRIPT, sourcesOf('workspace-files', 'workspace-protect', 'workspace-tree')],
  [REMOTE_SCRIPT, sourcesOf('workspace-merge', 'workspace-remote', 'workspace-history', 'workspace-push')],
  [AWAY_SCRIPT, sourcesOf('workspace-away')],
  [FRESH_SCRIPT, sourcesOf('workspace-files', 'workspace-prepare', 'workspace-verify')],
  [CARRY_SCRIPT, sourcesOf('workspace-protect', 'workspace-history', 'workspace-verify')],
];

test.each(sourcesOf('workspace-files', 'workspace-prepare', 'workspace-merge', 'workspace-move', 'workspace-tree', 'workspace-remote', 'workspace-history', 'workspace-away', 'workspace-push', 'workspace-protect', 'workspace-verify', 'workspace-differs'))('%s passes shellcheck', (source) => {
  expect(spawnSync('shellcheck', ['--shell', 'bash', source], { encoding: 'utf8' })).toMatchObject({ stdout: '', status: 0 });
});

test.each(SCRIPTS)('the sent text is the scripts without their comments', (script, sources) => {
  const lines = sources.flatMap((source) => readFileSync(source, 'utf8').split('\n')).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  expect(script.split('\n').length).toBe(lines.length);
  expect(spawnSync('bash', ['-n', '-c', script]).status).toBe(0);
});

test.each(SCRIPTS)('the script leaves enough space in a command', (script) => {
  expect(Buffer.byteLength(script)).toBeLessThan(LIMITS.commandBytes * 7 / 8);
});

test.each([
  ['that is the run\'s own', 'run', 76],
  ['that another run has taken', 'other', 79],
  ['that was wiped during the run', undefined, 79],
])('fails if git\'s records are gone in a workspace %s', (_, holder, status) => {
  const mount = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    mkdirSync(join(mount, '.workbench'));
    if (holder !== undefined) writeFileSync(join(mount, '.workbench/marker'), `${holder}\n`);
    const env = { PATH: process.env.PATH, WB_MOUNT: mount, WB_NONCE: 'nonce', WB_RUN: 'run', WB_BASE: '0'.repeat(40), WB_LEFT: 'left' };
    const { status: code, stderr } = spawnSync('bash', ['-c', scriptOf('snapshot')], { env, encoding: 'utf8' });
    expect({ code, stderr }).toEqual({ code: status, stderr: expect.stringContaining('has lost the commit') });
  } finally {
    rmSync(mount, { recursive: true });
  }
});

type Bash = (script: string, variables?: object) => string;
type Perform = <F extends WorkspaceFunction>(name: F, variables?: object) => Results<F>;

/** Executes a run in its own workspace, with a remote that has one commit. */
function withRemote(use: (perform: Perform, mount: string, bash: Bash, directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'workspace-script-'));
  try {
    const [mount, remote] = ['mount', 'remote'].map((name) => join(directory, name));
    mkdirSync(mount);
    writeFileSync(join(directory, 'gitconfig'), '[user]\nname = a\nemail = b\n');
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      GIT_CONFIG_GLOBAL: join(directory, 'gitconfig'),
      WB_MOUNT: mount,
      WB_NONCE: 'nonce',
      WB_ASIDE: 'no',
      WB_GATE: 'yes',
      WB_PASSED: 'yes',
      WB_LEFT: 'left',
      WB_RUN: 'run',
      WB_DEADLINE: '9999999999',
      WB_URL: `file://${remote}`,
      WB_REF: '',
      WB_REF_OF_INPUT: '',
      WB_DEPTH: '1',
      WB_NAME: 'a',
      WB_EMAIL: 'b',
      WB_BRANCH: 'work',
    };
    const bash: Bash = (script, more = {}) => {
      const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { env: { ...env, ...more }, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return stdout;
    };
    bash('git init -q "$0" && git -C "$0" commit -q --allow-empty -m first'.replaceAll('$0', remote));
    use((name, more) => resultsOf(bash(scriptOf(name), more), 'nonce', name), mount, bash, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a repository that the script creates ignores the image\'s git templates', () => {
  withRemote((perform, mount, bash, directory) => {
    mkdirSync(join(directory, 'template/info'), { recursive: true });
    writeFileSync(join(directory, 'template/info/exclude'), '*.txt\n');
    appendFileSync(join(directory, 'gitconfig'), `[init]\ntemplateDir = ${directory}/template\n`);
    const { base } = perform('prepare');
    writeFileSync(join(mount, 'repo/new.txt'), 'new');
    const { tree } = perform('snapshot', { WB_BASE: base });
    expect(bash(`git --git-dir ${mount}/.workbench/git ls-tree --name-only ${tree}`)).toBe('new.txt\n');
  });
});

test('a workspace is always new to the run that created it, and existing to the next', () => {
  withRemote((perform) => {
    const says = (variables?: object) => perform('prepare', variables).workspace;
    expect([says(), says()]).toEqual(['NEW', 'NEW']);
    expect(perform('release')).toEqual({});
    expect(says({ WB_RUN: 'next' })).toBe('RESUMED');
  });
});

test('an empty marker does not block a run', () => {
  withRemote((perform, mount) => {
    mkdirSync(join(mount, '.workbench'));
    writeFileSync(join(mount, '.workbench/marker'), '');
    expect(perform('prepare').workspace).toBe('NEW');
    expect(readFileSync(join(mount, '.workbench/marker'), 'utf8')).toBe('run\n');
  });
});

test.each([
  ['not a number', 'x[$(>"$HOME"/ran)]'], ['a number in the way of a program', '08'], ['more than a number', `${'9'.repeat(40)}`],
])('a time in a file that is %s runs no code, and is passed on unchanged', (_, until) => {
  withRemote((perform, mount, __, directory) => {
    mkdirSync(join(mount, '.workbench'));
    writeFileSync(join(mount, '.workbench/marker'), 'other\n');
    writeFileSync(join(mount, '.workbench/until-other'), `${until}\n`);
    expect(perform('claim', { WB_OVER: 'another' })).toEqual({ holder: 'other', until });
    expect(perform('claim', { WB_OVER: 'other' })).toEqual({});
    expect(perform('prepare').workspace).toBe('NEW');
    expect(readdirSync(directory)).not.toContain('ran');
    expect(readdirSync(join(mount, '.workbench')).filter((name) => /marker|until/.test(name))).toEqual(['marker', 'until-run']);
  });
});

test.each([['no number', 'x[$(touch "$HOME"/ran)]'], ['no number of arithmetic', '08'], ['empty', '']])('a count of git\'s variables that is %s neither runs code nor stops the run', (_, count) => {
  withRemote((perform, __, ___, directory) => {
    const given = Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].flatMap((index) => [[`GIT_CONFIG_KEY_${index}`, `alias.a${index}`], [`GIT_CONFIG_VALUE_${index}`, 'status']]));
    expect(perform('prepare', { ...given, GIT_CONFIG_COUNT: count }).workspace).toBe('NEW');
    expect(readdirSync(directory)).not.toContain('ran');
  });
});

test('detects a gate\'s change to a file even if its size and timestamp are unchanged', () => {
  withRemote((perform, mount, bash, directory) => {
    // A clock with a resolution of one second makes two writes look like one: only the content differs.
    appendFileSync(join(directory, 'gitconfig'), '[core]\ntrustCtime = false\n');
    const { base } = perform('prepare');
    const write = (text: string) => bash(`printf ${text} >${mount}/repo/a.js; touch -d 2026-01-01T00:00:00 ${mount}/repo/a.js`);
    write('before');
    const { tree } = perform('snapshot', { WB_BASE: base });
    bash(`touch -d 2026-01-01T00:00:00 ${mount}/.workbench/index`);
    write('AFTER!');
    const seen = perform('verify', { WB_BASE: base, WB_TREE: tree });
    expect(seen.changed).toEqual({ names: ['a.js'], count: 1 });
    expect(seen.tree).not.toBe(tree);
  });
});

test('git does not read the files of a fresh checkout again just because its index is as old, but does so after the agent\'s turn', () => {
  withRemote((perform, mount, bash) => {
    const renewed = (variables: object) => {
      const indexes = [`${mount}/.workbench/index`, `${mount}/repo/.git/index`];
      bash(`touch -d "1 hour ago" ${indexes.join(' ')}`);
      perform('surroundings', { WB_PUSH: 'no', ...variables });
      return indexes.map((index) => Date.now() - statSync(index).mtimeMs < 60_000);
    };
    const { base: WB_BASE } = perform('prepare');
    expect([renewed({ WB_BASE }), renewed({ WB_BASE })]).toEqual([[true, true], [false, false]]);
    perform('release');
    perform('prepare', { WB_RUN: 'next' });
    expect(renewed({ WB_BASE, WB_RUN: 'next' })).toEqual([false, false]);
  });
});

test('records of jobs and prompts are deleted once their runs can no longer be repeated', () => {
  withRemote((perform, mount, bash) => {
    const records = join(mount, '.workbench');
    for (const path of ['jobs/old', 'jobs/young', 'prompts']) mkdirSync(join(records, path), { recursive: true });
    for (const path of ['jobs/old/log', 'jobs/young/log', 'prompts/old.md', 'prompts/young.md']) writeFileSync(join(records, path), '');
    const days = (count: number) => `${count} days ago`;
    bash(`cd ${records} && touch -d "${days(16)}" jobs/old prompts/old.md && touch -d "${days(13)}" jobs/young prompts/young.md`);
    perform('prepare');
    expect(bash(`cd ${records} && ls jobs prompts`)).toBe('jobs:\nyoung\n\nprompts:\nyoung.md\n');
  });
});

describe('the script needs the programs that the first step checks', () => {
  const needed = /^needed=\((.*)\)$/m.exec(PREPARE_SCRIPT)![1].split(' ');

  /** Returns a directory that contains only these programs. */
  const path = (bash: Bash, directory: string, programs: readonly string[]) => {
    mkdirSync(join(directory, 'bin'));
    bash(['bash', ...programs].map((name) => `ln -s "$(command -v ${name})" ${directory}/bin/${name}`).join('\n'));
    return { PATH: join(directory, 'bin') };
  };

  test('and no others', () => {
    withRemote((perform, mount, bash, directory) => {
      const only = path(bash, directory, needed);
      bash('cd remote && printf "a.txt text\\n" > .gitattributes && echo a > a.txt && git add . && git commit -qm second'.replace('remote', join(directory, 'remote')));
      const { base } = perform('prepare', only);
      bash('mkdir -p x/sub && cd x && echo x > sub/y && git init -q . && cd .. && echo b > a.txt'.replace('mkdir', `cd ${mount}/repo && mkdir`));
      perform('bootstrapped', only);
      bash(`cd ${mount}/repo && echo new > new.txt`);
      const { tree } = perform('snapshot', { ...only, WB_BASE: base });
      bash(`cd ${mount}/repo && echo c > a.txt && mkdir -p out && echo x > out/x`);
      expect(perform('verify', { ...only, WB_TREE: tree, WB_BASE: base }).changed.names).toContain('a.txt');
      bash(`cd ${mount}/repo && echo b > a.txt`);
      const date = { WB_DATE: '1700000000', WB_MESSAGE: 'third', WB_PUSH: 'yes' };
      expect(perform('commit', { ...only, ...date, WB_TREE: tree, WB_BASE: base })).toMatchObject({ pushed: 'yes' });
      perform('release', only);
    });
  });

  test('and without one of them starts nothing and names it', () => {
    withRemote((_, mount, bash, directory) => {
      const { PATH } = path(bash, directory, needed.filter((name) => name !== 'find' && name !== 'mv'));
      const env = { PATH, SHLVL: '1', WB_NONCE: 'nonce', WB_MOUNT: mount, WB_RUN: 'run' };
      const { status, stderr, stdout } = spawnSync('bash', ['-c', scriptOf('prepare')], { env, encoding: 'utf8' });
      expect({ status, stderr, stdout }).toEqual({ status: 127, stderr: 'the image lacks required commands: find mv\n', stdout: '' });
      expect(readdirSync(mount)).toEqual([]);
    });
  });
});

/** Returns the maximum number of patterns that git gets in one call if a bootstrap leaves this many files: of options, files and excludes. */
function mostPatterns(files: number): number {
  let most = 0;
  withRemote((perform, mount, bash, directory) => {
    const shim = [
      '#!/bin/bash',
      'files=() count=0',
      'for word; do case $word in --exclude-from=*) files+=("${word#*=}") ;; --git-dir=*) files+=("${word#*=}/info/exclude") ;; --exclude=* | ":(exclude"* | ":!"*) count=$((count + 1)) ;; esac; done',
      'for file in "${files[@]}"; do [[ ! -e $file ]] || mapfile -t -O "$count" lines <"$file" && count=${#lines[@]}; done',
      `echo "$count" >>${directory}/patterns`,
      `exec ${bash('command -v git').trim()} "$@"`,
    ];
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/git'), shim.join('\n'), { mode: 0o755 });
    const variables = { PATH: `${directory}/bin:${process.env.PATH}` };
    const { base } = perform('prepare', variables);
    bash(`mkdir ${mount}/repo/many && cd ${mount}/repo/many && seq ${files} | xargs touch`);
    perform('bootstrapped', variables);
    bash(`echo x >${mount}/repo/many/mine`);
    const { tree } = perform('snapshot', { ...variables, WB_BASE: base });
    expect(bash(`git --git-dir ${mount}/.workbench/git ls-tree -r --name-only ${tree}`)).toBe('many/mine\n');
    perform('verify', { ...variables, WB_BASE: base, WB_TREE: tree });
    most = Math.max(...readFileSync(join(directory, 'patterns'), 'utf8').trim().split('\n').map(Number));
  });
  return most;
}

test('the number of patterns for git does not grow with the bootstrap\'s files, since git takes quadratic time', () => {
  expect(mostPatterns(10)).toBeGreaterThan(5);
  expect(mostPatterns(500)).toBe(mostPatterns(10));
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** Runs bash as a user who is subject to file permissions. */
function asNobody(bash: Bash) {
  const other = (script: string, more = {}) => bash('setpriv --reuid 65534 --clear-groups bash -c "$SCRIPT"', { ...more, SCRIPT: script, HOME: '/nonexistent' });
  const performs = <F extends WorkspaceFunction>(name: F, more = {}) => resultsOf(other(scriptOf(name), more), 'nonce', name);
  return { other, performs };
}

asRoot('read-only files are moved and removed, even by a user who is not root', () => {
  withRemote((_, mount, bash, directory) => {
    bash(`cd ${directory}/remote && printf "ignored/\\n" >.gitignore && git add . && git commit -qm ignoring && chown -R 65534 ${directory}`);
    const { other, performs } = asNobody(bash);
    const { base } = performs('prepare');
    other(`cd ${mount}/repo && mkdir -p ignored/deep a/b && echo x >ignored/deep/x && echo y >ignored/y && chmod 0400 ignored/y && chmod 0555 ignored/deep ignored a/b a`);
    const { ignored, empty } = performs('snapshot', { WB_BASE: base, WB_ASIDE: 'yes' });
    expect([ignored.names, empty.names]).toEqual([expect.arrayContaining(['ignored/deep/x', 'ignored/y']), ['a']]);
    expect(readdirSync(join(mount, 'repo')).sort()).toEqual(['.git', '.gitignore']);
    expect(readFileSync(join(mount, '.workbench/left/left/ignored/deep/x'), 'utf8')).toBe('x\n');
    performs('release');
    expect(performs('prepare', { WB_RUN: 'next' }).workspace).toBe('RESUMED');
    expect(readdirSync(join(mount, '.workbench'))).not.toContain('left');
  });
});

asRoot('what was hidden, and has been made again meanwhile, is kept for the run and goes with the next one, although it is read-only', () => {
  withRemote((_, mount, bash, directory) => {
    bash(`chown -R 65534 ${directory}`);
    const { other, performs } = asNobody(bash);
    const { base } = performs('prepare');
    other(`cd ${mount}/repo && git worktree add -q here 2>/dev/null && mkdir here/closed && touch here/closed/file && chmod 0555 here/closed`);
    expect(performs('snapshot', { WB_BASE: base, WB_ASIDE: 'yes' })['left-out'].names).toEqual(['here/']);
    other(`mkdir ${mount}/repo/here`);
    performs('snapshot', { WB_BASE: base, WB_ASIDE: 'yes' });
    expect(readdirSync(join(mount, '.workbench/left'))).toEqual([expect.stringMatching(/^again-/)]);
    performs('release');
    performs('prepare', { WB_RUN: 'next' });
    expect(readdirSync(join(mount, '.workbench'))).not.toContain('left');
  });
});
