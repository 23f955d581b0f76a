import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { synthesizeCoder } from './coder';
import { ROOT } from '../support/installed-package';
import { blocksOf, Reader } from '../support/page';

// The test installs the CDK twice, from PyPI and from npm.
jest.setTimeout(1_200_000);

const CHECKER = join(__dirname, 'docs_in_python.py');
const versionOf = (name: string) => (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
const VERSIONS = { 'aws-cdk-lib': versionOf('aws-cdk-lib'), 'constructs': versionOf('constructs') };

let home: string;
let app: string;
let env: NodeJS.ProcessEnv;
/** The output of the page's commands. */
let printed: readonly string[];

const PAGE = 'docs/python.md';

/** Follows the page to the letter: runs its commands, and writes each block that starts with a file's name into that file. */
function follow(): string[] {
  const reader = new Reader(home, app, env);
  return blocksOf(PAGE).filter(({ notRun }) => notRun === undefined).flatMap((block) => {
    if (block.language === 'sh') return reader.run(PAGE, block);
    const [, path] = /^# (\S+)\n/.exec(block.text)!;
    mkdirSync(dirname(join(app, path)), { recursive: true });
    writeFileSync(join(app, path), `${block.text}\n`);
    return [];
  });
}

const python = (...args: string[]) => execFileSync(join(app, '.venv/bin/python'), args, { cwd: app, encoding: 'utf8', env });

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'python-'));
  app = join(home, 'app');
  mkdirSync(app);
  // The page installs the newest CDK. To compare the templates, the versions must be the same.
  writeFileSync(join(home, 'constraints.txt'), Object.entries(VERSIONS).map(([name, version]) => `${name}==${version}\n`).join(''));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, overrides: VERSIONS }));
  env = { ...process.env, WORKBENCH: ROOT, PIP_CONSTRAINT: join(home, 'constraints.txt'), npm_config_prefer_offline: 'true' };
  for (const name of Object.keys(env).filter((key) => /^(VIRTUAL_ENV|PYTHONPATH|PYTHONHOME)$/.test(key))) delete env[name];

  printed = follow();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('the page for Python developers works: its app is rehearsed, and its tests pass', () => {
  expect(printed.find((text) => text.includes('COMMITTED after'))).toContain('COMMITTED after 2 turns');
  expect(printed.at(-1)).toMatch(/\b4 passed in /);
});

test('the app uses the installed wheel and the same version of the CDK as this project', () => {
  const [origin, version] = python('-c', [
    'from importlib import metadata, util',
    'print(util.find_spec("cdk_agentcore_workbench").origin)',
    'print(metadata.version("aws-cdk-lib"))',
  ].join('\n')).split('\n');

  expect(origin).toContain(join(app, '.venv'));
  expect(version).toBe(VERSIONS['aws-cdk-lib']);
});

test.each([
  ['template', 'template'],
  ['assets', 'assets'],
])('the app in TypeScript has the same %s', (_, kind) => {
  const ours = synthesizeCoder(app, join(home, `typescript-${kind}`));
  const read = (directory: string) => JSON.parse(readFileSync(join(directory, `Coder.${kind}.json`), 'utf8')) as object;

  expect(read(join(app, 'cdk.out'))).toEqual(read(ours));
});

test('the wheel\'s command is the rehearsal', () => {
  const { stdout, status } = spawnSync(join(app, '.venv/bin/cdk-agentcore-workbench'), ['rehearse', 'sessions'], { cwd: app, env, encoding: 'utf8' });

  expect({ stdout, status }).toEqual({ stdout: expect.stringContaining('rehearsal-'), status: 0 });
});

test('fails without Node.js with the error on the page', () => {
  const { stderr } = spawnSync(join(app, '.venv/bin/python'), ['-c', 'import aws_cdk'], { env: { ...env, JSII_NODE: 'no-node' }, encoding: 'utf8' });

  expect(stderr).toMatch(/^FileNotFoundError: .*'no-node'/m);
});

describe('the docs of the wheel', () => {
  const check = (...files: string[]) => JSON.parse(execFileSync('python3', [CHECKER, ...files], { encoding: 'utf8' })) as { python: number; faults: string[] };

  test('have no TypeScript in blocks marked as Python', () => {
    const [site] = readdirSync(join(app, '.venv/lib')).map((name) => join(app, '.venv/lib', name, 'site-packages'));
    const [info] = readdirSync(site).filter((name) => /^cdk_agentcore_workbench-.*\.dist-info$/.test(name));

    const { python: blocks, faults } = check(join(site, 'cdk_agentcore_workbench/__init__.py'), join(site, info, 'METADATA'));

    expect(faults).toEqual([]);
    expect(blocks).toBeGreaterThan(10);
  });

  test.each([
    ['a fence', '```python\nconst runtime = new AgentRuntime(this, "Agent", { mounts });\n```'],
    ['a fence that Python would read', '```python\nSessionStorage("/mnt/workspace");\n```'],
    ['a fence after one with more than its language', '```sh not-run: why\nx\n```\n```python\nconst x = 1;\n```'],
    ['a fence of TypeScript', '```ts\nx\n```'],
    ['an example', 'Example::\n\n    runtime.with(SessionStorage("/mnt/workspace"))\n'],
    ['an example with a line that Python would read', 'Example::\n\n    # a\n\n    runtime.grant(this.role)\n'],
  ])('are checked: TypeScript in %s is found', (_, docs) => {
    writeFileSync(join(home, 'docs.py'), `class X:\n    '''\n${docs.replaceAll(/^/gm, '    ')}\n    '''\n`);

    expect(check(join(home, 'docs.py')).faults).toEqual([expect.stringMatching(/^X: /)]);
  });
});
