import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

const script = readFileSync(join(ROOT, '.ci/nightly'), 'utf8');
const variables = [...new Set(script.match(/\bWORKBENCH_[A-Z_]+(?==)/g))];
/** The arguments of jest in the script. jest takes them for regular expressions. */
const patterns = [...script.matchAll(/^npx jest (.*)$/gm)].flatMap(([, words]) => words.split(' ').filter((word) => word.startsWith('test/')));

const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).map((name) => `test/${name}`).filter((name) => name.endsWith('.test.ts'));
const using = (text: string) => tests.filter((name) => name !== 'test/check/nightly.test.ts' && readFileSync(join(ROOT, name), 'utf8').includes(text));

test.each(variables)('%s is set for tests that are run', (name) => {
  const supports = readdirSync(join(ROOT, 'test/support')).filter((file) => file.endsWith('.ts') && readFileSync(join(ROOT, 'test/support', file), 'utf8').includes(`process.env.${name}`));
  const users = [...using(name), ...supports.flatMap((file) => using(`support/${file.replace(/\.ts$/, '')}'`))];
  expect(users.length).toBeGreaterThan(0);
  expect(users.filter((user) => !patterns.some((pattern) => new RegExp(pattern).test(user)))).toEqual([]);
});
