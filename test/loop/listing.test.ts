import { spawnSync } from 'node:child_process';
import { LIMITS } from '../../src/jobs/constants';
import { compare, LISTING_PART } from '../../src/loop/steps/listing';
import { BASE_PART } from '../../src/loop/steps/workspace-parts.generated';

// The listings of two sessions, compared. workspace-differs.sh has the kinds of names.
const ALL = ['.d', '.f', '.c', '.g', '.x'];
const listing = (...records: string[]) => Buffer.from(['printed by something else', ...records, ''].join('\0'));
const only = (workspace: readonly string[], clean: readonly string[] = [], isBootstrapped = true) =>
  compare(listing(...workspace, ...ALL), listing(...clean, ...ALL), isBootstrapped);
const files = (workspace: readonly string[], clean: readonly string[] = []) => only(workspace, clean)?.files?.names;

test('what both have, or only the clean checkout, is not named', () => {
  expect(only(['ddist/', 'fdist/a', 'cx', 'gy', 'xz'], ['ddist/', 'fdist/a', 'dmore', 'cx', 'cw', 'gy', 'xz', 'xw'])).toBeUndefined();
});

test('a directory of which the clean checkout has nothing is one name, up to what git ignores', () => {
  expect(files(['dsrc/gen/', 'fsrc/gen/a/b', 'fsrc/gen/c'])).toEqual(['src/gen/']);
  expect(files(['dsrc/gen/', 'fsrc/gen/a/b', 'fsrc/gen/c'], ['dsrc/gen/', 'fsrc/gen/d'])).toEqual(['src/gen/a/', 'src/gen/c']);
  expect(files(['dsrc/.env'], ['dsrc/other.log'])).toEqual(['src/.env']);
  expect(files(['dbuild/'])).toEqual(['build/']);
  expect(files(['dbuild/'], ['dbuild/', 'fbuild/x'])).toBeUndefined();
});

test('a file in place of a directory is named', () => {
  expect(files(['dbuild'], ['dbuild/', 'fbuild/x'])).toEqual(['build']);
});

test('directories of packages are not among the files, but links in their place are', () => {
  expect(files(['dnode_modules/', 'da/node_modules/', 'dsite-packages/', 'db/node_modules'])).toEqual(['b/node_modules']);
});

test('files that tools write by themselves come last, and files near the root first', () => {
  expect(files(['da.log', 'dcoverage/', 'da/b/c', 'dlib/', 'flib/__pycache__/x.pyc', 'd.env', 'd.pytest_cache/'], ['dlib/', 'flib/x'])).toEqual(['.env', 'a/b/c', '.pytest_cache/', 'a.log', 'coverage/', 'lib/__pycache__/']);
});

test('a package that is installed anywhere in the clean checkout is not named', () => {
  expect(only(['cboth', 'gmoved', 'cmine', 'galso'], ['gboth', 'cmoved'])).toEqual({ packages: { names: ['also', 'mine'], count: 2 } });
});

test('packages of the clone are not named before the bootstrap has installed any', () => {
  expect(only(['cmine', 'gglobal'], [], false)).toEqual({ packages: { names: ['global'], count: 1 } });
});

test.each([
  ['d', { packages: ['p'], programs: ['x'] }],
  ['f', { files: ['e/'], packages: ['p'], programs: ['x'] }],
  ['c', { files: ['d/new', 'e/'], programs: ['x'] }],
  ['g', { files: ['d/new', 'e/'], programs: ['x'] }],
  ['x', { files: ['d/new', 'e/'], packages: ['p'] }],
])('a list of the clean checkout that is not complete, of the kind %s, proves nothing', (kind, expected) => {
  const found = compare(listing('dd/', 'fd/new', 'fd/old', 'de/', 'cp', 'xx'), listing('dd/', 'fd/old', ...ALL.filter((end) => end !== `.${kind}`)), true);
  const names = Object.fromEntries(Object.entries(found ?? {}).map(([name, list]) => [name, [...list.names].sort()]));
  expect(names).toEqual(expected);
});

test('a list of the workspace that is not complete is enough', () => {
  expect(compare(listing('de/', 'xtool'), listing(...ALL), true)).toEqual({ files: { names: ['e/'], count: 1 }, programs: { names: ['tool'], count: 1 } });
});

test('a name that was cut off is not one', () => {
  expect(compare(Buffer.from('\0xtool\0xcut'), listing(...ALL), true)).toEqual({ programs: { names: ['tool'], count: 1 } });
});

test.each([['nothing', ''], ['no list', 'x'.repeat(1_000_000)], ['unknown kinds', '\0Q\0?x\0\0\0x\0'], ['bytes that are no text', '\0x\ud800']])('a session that prints %s has nothing', (_, output) => {
  expect(compare(Buffer.from(output), listing(...ALL), true)).toBeUndefined();
  expect(compare(listing('xtool', ...ALL), Buffer.from(output), true)).toBeUndefined();
});

test('at most ten names are kept, each of at most 200 characters, with their number', () => {
  const { programs } = only(Array.from({ length: 20_000 }, (_, index) => `x${String(index).padStart(6, '0')}`))!;
  expect(programs).toMatchObject({ names: expect.arrayContaining(['000000', '000009']), count: 20_000 });
  expect(programs!.names).toHaveLength(10);
  const [long] = only([`x${'l'.repeat(100_000)}`])!.programs!.names;
  expect(long).toBe('l'.repeat(200));
  expect(only(Array.from({ length: 10 }, (_, index) => `x${index}${'l'.repeat(199)}`))!.programs!.names.join('').length).toBeLessThanOrEqual(500);
});

test('what cannot be seen in a name is encoded', () => {
  const names = only(['xa\nb', 'xc\u001b[31m', 'xd\u202ee', 'xf\u2028g', 'xh\u{e0041}i', 'xé 漢 $(x)'])!.programs!.names;
  expect([...names].sort()).toEqual(['a\\u{a}b', 'c\\u{1b}[31m', 'd\\u{202e}e', 'f\\u{2028}g', 'h\\u{e0041}i', 'é 漢 $(x)']);
});

test('names of properties of objects are names', () => {
  expect(only(['x__proto__', 'xconstructor', 'c__proto__'])).toEqual({ packages: { names: ['__proto__'], count: 1 }, programs: { names: ['__proto__', 'constructor'], count: 2 } });
});

test('the script is bash, and leaves enough space in a command', () => {
  const script = `${BASE_PART}\n${LISTING_PART}`;
  expect(spawnSync('bash', ['-n', '-c', script]).status).toBe(0);
  expect(Buffer.byteLength(script)).toBeLessThan(LIMITS.commandBytes * 7 / 8);
});
