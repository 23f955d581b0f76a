import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NOT_FAST } from '../../projenrc/fast-tests';

const ROOT = resolve(__dirname, '../..');
const left = Object.entries(NOT_FAST).flatMap(([reason, files]) => files.map((file) => [file, reason] as const));

const all = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`);

/** What `jest` runs by itself: the rest has tasks of its own. */
const { jest: config } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { jest: { testPathIgnorePatterns: string[] } };
const ordinary = all.filter((file) => !config.testPathIgnorePatterns.some((pattern) => new RegExp(pattern).test(`/${file}`)));

test('what check:fast leaves out is there, once, and in order', () => {
  expect(left.map(([file]) => file).filter((file) => !all.includes(file))).toEqual([]);
  for (const files of Object.values(NOT_FAST)) expect(files).toEqual([...new Set(files)].sort());
  expect(new Set(left.map(([file]) => file)).size).toBe(left.length);
});

test.each(Object.entries(NOT_FAST).filter(([reason]) => reason.startsWith('needs ')))('what %s is left out, and nothing else for that reason', (reason, files) => {
  const tool = reason.replace('needs ', '');
  const uses = (file: string) => new RegExp(`['"\`/]${tool}['"\`]`).test(readFileSync(join(ROOT, file), 'utf8'));
  expect(files.filter((file) => !uses(file))).toEqual([]);
  const others = ordinary.filter((file) => !file.startsWith('test/check/') && uses(file));
  expect(others.filter((file) => left.every(([known]) => known !== file))).toEqual([]);
});

test('check:fast runs all others', () => {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, '.projen/tasks.json'), 'utf8')) as { tasks: { [name: string]: { steps: { exec?: string }[] } } };
  const { exec = '' } = tasks['check:fast'].steps.find((step) => step.exec?.startsWith('jest'))!;
  const ignored = exec.split('--testPathIgnorePatterns ')[1].split(' ').map((pattern) => new RegExp(pattern.replace(/'/g, '')));
  const run = all.filter((file) => !ignored.some((pattern) => pattern.test(`/${file}`)));
  expect(run).toContain('test/check/fast.test.ts');
  expect(run).toEqual(ordinary.filter((file) => left.every(([known]) => known !== file)));
});
