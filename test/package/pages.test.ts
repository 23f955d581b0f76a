import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../support/installed-package';
import { blocksOf, Reader } from '../support/page';

// npm installs the dependencies of the clone and of an app, and the library is compiled.
jest.setTimeout(1_200_000);

const REPOSITORY = 'https://github.com/cdk-agentcore-workbench/cdk-agentcore-workbench';
/** Below, and in test/examples, with the real programs. */
const FOLLOWED_ELSEWHERE = ['claude-code', 'strands'];
const EXAMPLES = readdirSync(join(ROOT, 'examples')).filter((name) => !FOLLOWED_ELSEWHERE.includes(name)).map((name) => `examples/${name}/README.md`);
const DOCS = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'python.md').map((name) => `docs/${name}`);

/** Files that are generated from the sources, and must be in a package that is built from a fresh clone. */
const PACKED = [
  '.jsii', 'lib/index.js', 'lib/index.d.ts', 'rehearsal-dist/cli.js', 'rehearsal-dist/index.js', 'rehearsal-dist/types/rehearsal/index.d.ts',
  'assets/driver/session-driver.lambda/index.js', 'assets/driver/session-driver.lambda/junit.js', 'assets/driver/session-driver.lambda/listing.js',
  'assets/driver/session-driver.lambda/agent-report.js',
  'assets/driver/session-driver.lambda/repair.js',
  'assets/driver/session-driver.lambda/agent-words.js',
  'assets/forge/publisher.lambda/agent-words.js',
  'assets/agent/workbench-agent.js',
  'assets/rollout/runtime-rollout.lambda/index.js', 'assets/rollout/runtime-rollout-event.lambda/index.js',
];

/** Stands in for the agent that the pages name: makes an incomplete fix, then what the gate's output asks for, and then edits a text. */
const CLAUDE = `#!/bin/bash
prompt=$(cat)
if [[ $prompt == *'a tenth is off at exactly 100 euros'* ]]; then sed -i 's/sum > 10_000/sum >= 10_000/' prices.mjs
elif grep -q 'index = 1' prices.mjs; then sed -i 's/index = 1/index = 0/' prices.mjs
else echo 'What a basket costs.' >>README.md; fi
`;

/** The programs that pages install for all folders. They are outside of the directory for temporary files, which sessions do not see. */
const PROGRAMS = join(ROOT, 'node_modules/.cache/programs-of-pages');

/** Runs the real program, which a page has installed, with a scripted model. */
const realClaude = (modelUrl: string) => `#!/bin/bash
ANTHROPIC_BASE_URL=${modelUrl} exec ${PROGRAMS}/bin/claude "$@"
`;

let home: string;
let reader: Reader;
let model: ChildProcess | undefined;
/** The commands that have already run: commands that two pages share run once. */
const done = new Set<string>();

const git = (directory: string, ...args: string[]) => execFileSync('git', args, { cwd: directory, encoding: 'utf8', maxBuffer: 64 << 20 });

/** Publishes, as a repository, what a clone of the next commit would contain. */
function publish(directory: string): void {
  const files = git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate').split('\0').filter(Boolean);
  for (const file of files) cpSync(join(ROOT, file), join(directory, file), { recursive: true });
  git(directory, 'init', '--quiet');
  git(directory, 'add', '--all', '--force');
  git(directory, '-c', 'user.name=somebody', '-c', 'user.email=somebody@localhost', 'commit', '--quiet', '--message', 'the next commit');
}

