import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { InstalledPackage } from '../support/installed-package';

// The test installs the CDK, two versions of Node and TypeScript loaders into an empty folder.
jest.setTimeout(600_000);

let installed: InstalledPackage;
beforeAll(() => {
  installed = InstalledPackage.install('node-20@npm:node@20', 'node-22@npm:node@22', 'node-24@npm:node@24', 'tsx@4', 'ts-node@10', 'typescript@5', 'esbuild@0.25', 'webpack@5');
  installed.write('package.json', '{ "private": true, "type": "module" }\n');
  installed.write('commonjs.cjs', `const { App, Stack } = require('aws-cdk-lib');\nconst { AgentRuntime, GitRepository } = require('cdk-agentcore-workbench');\n${SYNTH}`);
  installed.write('module.mjs', IMPORTS + SYNTH);
  installed.write('module.ts', IMPORTS + SYNTH);
  installed.write('commonjs/package.json', '{ "private": true }\n'); // the file that "cdk init" creates
  installed.write('commonjs/app.ts', IMPORTS + SYNTH);
  installed.write('names.mjs', "import * as all from 'cdk-agentcore-workbench';\nconsole.log(Object.keys(all).filter((name) => /^[A-Z]/.test(name)).sort().join());\n");
  installed.write('names.cjs', "console.log(Object.keys(require('cdk-agentcore-workbench')).filter((name) => /^[A-Z]/.test(name)).sort().join());\n");
  installed.write('rehearsal.mjs', "import { Rehearsal } from 'cdk-agentcore-workbench/rehearsal';\nconsole.log(typeof Rehearsal.start);\n");
  installed.write('value.txt', 'wrong\n');
  installed.write('.gitignore', 'node_modules/\n.rehearsal/\n');
  for (const args of [['init', '--quiet'], ['add', '--all'], ['-c', 'user.name=somebody', '-c', 'user.email=somebody@localhost', 'commit', '--quiet', '--message=begin']]) installed.run('git', ...args);
  installed.write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "isolatedModules": true, "target": "es2022", "skipLibCheck": true } }\n');
});
afterAll(() => installed.remove());

const IMPORTS = "import { App, Stack } from 'aws-cdk-lib';\nimport { AgentRuntime, GitRepository } from 'cdk-agentcore-workbench';\n";
const SYNTH = `
const stack = new Stack(new App(), 'Stack');
console.log(typeof AgentRuntime, GitRepository.fromUrl('https://git.example.com/shop.git').url, stack.stackName);
`;
const SYNTHESIZED = 'function https://git.example.com/shop.git Stack\n';

describe.each(['20', '22', '24'])('under Node.js %s', (version) => {
  const node = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(join(installed.app, `node_modules/node-${version}/bin/node`), args, { cwd: installed.app, encoding: 'utf8' });
    return status === 0 ? stdout : stderr;
  };

  test('runs that version of node', () => {
    expect(node('--version')).toMatch(new RegExp(`^v${version}\\.`));
  });

  test.each([
    ['CommonJS', ['commonjs.cjs']],
    ['an ES module', ['module.mjs']],
    ['tsx, in an ES module', ['--import', 'tsx', 'module.ts']],
    ['tsx, in CommonJS', ['--import', 'tsx', 'commonjs/app.ts']],
    ['ts-node', ['-r', 'ts-node/register/transpile-only', 'commonjs/app.ts']],
  ])('the names are exported in %s', (_, args) => {
    expect(node(...args)).toBe(SYNTHESIZED);
  });

  test('an ES module sees the same names as CommonJS', () => {
    expect(node('names.mjs')).toBe(node('names.cjs'));
    expect(node('names.mjs').split(',').length).toBeGreaterThan(15);
  });

  test('an ES module can import the rehearsal, and a project of ES modules is rehearsed', () => {
    expect(node('rehearsal.mjs')).toBe('function\n');
    const story = node('node_modules/cdk-agentcore-workbench/rehearsal-dist/cli.js', 'rehearse', '--repository', '.', '--prompt', 'Make it right',
      '--agent', 'echo right > value.txt', '--gate', 'value=grep right value.txt');
    expect(story).toContain('COMMITTED after 1 turn');
  });
});

test.each(['esm', 'cjs'])('esbuild bundles the library, as %s', (format) => {
  installed.run('npx', 'esbuild', 'module.mjs', '--bundle', '--platform=node', `--format=${format}`, '--external:aws-cdk-lib', '--external:constructs', `--outfile=bundle.${format === 'esm' ? 'mjs' : 'cjs'}`,
    ...(format === 'esm' ? ["--banner:js=import { createRequire } from 'module'; const require = createRequire(import.meta.url);"] : []));

  expect(execFileSync(process.execPath, [`bundle.${format === 'esm' ? 'mjs' : 'cjs'}`], { cwd: installed.app, encoding: 'utf8' })).toBe(SYNTHESIZED);
});

test('webpack bundles the library', () => {
  installed.write('bundle-with-webpack.cjs', `
    require('webpack')({ mode: 'none', target: 'node', entry: './module.mjs', output: { path: __dirname, filename: 'webpacked.cjs' }, externals: [/^aws-cdk-lib/, 'constructs'], externalsType: 'commonjs' },
      (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });
  `);
  installed.run(process.execPath, 'bundle-with-webpack.cjs');

  expect(installed.run(process.execPath, 'webpacked.cjs')).toBe(SYNTHESIZED);
});
