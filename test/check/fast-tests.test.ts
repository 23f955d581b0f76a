import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { NOT_FAST } from '../../projenrc/fast-tests';

interface TestFile { readonly path: string }
// eslint-disable-next-line @typescript-eslint/no-require-imports -- jest itself loads it, without a compiler
const LongFirst = require('../support/long-first') as new (options: object) => { sort(tests: TestFile[]): TestFile[] };

const ROOT = resolve(__dirname, '../..');
const left = Object.entries(NOT_FAST).flatMap(([reason, files]) => files.map((file) => [file, reason] as const));

const all = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`);

/** The files that `jest` runs by default; the others have tasks of their own. */
const { jest: config } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { jest: { testPathIgnorePatterns: string[] } };
const ordinary = all.filter((file) => !config.testPathIgnorePatterns.some((pattern) => new RegExp(pattern).test(`/${file}`)));

test('lists each file that check:fast leaves out once, in order, and every one exists', () => {
  expect(left.map(([file]) => file).filter((file) => !all.includes(file))).toEqual([]);
  for (const files of Object.values(NOT_FAST)) expect(files).toEqual([...new Set(files)].sort());
  expect(new Set(left.map(([file]) => file)).size).toBe(left.length);
});

test.each(Object.entries(NOT_FAST).filter(([reason]) => reason.startsWith('needs ')))('check:fast leaves out exactly the files that this reason applies to: %s', (reason, files) => {
  const tool = reason.replace('needs ', '');
  const uses = (file: string) => new RegExp(`['"\`/]${tool}['"\`]`).test(readFileSync(join(ROOT, file), 'utf8'));
  expect(files.filter((file) => !uses(file))).toEqual([]);
  const others = ordinary.filter((file) => !file.startsWith('test/check/') && uses(file));
  expect(others.filter((file) => left.every(([known]) => known !== file))).toEqual([]);
});

test('check:fast runs all other files', () => {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen/tasks.json'), 'utf8')) as { tasks: { [name: string]: { steps: { exec?: string }[] } } };
  const { exec = '' } = tasks['check:fast'].steps.find((step) => step.exec?.includes('--testPathIgnorePatterns '))!;
  const ignored = exec.split('--testPathIgnorePatterns ')[1].split(' ').map((pattern) => new RegExp(pattern.replace(/'/g, '')));
  const run = all.filter((file) => !ignored.some((pattern) => pattern.test(`/${file}`)));
  expect(run).toContain('test/check/fast-tests.test.ts');
  expect(run).toEqual(ordinary.filter((file) => left.every(([known]) => known !== file)));
});

test('jest begins with the files that take long, however small they are', () => {
  const { testSequencer } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).jest as { testSequencer: string };
  expect(testSequencer).toBe('<rootDir>/test/support/long-first.js');
  const context = { config: { cacheDirectory: tmpdir(), id: 'none' }, hasteFS: { getSize: (path: string) => path.length } };
  const [long] = NOT_FAST['takes long'];
  const others = [`test/${'small'.repeat(50)}.test.ts`, `test/${'large'.repeat(100)}.test.ts`];
  const sorted = new LongFirst({}).sort([...others, long].map((file) => ({ path: join(ROOT, file), context })));
  expect(sorted.map(({ path }) => relative(ROOT, path))).toEqual([long, others[1], others[0]]);
});