/** Follows a page to the letter and returns the output of its commands. */
function follow(page: string): string {
  return blocksOf(page).filter(({ notRun }) => notRun === undefined).map((block) => {
    if (block.language !== 'sh') {
      const path = /^\/\/ (\S+)\n/.exec(block.text)?.[1];
      if (path) write(join(reader.where, path), block.text);
      return '';
    }
    if (done.has(block.text)) return '';
    done.add(block.text);
    return reader.run(page, block);
  }).join('\n');
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'pages-'));
  const published = join(home, 'published');
  mkdirSync(published);
  publish(published);
  write(join(home, 'bin/claude'), CLAUDE);
  chmodSync(join(home, 'bin/claude'), 0o755);
  // The reader has a name, and the URL on the pages leads to the local repository.
  write(join(home, 'gitconfig'), `[user]\n\tname = Reader\n\temail = reader@localhost\n[url "file://${published}"]\n\tinsteadOf = ${REPOSITORY}\n[init]\n\tdefaultBranch = main`);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: join(home, 'gitconfig'), PATH: `${join(home, 'bin')}:${process.env.PATH}`, ANTHROPIC_API_KEY: 'none', npm_config_prefer_offline: 'true', npm_config_prefix: PROGRAMS };
  // An outer npm, such as the one that runs these tests, passes its own settings on.
  const own = Object.entries(env).filter(([name]) => !/^npm_(package|lifecycle|command|execpath|node_execpath)|^npm_config_(local_prefix|global_prefix|ignore_scripts)|^INIT_CWD$|^CI$|^JEST_|^NODE_ENV$/.test(name));
  reader = new Reader(home, join(home, 'empty'), Object.fromEntries(own));
});
afterAll(() => {
  model?.kill();
  rmSync(home, { recursive: true, force: true });
  rmSync(PROGRAMS, { recursive: true, force: true });
});

/** Starts a model that knows the basket, and returns its URL: a process of its own, since following a page occupies this one. */
async function startModel(): Promise<string> {
  const script = join(ROOT, 'test/support/models/basket.ts');
  const args = [join(ROOT, 'node_modules/ts-node/dist/bin.js'), '--transpile-only', '--project', join(ROOT, 'tsconfig.dev.json'), script];
  model = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = await once(model.stdout!, 'data') as [Buffer];
  return url.toString().trim();
}

test('the tutorial works, from an empty folder to the reader\'s own test', () => {
  const printed = follow('docs/tutorial.md');

  expect(printed.match(/^COMMITTED after .*(?= in )/gm)).toEqual([
    'COMMITTED after 2 turns', // the clone's example
    'COMMITTED after 2 turns', // a user's repository, with a script
    'COMMITTED after 2 turns', // and with an agent
    'COMMITTED after 1 turn', // the next day
    'COMMITTED after 2 turns', // the stack
  ]);
  const packed = execFileSync('tar', ['-tzf', join(home, 'empty/cdk-agentcore-workbench/dist/js/cdk-agentcore-workbench@0.0.0.jsii.tgz')], { encoding: 'utf8', maxBuffer: 64 << 20 });
  expect(packed.split('\n')).toEqual(expect.arrayContaining(PACKED.map((path) => `package/${path}`)));
  expect(git(join(home, 'empty/cdk-agentcore-workbench'), 'status', '--porcelain')).toBe('');
});

test('the README and the page about rehearsals work', () => {
  reader.go(join(home, 'empty/my-loop'));

  expect(`${follow('README.md')}\n${follow('docs/rehearsal.md')}`.match(/^COMMITTED after .*(?= in )/gm)).toEqual(['COMMITTED after 2 turns', 'COMMITTED after 2 turns']);
});

test('the page about Claude Code works with the real program, whose model is a script', async () => {
  reader.go(join(home, 'empty/cdk-agentcore-workbench'));
  write(join(home, 'bin/claude'), realClaude(await startModel()));

  expect(follow('examples/claude-code/README.md')).toMatch(/COMMITTED after 2 turns [^]*claude-code 2\.1\.197: /);
});

test.each(EXAMPLES)('the commands of %s for the top of the repository work', (page) => {
  reader.go(join(home, 'empty/cdk-agentcore-workbench'));

  expect(follow(page)).not.toContain('FAILED ');
});

test('all other pages have nothing to run, or give the reason', () => {
  const others = ['CONTRIBUTING.md', ...DOCS].filter((page) => !['docs/tutorial.md', 'docs/rehearsal.md'].includes(page));

  expect(others.flatMap((page) => blocksOf(page).filter(({ notRun, language }) => notRun === undefined && language === 'sh').map(({ line }) => `${page}:${line}`))).toEqual([]);
});

test('the build compiles the README\'s TypeScript', () => {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen/tasks.json'), 'utf8')) as { tasks: Record<string, { steps: { exec?: string; spawn?: string }[] }> };

  expect(tasks.rosetta.steps[0].exec).toContain('--strict --compile');
  expect(tasks['post-compile'].steps.map(({ exec }) => exec?.split(' '))).toEqual([expect.arrayContaining(['rosetta'])]);
});
