import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { JobResult } from '../../src/jobs/job';
import { fingerprint } from '../../src/loop/steps/fingerprint';
import { GateConfig, shortNameOf, weighed } from '../../src/loop/steps/judge';
import { readReports } from '../../src/loop/steps/junit';
import { BaseGate } from '../../src/loop/steps/records';
import { listingOf } from '../../src/loop/steps/report';

// The verdict of a gate by its command, its reports and the same gate on the base.
const GATE: GateConfig = { name: 'test', command: 'x', timeoutSeconds: 1, report: 'r.xml' };

function resultOf(verdict: string, exitCode: number | null, tail = ''): JobResult {
  return { verdict, exitCode, tail, status: 'ENDED' } as JobResult;
}

function reportOf(tests: number, failing: readonly string[] = [], skipped = 0) {
  return { results: { tests, failed: failing.length, skipped, failing: failing.map((name) => ({ name, message: '' })) } };
}

function baseOf(verdict: BaseGate['verdict'], exitCode: number, failing: readonly string[] = [], ran = 10): BaseGate {
  return { name: 'test', verdict, exitCode, seconds: 1, logPath: '', known: failing.map(shortNameOf).join(''), tests: { ran, failed: failing.length, skipped: 0 } };
}

const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 6 });

test('a gate never passes with a failing test that the base does not have, and with none always does', () => {
  fc.assert(fc.property(names, names, fc.constantFrom(0, 1), fc.boolean(), (failing, known, exitCode, isTolerant) => {
    const base = baseOf(known.length > 0 ? 'FAILED' : 'PASSED', known.length > 0 ? 1 : 0, known);
    const { verdict } = weighed(GATE, resultOf(exitCode === 0 ? 'PASSED' : 'FAILED', exitCode), reportOf(10, failing), base, isTolerant);
    const left = [...known];
    const fresh = failing.filter((name) => !isTolerant || left.indexOf(name) < 0 || left.splice(left.indexOf(name), 1).length === 0);
    // A command that fails without a failing test fails for another reason.
    expect(verdict).toBe(fresh.length === 0 && (exitCode === 0 || failing.length > 0) ? 'PASSED' : 'FAILED');
  }));
});

test.each<[string, number, number, BaseGate['verdict'], string]>([
  ['ends with another exit code than on the base', 2, 1, 'FAILED', 'FAILED'],
  ['ends as on the base', 1, 1, 'FAILED', 'PASSED'],
  ['did not end on the base', 1, 1, 'TIMED_OUT', 'FAILED'],
  ['was missing on the base', 1, 127, 'INERT', 'FAILED'],
])('a gate with known failures that %s', (_, exitCode, before, on, verdict) => {
  expect(weighed(GATE, resultOf('FAILED', exitCode), reportOf(10, ['a']), baseOf(on, before, ['a']), true).verdict).toBe(verdict);
});

test('without a report, a failure is known by its exit code and its output', () => {
  const gate = { ...GATE, report: undefined };
  const red = resultOf('FAILED', 1, 'broken after 12 ms');
  const base = { ...baseOf('FAILED', 1), failure: fingerprint('test', 'FAILED', red, []) };
  expect(weighed(gate, resultOf('FAILED', 1, 'broken after 99 ms'), undefined, base, true)).toEqual({ verdict: 'PASSED', knownFailure: true });
  expect(weighed(gate, resultOf('FAILED', 1, 'broken in two'), undefined, base, true)).toEqual({ verdict: 'FAILED' });
  expect(weighed(gate, resultOf('FAILED', 2, 'broken after 99 ms'), undefined, base, true)).toEqual({ verdict: 'FAILED' });
  expect(weighed(gate, red, undefined, base, false)).toEqual({ verdict: 'FAILED' });
});

test.each(['TIMED_OUT', 'INERT', 'LOST'])('a gate that is %s has no tests, whatever its report says', (verdict) => {
  expect(weighed(GATE, resultOf(verdict, null), reportOf(10), baseOf('FAILED', 1, ['a']), true)).toEqual({ verdict });
});

