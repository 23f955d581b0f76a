import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_SCRIPT } from '../../src/loop/workspace-script.generated';
import { LIMITS } from '../../src/session/constants';

const SOURCES = ['workspace.sh', 'workspace-tree.sh'].map((name) => join(__dirname, '../../src/loop', name));

test.each(SOURCES)('%s is clean by shellcheck', (source) => {
  const check = spawnSync('shellcheck', ['--shell', 'bash', source], { encoding: 'utf8' });
  expect(check.stdout).toBe('');
  expect(check.status).toBe(0);
});

test('what is sent is the scripts without its comments', () => {
  const lines = SOURCES.flatMap((source) => readFileSync(source, 'utf8').split('\n')).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  expect(WORKSPACE_SCRIPT.split('\n').length).toBe(lines.length);
  expect(spawnSync('bash', ['-n', '-c', WORKSPACE_SCRIPT]).status).toBe(0);
});

test('the script leaves half of a command to its variables', () => {
  expect(Buffer.byteLength(WORKSPACE_SCRIPT)).toBeLessThan(LIMITS.commandBytes / 2);
});

test.each([
  ['that is the run\'s own', 'run', 76],
  ['that another run has taken', 'other', 79],
  ['that was wiped in the middle of it', undefined, 79],
])('fails of git\'s records that are gone, in a workspace %s', (_, holder, status) => {
  const mount = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    mkdirSync(join(mount, '.workbench'));
    if (holder !== undefined) writeFileSync(join(mount, '.workbench/marker'), `${holder}\n`);
    const env = { PATH: process.env.PATH, WB_MOUNT: mount, WB_RUN: 'run', WB_BASE: '0'.repeat(40) };
    const { status: code, stderr } = spawnSync('bash', ['-c', `${WORKSPACE_SCRIPT}\nsnapshot`], { env, encoding: 'utf8' });
    expect({ code, stderr }).toEqual({ code: status, stderr: expect.stringContaining('has lost the commit') });
  } finally {
    rmSync(mount, { recursive: true });
  }
});

type Bash = (script: string, variables?: object) => string;

/** A run in a workspace of its own, with a remote that has one commit. */
function withRemote(use: (bash: Bash, mount: string, directory: string) => void): void {
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
    use(bash, mount, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a repository of ours has nothing of the templates that the image has for others', () => {
  withRemote((bash, mount, directory) => {
    mkdirSync(join(directory, 'template/info'), { recursive: true });
    writeFileSync(join(directory, 'template/info/exclude'), '*.txt\n');
    appendFileSync(join(directory, 'gitconfig'), `[init]\ntemplateDir = ${directory}/template\n`);
    const [, base] = /base (\w+)/.exec(bash(`${WORKSPACE_SCRIPT}\nprepare`))!;
    writeFileSync(join(mount, 'repo/new.txt'), 'new');
    const [, tree] = /^tree (\w+)/.exec(bash(`${WORKSPACE_SCRIPT}\nsnapshot`, { WB_BASE: base }))!;
    expect(bash(`git --git-dir ${mount}/.workbench/git ls-tree --name-only ${tree}`)).toBe('new.txt\n');
  });
});

test('a workspace is new to the run that made it, whenever it asks, and an earlier one to the next', () => {
  withRemote((bash) => {
    const prepare = `${WORKSPACE_SCRIPT}\nprepare`;
    const says = (variables?: object) => /^workspace .*$/m.exec(bash(prepare, variables))![0];
    expect([says(), says()]).toEqual(['workspace NEW', 'workspace NEW']);
    bash(`${WORKSPACE_SCRIPT}\nrelease`);
    expect(says({ WB_RUN: 'next' })).toBe('workspace RESUMED');
  });
});

test('a marker that nobody wrote its name into keeps no run out', () => {
  withRemote((bash, mount) => {
    mkdirSync(join(mount, '.workbench'));
    writeFileSync(join(mount, '.workbench/marker'), '');
    expect(bash(`${WORKSPACE_SCRIPT}\nprepare`)).toContain('workspace NEW');
    expect(readFileSync(join(mount, '.workbench/marker'), 'utf8')).toBe('run\n');
  });
});

test('a change of a gate is seen in a file as old as the record of it, and as long', () => {
  withRemote((bash, mount, directory) => {
    // What a clock of whole seconds makes of two writes within one: nothing but the content differs.
    appendFileSync(join(directory, 'gitconfig'), '[core]\ntrustCtime = false\n');
    const [, base] = /base (\w+)/.exec(bash(`${WORKSPACE_SCRIPT}\nprepare`))!;
    const write = (text: string) => bash(`printf ${text} >${mount}/repo/a.js; touch -d 2026-01-01T00:00:00 ${mount}/repo/a.js`);
    write('before');
    const [, tree] = /^tree (\w+)/.exec(bash(`${WORKSPACE_SCRIPT}\nsnapshot`, { WB_BASE: base }))!;
    bash(`touch -d 2026-01-01T00:00:00 ${mount}/.workbench/index`);
    write('AFTER!');
    expect(bash(`${WORKSPACE_SCRIPT}\nverify`, { WB_BASE: base, WB_TREE: tree, WB_LEFT: 'left' })).toBe('changed a.js\n');
  });
});

test('records of jobs and prompts go when nobody can repeat their runs any more', () => {
  withRemote((bash, mount) => {
    const records = join(mount, '.workbench');
    for (const path of ['jobs/old', 'jobs/young', 'prompts']) mkdirSync(join(records, path), { recursive: true });
    for (const path of ['jobs/old/log', 'jobs/young/log', 'prompts/old.md', 'prompts/young.md']) writeFileSync(join(records, path), '');
    const days = (count: number) => `${count} days ago`;
    bash(`cd ${records} && touch -d "${days(16)}" jobs/old prompts/old.md && touch -d "${days(13)}" jobs/young prompts/young.md`);
    bash(`${WORKSPACE_SCRIPT}\nprepare`);
    expect(bash(`cd ${records} && ls jobs prompts`)).toBe('jobs:\nyoung\n\nprompts:\nyoung.md\n');
  });
});
