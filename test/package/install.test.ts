import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledPackage, ROOT } from '../support/installed-package';

// The test installs the CDK into an empty folder and compiles against it.
jest.setTimeout(300_000);

const EXAMPLE = join(ROOT, 'examples/first-loop');
const TYPES = { types: ['jest', 'node'], typeRoots: [join(ROOT, 'node_modules/@types')], strict: true, noEmit: true, skipLibCheck: false, target: 'es2022' };

/** A user's CDK app. */
let installed: InstalledPackage;
let app: string;

const run = (program: string, ...args: string[]) => installed.run(program, ...args);

beforeAll(() => {
  installed = InstalledPackage.install();
  const { home } = installed;
  app = installed.app;

  // Follows the tutorial: a copy of the example, next to a repository.
  for (const name of ['agent', 'input.json']) cpSync(join(EXAMPLE, name), join(app, name), { recursive: true });
  writeFileSync(join(app, 'app.ts'), readFileSync(join(EXAMPLE, 'app.ts'), 'utf8').replace('../../src', 'cdk-agentcore-workbench'));
  writeFileSync(join(app, 'loop.test.ts'), codeOf('docs/tutorial.md'));
  const project = join(home, 'my-project');
  cpSync(join(EXAMPLE, 'repository'), project, { recursive: true });
  run('git', 'init', '--quiet', project);
  run('git', '-C', project, 'add', '--all');
  run('git', '-C', project, '-c', 'user.name=somebody', '-c', 'user.email=somebody@localhost', 'commit', '--quiet', '--message', 'the beginning');
});
afterAll(() => installed.remove());

/** Returns the only TypeScript block of a page. */
function codeOf(page: string): string {
  const [code, ...others] = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text);
  expect([code, others]).toEqual([expect.any(String), []]);
  return code;
}

/** Returns the compiler's errors. */
function typecheck(options: object): string {
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...TYPES, ...options }, files: ['app.ts', 'loop.test.ts'] }));
  return spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--project', app], { cwd: app, encoding: 'utf8' }).stdout;
}

test('the installed package has the pages and pictures that its README links to, but not the examples and the pages for contributors', () => {
  const folder = join(app, 'node_modules/cdk-agentcore-workbench');
  const links = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/(?:\]\(|\bsrc(?:set)?=")((?!https:|examples\/|CONTRIBUTING)[^)"#]+)/g)].map(([, link]) => link);

  expect(links).toEqual(expect.arrayContaining(['rehearsal/FEATURES.md', 'docs/images/report-dark.png', 'docs/images/report-light.png']));
  expect(links.filter((link) => !existsSync(join(folder, link)))).toEqual([]);
});

test('the installed package rehearses any repository with one command', () => {
  const story = run('npx', '--no-install', 'cdk-agentcore-workbench', 'rehearse', '--repository', '../my-project',
    '--agent', "sed -i 's/index = 1/index = 0/; s/sum > /sum >= /' prices.mjs", '--gate', 'test=npm test', '--prompt', 'A basket is charged wrongly');

  expect(story).toContain('COMMITTED after 1 turn');
  const [, directory, branch] = /git -C \S+ fetch (\S+) (\S+):\S+/.exec(story)!;
  expect(run('git', '--git-dir', directory, 'show', `${branch}:prices.mjs`)).toContain('sum >= 10_000');
});

test.each([
  ['that reads "exports"', { module: 'nodenext' }],
  ['that does not', { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' }],
])('a compiler %s finds its types', (_, options) => {
  expect(typecheck(options)).toBe('');
});

test('the tutorial\'s app is rehearsed as synthesized, and its test passes', () => {
  run('env', 'CDK_OUTDIR=cdk.out', process.execPath, join(ROOT, 'node_modules/ts-node/dist/bin.js'), '--transpile-only', 'app.ts');

  const story = run('npx', '--no-install', 'cdk-agentcore-workbench', 'rehearse', '--app', 'cdk.out', '--input', 'input.json', '--repository', '../my-project');
  expect(story).toContain('COMMITTED after 2 turns');

  const config = { rootDir: app, modulePathIgnorePatterns: ['/\\.rehearsal/'], transform: { '\\.ts$': [join(ROOT, 'node_modules/ts-jest'), { tsconfig: { ...TYPES, noEmit: false, isolatedModules: true } }] } };
  run(process.execPath, join(ROOT, 'node_modules/jest/bin/jest.js'), '--ci', '--config', JSON.stringify(config));
});