test('fewer tests fail a gate only if asked for, also with known failures', () => {
  const fewer = reportOf(9, ['a']);
  const base = baseOf('FAILED', 1, ['a']);
  expect(weighed(GATE, resultOf('PASSED', 0), reportOf(9), base, true)).toMatchObject({ verdict: 'PASSED', tests: { ran: 9, ranBefore: 10 } });
  expect(weighed({ ...GATE, failOnFewerTests: true }, resultOf('FAILED', 1), fewer, base, true)).toMatchObject({ verdict: 'FAILED', reason: '9 tests ran, and 10 ran without the change' });
  expect(weighed({ ...GATE, minTests: 10 }, resultOf('PASSED', 0), reportOf(12, [], 3), undefined, false)).toMatchObject({ verdict: 'FAILED', reason: '9 tests ran, and at least 10 must' });
  expect(weighed({ ...GATE, minTests: 0 }, resultOf('PASSED', 0), reportOf(0), undefined, false)).toMatchObject({ verdict: 'PASSED' });
});

test('a command that fails with fewer tests than on the base has not only known failures: a runner that dies leaves tests out', () => {
  const said = weighed(GATE, resultOf('FAILED', 1), reportOf(9, ['a']), baseOf('FAILED', 1, ['a']), true);
  expect(said).toMatchObject({ verdict: 'FAILED', reason: 'the command failed, and 9 tests of 10 on the base ran', tests: { knownFailures: 1 } });
  const files = ['jest-red.xml', 'jest-load.xml'].map((name) => readReports([{ name, xml: readFileSync(join(__dirname, 'reports', name)) }]));
  const [red, load] = files.map((results) => ({ results }));
  const base = { ...baseOf('FAILED', 1, red.results.failing.map(({ name }) => name)), tests: weighed(GATE, resultOf('FAILED', 1), red, undefined, true).tests };
  expect(weighed(GATE, resultOf('FAILED', 1), load, base, true).verdict).toBe('FAILED');
});

describe('the list of the reports', () => {
  const files = fc.array(fc.tuple(fc.stringMatching(/^[a-z/ @$'\\]{1,20}$/), fc.uint8Array({ maxLength: 50 })), { maxLength: 8 });

  test('comes back with the contents, whatever they are, and whatever was printed before it', () => {
    fc.assert(fc.property(files, fc.constantFrom('', 'a profile printed this\n'), (list, noise) => {
      const bytes = list.reduce((sum, [, { length }]) => sum + length, 0);
      const lines = [...list.map(([, { length }], index) => `${length} ${index} times`), ...list.map(([name]) => name)];
      const head = `${noise}@reports ${list.length} ${bytes}\n${lines.map((line) => `${line}\n`).join('')}`;
      const output = Buffer.concat([Buffer.from(head), ...list.map(([, data]) => Buffer.from(data))]);
      expect(listingOf(output, true).files.map(({ name, xml }) => [name, [...xml]])).toEqual(list.map(([name, data]) => [name, [...data]]));
      expect(listingOf(Buffer.concat([output, Buffer.from('x')]), true).fault).toBe('the reports changed while they were read');
      // The last line without its end.
      expect(listingOf(Buffer.from(head.slice(0, -1)), false).fault).toBe('the list of the reports cannot be read');
    }));
  });

  test.each([
    ['', 'the list of the reports cannot be read'],
    ['@reports one 2\n', 'the list of the reports cannot be read'],
    ['@reports 5001 0\n', 'the gate has 5001 reports, and at most 5000 are read: make "report" more specific'],
    ['@reports 1 16777217\n16777217 1\nr.xml\n', 'the reports have 16777217 bytes, and at most 16777216 are read: let the tests write less output into them'],
  ])('%j is refused', (output, fault) => {
    expect(listingOf(Buffer.from(output), true)).toEqual({ files: [], fault });
  });
});
