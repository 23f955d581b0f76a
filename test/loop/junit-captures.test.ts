import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readReports, ReportError, TestResults } from '../../src/loop/steps/junit';

const REPORTS = join(__dirname, 'reports');

/** Reads a captured report, or a directory of them. */
function captured(name: string): TestResults {
  const directory = join(REPORTS, name);
  const files = statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(directory).map((file) => join(name, file)) : [`${name}.xml`];
  return readReports(files.map((file) => ({ name: file, xml: readFileSync(join(REPORTS, file)) })));
}

interface Capture {
  readonly tests: number;
  readonly skipped: number;
  readonly failing: readonly string[];
}

const PYTEST = 'tests.test_prices.TestDiscount test_edge[at <100>]';
const GO = ['example.com/prices TestEdges/at_<100>', 'example.com/prices TestEdges'];
const VITEST = 'test/prices.test.js discount > edge <100>';
const BATS = './prices.bats edge <100>';
const SUREFIRE = 'prices.PricesTest edge(int)[1]';
const NEXTEST = 'prices tests::edge';

/**
 * What the real tools wrote, on the same suite: with one failure, with a second one, with a test deleted, with a process that dies in a test, and
 * with a file that cannot be loaded. Addresses and names of the machine are replaced; properties of the JVM and most lines of stacks are left out.
 */
const CAPTURES: Readonly<Record<string, Capture>> = {
  // pytest 9.2.0; the crash is that of a worker of pytest-xdist 3.8.0, since pytest itself leaves no report then.
  'pytest-red': { tests: 7, skipped: 2, failing: [PYTEST] },
  'pytest-new': { tests: 7, skipped: 2, failing: ['tests.test_prices test_small', PYTEST] },
  'pytest-deleted': { tests: 6, skipped: 2, failing: [PYTEST] },
  'pytest-crash': { tests: 7, skipped: 2, failing: [PYTEST, 'tests.test_prices.TestDiscount test_large'] },
  'pytest-load': { tests: 1, skipped: 0, failing: ['tests.test_more'] },
  'pytest-setup': { tests: 7, skipped: 2, failing: [PYTEST, 'tests.test_prices test_database'] },
  // A test that fails, and then its teardown: two test cases.
  'pytest-teardown': { tests: 8, skipped: 2, failing: [PYTEST, 'tests.test_prices test_database', 'tests.test_prices test_database'] },

  // gotestsum 1.13.0 with Go 1.26.8. The package that cannot be built counts no test, and has one.
  'gotestsum-red': { tests: 7, skipped: 1, failing: GO },
  'gotestsum-new': { tests: 7, skipped: 1, failing: ['example.com/prices TestSmall', ...GO] },
  'gotestsum-deleted': { tests: 6, skipped: 1, failing: GO },
  'gotestsum-crash': { tests: 6, skipped: 0, failing: [...GO, 'example.com/prices TestLarge'] },
  'gotestsum-load': { tests: 7, skipped: 1, failing: [...GO, 'example.com/prices/more TestMain'] },

  // Jest 29.7.0 with jest-junit 17.0.0. By default, it leaves out a file that cannot be loaded or whose worker died: only the number of tests, and
  // the command's exit code, tell.
  'jest-red': { tests: 7, skipped: 1, failing: ['discount edge <100>'] },
  'jest-new': { tests: 7, skipped: 1, failing: ['small', 'discount edge <100>'] },
  'jest-deleted': { tests: 6, skipped: 1, failing: ['discount edge <100>'] },
  'jest-crash': { tests: 2, skipped: 0, failing: [] },
  'jest-load': { tests: 5, skipped: 1, failing: ['discount edge <100>'] },
  // With reportTestSuiteErrors.
  'jest-load-reported': { tests: 7, skipped: 1, failing: ['discount edge <100>', 'Test suite failed to run test/more.test.js', 'Test suite failed to run test/more.test.js'] },

  // Mocha 11.8.0 with mocha-junit-reporter 2.2.1, which counts skipped tests and leaves them out, and with its own reporter "xunit". Neither writes a
  // report if a file cannot be loaded or the process dies.
  'mocha-red': { tests: 6, skipped: 0, failing: ['discount edge <100>'] },
  'mocha-new': { tests: 6, skipped: 0, failing: ['small', 'discount edge <100>'] },
  'mocha-deleted': { tests: 5, skipped: 0, failing: ['discount edge <100>'] },
  // A hook that fails: its two tests count, but are not there.
  'mocha-hook': { tests: 5, skipped: 0, failing: ['more "before all" hook for "more"', 'discount edge <100>', 'Mocha Tests'] },
  'mocha-xunit': { tests: 7, skipped: 1, failing: ['discount edge <100>'] },
  // Colors and a bell, as references to characters that XML forbids.
  'mocha-control': { tests: 7, skipped: 1, failing: ['more', 'discount edge <100>'] },

  // Vitest 4.1.12. The tests of a worker that was killed look as if they had passed: only the command's exit code tells.
  'vitest-red': { tests: 7, skipped: 1, failing: [VITEST] },
  'vitest-new': { tests: 7, skipped: 1, failing: ['test/prices.test.js small', VITEST] },
  'vitest-deleted': { tests: 6, skipped: 1, failing: [VITEST] },
  'vitest-crash': { tests: 7, skipped: 1, failing: [] },
  'vitest-load': { tests: 6, skipped: 1, failing: ['test/more.test.js', VITEST] },

  // Bats 1.13.0. It writes a report without suites if a file cannot be loaded.
  'bats-red': { tests: 5, skipped: 1, failing: [BATS] },
  'bats-new': { tests: 5, skipped: 1, failing: ['./prices.bats small', BATS] },
  'bats-deleted': { tests: 4, skipped: 1, failing: [BATS] },
  'bats-crash': { tests: 4, skipped: 0, failing: [BATS, './prices.bats later'] },
  'bats-load': { tests: 0, skipped: 0, failing: [] },
  // A control character that XML forbids.
  'bats-control': { tests: 1, skipped: 0, failing: ['c.bats control'] },

  // cargo-nextest 0.9.151 with Rust 1.95.0. It writes no report if a file cannot be compiled.
  'nextest-red': { tests: 4, skipped: 0, failing: [NEXTEST] },
  'nextest-new': { tests: 4, skipped: 0, failing: [NEXTEST, 'prices tests::small'] },
  'nextest-deleted': { tests: 3, skipped: 0, failing: [NEXTEST] },
  'nextest-crash': { tests: 4, skipped: 0, failing: ['prices tests::large', NEXTEST] },
  // With --retries: a test that fails again, and one that passes then.
  'nextest-flaky': { tests: 4, skipped: 0, failing: [NEXTEST] },

  // Maven Surefire 3.5.2 with JUnit 5.11.4: a file for each class. It leaves out a class whose JVM dies.
  'surefire-red': { tests: 8, skipped: 1, failing: [SUREFIRE] },
  'surefire-new': { tests: 8, skipped: 1, failing: [SUREFIRE, 'prices.PricesTest small'] },
  'surefire-deleted': { tests: 7, skipped: 1, failing: [SUREFIRE] },
  'surefire-crash': { tests: 2, skipped: 0, failing: [] },
  'surefire-load': { tests: 7, skipped: 1, failing: ['prices.OtherTest', SUREFIRE] },
  // With rerunFailingTestsCount: the test that fails again is in the reports of two classes.
  'surefire-flaky': { tests: 9, skipped: 1, failing: [SUREFIRE, SUREFIRE] },
};

