import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesizeCoder } from './coder';
import { ROOT } from '../support/installed-package';

// The test compiles the CDK.
jest.setTimeout(1_800_000);

const MODULE = 'github.com/cdk-agentcore-workbench/cdk-agentcore-workbench-go/cdkagentcoreworkbench';
const PACKAGE = join(ROOT, 'dist/go/cdkagentcoreworkbench');

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'go-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('an app in Go builds with the module and has the same template as the app in TypeScript', () => {
  mkdirSync(join(home, 'agent'));
  writeFileSync(join(home, 'agent/agent.py'), 'print("stands for an agent")\n');
  copyFileSync(join(__dirname, 'coder.go'), join(home, 'main.go'));
  writeFileSync(join(home, 'go.mod'), `module coder\n\ngo 1.25\n\nrequire ${MODULE} v0.0.0\n\nreplace ${MODULE} => ${PACKAGE}\n`);

  // Adds the modules that the imports need, then builds and runs the app.
  execFileSync('go', ['mod', 'tidy'], { cwd: home, stdio: 'pipe' });
  execFileSync('go', ['build', '-o', 'coder', '.'], { cwd: home, stdio: 'pipe' });
  execFileSync('./coder', { cwd: home, stdio: 'pipe', env: { ...process.env, CDK_OUTDIR: 'cdk.out' } });

  const ours = synthesizeCoder(home, join(home, 'typescript'));
  const read = (directory: string) => JSON.parse(readFileSync(join(directory, 'Coder.template.json'), 'utf8')) as object;
  expect(read(join(home, 'cdk.out'))).toEqual(read(ours));
});

test('the module requires the versions of the oldest supported CDK', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules/aws-cdk-lib/package.json'), 'utf8')) as { version: string };

  expect(readFileSync(join(PACKAGE, 'go.mod'), 'utf8')).toContain(`github.com/aws/aws-cdk-go/awscdk/v2 v${version}\n`);
});
