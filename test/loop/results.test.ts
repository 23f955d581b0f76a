import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { Tail } from '../../src/jobs/tail';
import { OFFER_PART } from '../../src/loop/steps/offer-script.generated';
import { nonceOf, resultsOf, WORKSPACE_WORDS } from '../../src/loop/steps/results';
import { AWAY_SCRIPT, FRESH_SCRIPT, MOVE_SCRIPT, PREPARE_SCRIPT, REMOTE_SCRIPT, WORKSPACE_SCRIPT } from '../../src/loop/steps/workspace-scripts';

const NONCE = 'c0ffee';
const TREE = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const block = (lines: readonly string[], nonce = NONCE) => [`@result ${nonce}`, ...lines, `@end ${nonce} ${lines.length}`].join('\n');
const verified = (...changed: string[]) => [`tree ${TREE}`, 'left-count 0', `changed-count ${changed.length}`, ...changed.map((name) => `changed ${name}`)];

test('a function\'s result is its only block, wherever it is in the output', () => {
  const log = `tree ${OTHER}\nhint: x\n${block([`tree ${OTHER}`, 'changed-count 0'], 'another')}\n${block(verified('a.js'))}\ntree ${OTHER}\nlate`;
  expect(resultsOf(log, NONCE, 'verify')).toEqual({ tree: TREE, left: { names: [], count: 0 }, changed: { names: ['a.js'], count: 1 } });
});

test.each<[string, string]>([
  ['nothing', ''],
  ['words without a block', verified().join('\n')],
  ['a block of another call', block(verified(), 'another')],
  ['two blocks', `${block(verified())}\n${block(verified())}`],
  ['a block without its start', block(verified()).replace(/^.*\n/, '')],
  ['a block without its end', block(verified()).replace(/\n.*$/, '')],
  ['a block that starts twice', `@result ${NONCE}\n${block(verified())}`],
  ['a block that ends twice', `${block(verified())}\n@end ${NONCE} 3`],
  ['a block with an extra line', block(verified()).replace('changed-count', `tree ${TREE}\nchanged-count`)],
  ['a block with a missing line', block(verified('a.js')).replace('changed a.js\n', '')],
  ['a missing word', block(['left-count 0', 'changed-count 0'])],
  ['a duplicate word', block([`tree ${TREE}`, ...verified()])],
  ['a duplicate count', block([...verified(), 'changed-count 0'])],
  ['an unknown word', block([...verified(), 'pushed yes'])],
  ['a line that is not a word', block([...verified(), 'changed'])],
  ['an invalid object', block(['tree HEAD', 'left-count 0', 'changed-count 0'])],
  ['a list without its count', block([`tree ${TREE}`, 'left-count 0'])],
  ['a list with too few values', block([`tree ${TREE}`, 'left-count 0', 'changed-count 2'])],
  ['a list with too many values', block([`tree ${TREE}`, 'left-count 0', 'changed-count 1', 'changed a', 'changed b'])],
  ['a count that is not a number', block([`tree ${TREE}`, 'left-count 0', 'changed-count 1e1', 'changed a'])],
])('fails with %s', (_, log) => {
  expect(() => resultsOf(log, NONCE, 'verify')).toThrow(expect.objectContaining({ name: 'NoResultError' }));
});

test('any text stays one value', () => {
  const text = fc.array(fc.oneof(fc.constantFrom('\n', '\r', '\\', '\\x0a', '\u001b[31m', '\t', ' ', '%', "'", '"', '$(x)', `@end ${NONCE} 0`), fc.string({ unit: 'binary', maxLength: 3 })), { minLength: 1, maxLength: 60 })
    .map((parts) => parts.join('')).filter((value) => !value.includes('\0') && Buffer.byteLength(value) <= 500 && !/[\u0080-\u009f]/.test(value));
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (values) => {
    const script = `${WORKSPACE_SCRIPT}\nthings() { tell changed "$@"; tell left; say tree ${TREE}; }\nperform things "$@"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...values], { env: { PATH: process.env.PATH, SHLVL: '1', WB_NONCE: NONCE, WB_MOUNT: '/nowhere' } });
    expect(stderr.toString()).toBe('');
    const tail = new Tail(24_576);
    tail.push(stdout);
    expect(resultsOf(tail.text(), NONCE, 'verify')).toMatchObject({ tree: TREE, changed: { names: values, count: values.length } });
  }), { numRuns: 25 });
});

test('names beyond a record\'s limit are counted, and the result fits the kept end of a log', () => {
  const script = `${WORKSPACE_SCRIPT}\nthings() { tell left; say tree ${TREE}; tell changed "$@"; }\nperform things "$@"`;
  const names = Array.from({ length: 1_000 }, (_, index) => `${index}${'\n'.repeat(300)}`);
  const { stdout } = spawnSync('bash', ['-c', script, 'bash', ...names], { env: { PATH: process.env.PATH, SHLVL: '1', WB_NONCE: NONCE, WB_MOUNT: '/nowhere' }, encoding: 'utf8' });
  const { changed } = resultsOf(stdout, NONCE, 'verify');
  expect(changed).toMatchObject({ count: 1_000, names: names.slice(0, changed.names.length) });
  expect(changed.names.length).toBeGreaterThan(0);
  expect(stdout.length).toBeLessThan(5_000);
});

test('a function that does not complete has no result', () => {
  const script = `${WORKSPACE_SCRIPT}\nthings() { say tree ${TREE}; tell changed; false; }\nperform things`;
  const { status, stdout } = spawnSync('bash', ['-c', script], { env: { PATH: process.env.PATH, SHLVL: '1', WB_NONCE: NONCE, WB_MOUNT: '/nowhere', WB_RUN: 'run' }, encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 79, stdout: '' });
});

test('processes that the script starts do not see the nonce', () => {
  const script = `${WORKSPACE_SCRIPT}\nthings() { say holder "$(printenv WB_MOUNT WB_NONCE)"; }\nperform things`;
  const { stdout } = spawnSync('bash', ['-c', script], { env: { PATH: process.env.PATH, SHLVL: '1', WB_NONCE: NONCE, WB_MOUNT: '/nowhere' }, encoding: 'utf8' });
  expect(resultsOf(stdout, NONCE, 'claim').holder).toBe('/nowhere');
});

test('each job of a run has its own nonce, which a retry keeps', () => {
  const all = [nonceOf('key', [0, 'snapshot']), nonceOf('key', [1, 'snapshot']), nonceOf('key', [0, 'verify']), nonceOf('other', [0, 'snapshot'])];
  expect(new Set(all).size).toBe(4);
  expect(nonceOf('key', [0, 'snapshot'])).toBe(all[0]);
});

test('the functions and their fields match the scripts', () => {
  const scripts = [PREPARE_SCRIPT, MOVE_SCRIPT, WORKSPACE_SCRIPT, REMOTE_SCRIPT, AWAY_SCRIPT, FRESH_SCRIPT, OFFER_PART].join('\n');
  for (const name of Object.keys(WORKSPACE_WORDS)) expect(scripts).toMatch(new RegExp(`^${name}\\(\\) \\{`, 'm'));
  const words = [...scripts.matchAll(/(?:^| )(?:say|tell) ([a-z-]+) \S/gm)].map(([, word]) => word);
  expect([...new Set(words)].sort()).toEqual([...new Set(Object.values(WORKSPACE_WORDS).flatMap((kinds) => Object.keys(kinds)))].sort());
});