describe('captured reports', () => {
  test.each(Object.entries(CAPTURES))('%s', (name, { tests, skipped, failing }) => {
    const { failing: failures, ...counts } = captured(name);
    expect({ ...counts, failing: failures.map((failure) => failure.name) }).toEqual({ tests, skipped, failing, failed: failing.length });
  });

  test('are all in the table, and name no machine', () => {
    expect(readdirSync(REPORTS).map((file) => file.replace('.xml', '')).sort()).toEqual(Object.keys(CAPTURES).sort());
    const texts = readdirSync(REPORTS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.xml')).map((file) => readFileSync(join(REPORTS, file), 'utf8'));
    expect(texts.filter((text) => /\/(?:root|home|tmp|work)\/|hostname="(?!host")/.test(text))).toEqual([]);
  });

  test.each([
    ['pytest-red', 'assert 100 < 100 + where 100 = total(100)'],
    ['pytest-setup', 'failed on setup with "RuntimeError: no database "'],
    ['gotestsum-red', 'prices_test.go:21: no discount at 100'],
    ['gotestsum-red', 'Failed'], // its parent, which says nothing
    ['gotestsum-load', 'FAIL example.com/prices/more [build failed]'],
    ['jest-red', expect.stringMatching(/^Error: expect\(received\)\.toBeLessThan\(expected\) Expected: < 100 Received: 100 at /)],
    ['mocha-red', 'no discount at <100>'],
    ['mocha-hook', 'the report counts 6 tests, and contains 5'],
    ['mocha-control', expect.stringMatching(/^red Error: red at /)],
    ['vitest-load', 'Cannot find package \'nothing-here\' imported from /project/test/more.test.js'],
    ['bats-crash', 'bats warning: Executed 4 instead of expected 5 tests'],
    ['bats-control', expect.stringMatching(/ failed red$/)],
    ['nextest-red', expect.stringMatching(/^thread 'tests::edge' \(\d+\) panicked at src\/lib\.rs:7:25: no discount at <100> note: /)],
    ['surefire-load', 'no database'],
  ])('%s has the message %j', (name, message) => {
    expect(captured(name).failing.map((test) => test.message)).toContainEqual(message);
  });

  test.each(Object.keys(CAPTURES).filter((name) => !name.startsWith('surefire-')))('%s is refused wherever it is cut off', (name) => {
    const xml = readFileSync(join(REPORTS, `${name}.xml`));
    const end = xml.lastIndexOf('>');
    const lengths = [end];
    for (let length = 0; length < end; length += 1 + Math.floor(length / 40)) lengths.push(length);
    for (const length of lengths) {
      expect(() => readReports([{ name, xml: xml.subarray(0, length) }])).toThrow(ReportError);
    }
  });
});
