import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'flaky-tests-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs Jest on one file, with the project's set-up and reporter. The test fails in its first try only, unless the code says otherwise. */
function run(code: string, secondTry: string) {
  writeFileSync(join(folder, 'package.json'), '{}');
  writeFileSync(join(folder, 'a.test.js'), `let tries = 0;\ntest('a test', () => {\n  tries += 1;\n  ${code}\n});\n`);
  const config = {
    rootDir: folder,
    reporters: [join(ROOT, 'test/support/flaky-tests.js')],
    setupFilesAfterEnv: [join(ROOT, 'test/support/second-try.ts')],
    transform: { '\\.ts$': [require.resolve('ts-jest', { paths: [ROOT] }), { diagnostics: false, tsconfig: { module: 'commonjs', isolatedModules: true } }] },
  };
  const { status, stderr } = spawnSync(process.execPath, [require.resolve('jest/bin/jest', { paths: [ROOT] }), '--config', JSON.stringify(config)], {
    cwd: folder, encoding: 'utf8', env: { ...process.env, WORKBENCH_SECOND_TRY: secondTry },
  });
  return { status, stderr };
}

const FLAKY = 'if (tries === 1) throw new Error("the first time");';

test('a test that passes in its second try is named, with what failed', () => {
  const { status, stderr } = run(FLAKY, '1');
  expect(stderr).toMatch(/^FLAKY .*a\.test\.js: a test\nError: the first time$/m);
  expect(status).toBe(0);
});

test.each([
  ['a test that fails twice', 'throw new Error("each time");', '1'],
  ['a flaky test without a second try', FLAKY, ''],
])('%s fails', (_, code, secondTry) => {
  expect(run(code, secondTry).status).toBe(1);
});

test('a property that failed once fails the run', () => {
  const { status, stderr } = run('if (tries === 1) throw new Error("Property failed after 3 tests");', '1');
  expect(stderr).toMatch(/^FLAKY .*a test$/m);
  expect(status).toBe(1);
});
