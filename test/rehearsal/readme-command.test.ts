import { execFileSync, ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { COMMAND_MODES } from '../../rehearsal/agentcore/words';
import { newcomersClone } from '../support/newcomers-clone';

// Each test is the whole command, from synthesis to commit, and downloads two more versions of Node.
jest.setTimeout(300_000);

const ROOT = resolve(__dirname, '../..');
const COMMAND = ['npm', 'run', '--silent', 'rehearse', '--'];
const OUTLINE = [
  'rehearsing FirstLoop/Fix', 'version 1 is rolled out as endpoint v1: 3 smoke tests passed', 'Prepare the run', 'Ask the agent (turn 1)', 'the first item was skipped', 'Run gate: syntax', 'PASSED',
  'Run gate: test', 'FAILED, exit code 1', '✖ a tenth is off at exactly 100 euros', '10000 !== 9000', 'repair 1 of 2',
  'Ask the agent (turn 2)', '100 euros are enough', 'Commit and push', 'Stop the session', 'COMMITTED after 2 turns',
  'on workbench/issue-7', 'Workbench-Gate: test PASSED', 'prices.mjs | 4 ++--', 'fetch  ', 'report.html',
];
/** User and group. */
const NOBODY = '65534';
/** Available for x64 and arm64. */
const NODES = { 22: '22.23.3', 24: '24.21.0' } as const;

let home: string;
/** The files of the repository, without what tools and tests have left in the checkout. */
let clone: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'newcomer-'));
  chmodSync(home, 0o755); // for other users
  clone = newcomersClone(home);
  run('npm', ['install', '--silent', '--no-save', '--no-package-lock', '--prefix', home,
    ...Object.entries(NODES).map(([major, version]) => `node-${major}@npm:node-linux-${process.arch}@${version}`)]);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('the README\'s first command tells how a loop reached its commit', () => {
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));

  expectStory(run(COMMAND[0], [...COMMAND.slice(1), '--state', join(home, 'state')], { cwd: clone }));
});

test.each(COMMAND_MODES.filter((mode) => mode !== 'strict'))('it does so however the service interprets the text of a command: %s', (mode) => {
  expectStory(run(COMMAND[0], [...COMMAND.slice(1), '--state', join(home, `state-${mode}`), '--command-mode', mode], { cwd: clone }));
});

test.each(Object.entries(NODES))('it does so with Node %s', (major, version) => {
  const environment = { ...process.env, PATH: `${binariesOf(major)}:${process.env.PATH}` };
  expect(run('node', ['--version'], { cwd: clone, env: environment })).toBe(`v${version}\n`);

  expectStory(run(COMMAND[0], [...COMMAND.slice(1), '--state', join(home, `state-${major}`)], { cwd: clone, env: environment }));
});

test('it does so for an ordinary user', () => {
  rmSync(join(clone, 'node_modules'), { force: true });
  const state = join(clone, '.rehearsal');

  const story = process.getuid?.() === 0 ? asNobody() : run(COMMAND[0], COMMAND.slice(1), { cwd: clone });

  expectStory(story);
  expect(statSync(state).uid).not.toBe(0);
  expect(statSync(/report +(\S+)/.exec(story)![1]).uid).toBe(statSync(state).uid);
});

/** The dependencies are mounted into the clone, wherever they are: another user may not have access there. */
function asNobody(): string {
  mkdirSync(join(clone, 'node_modules'));
  run('chown', ['-R', NOBODY, clone]);
  const script = `mount --bind "$1" node_modules; shift; exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --bounding-set -all -- "$@"`;
  return run('unshare', ['--mount', 'bash', '-euc', script, 'bash', join(ROOT, 'node_modules'), ...COMMAND], {
    cwd: clone,
    env: { PATH: `${binariesOf('22')}:${process.env.PATH}`, HOME: join(clone, 'home') },
  });
}

function binariesOf(major: string): string {
  return join(home, `node_modules/node-${major}/bin`);
}

function expectStory(story: string): void {
  const places = OUTLINE.reduce<number[]>((found, part) => [...found, story.indexOf(part, found[found.length - 1] ?? 0)], []);
  expect(OUTLINE.filter((_, index) => places[index] < 0)).toEqual([]);
  const [, source, directory, branch] = /git -C (\S+) fetch (\S+) (\S+):\S+/.exec(story)!;
  expect(existsSync(source)).toBe(true);
  expect(run('git', ['-c', 'safe.directory=*', '--git-dir', directory, 'show', `${branch}:prices.mjs`])).toContain('sum >= 10_000');
}

function run(program: string, args: readonly string[], options: Partial<ExecFileSyncOptionsWithStringEncoding> = {}): string {
  return execFileSync(program, args, { stdio: 'pipe', ...options, encoding: 'utf8' });
}
