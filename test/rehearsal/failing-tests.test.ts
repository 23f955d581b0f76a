import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failingTests } from '../../src/journal/failing-tests';

const RUNNERS = join(__dirname, 'runners');
const TENTH = 'a tenth is off at exactly 100 euros';

const EXPECTED: { readonly [sample: string]: readonly string[] } = {
  'node-test-tap': [TENTH, 'basket > charges once'],
  'node-test-spec': [TENTH, 'basket > charges once'],
  'jest': [TENTH, 'basket › charges once', 'jest/broken.test.js: Test suite failed to run'],
  'vitest': [`price.test.js > ${TENTH}`, 'price.test.js > basket > charges once'],
  'mocha': [TENTH, 'basket > charges once'],
  'ava': [TENTH, 'charges once'],
  'pytest': ['test_price.py::test_tenth_off', 'test_price.py::test_param[2]', 'test_price.py::TestBasket::test_charges_once'],
  'pytest-quiet': ['test_price.py::test_tenth_off', 'test_price.py::test_param[2]', 'test_price.py::TestBasket::test_charges_once'],
  'pytest-broken': ['test_broken.py'],
  'unittest': ['unit_price.Basket.test_charges_once', 'unit_price.Basket.test_tenth_off'],
  'go-test': ['TestTenthOff', 'TestBasket/charges_once', 'example.com/basket/broken [build failed]'],
  'go-test-verbose': ['TestTenthOff', 'TestBasket/charges_once'],
  'cargo-test': ['tests::charges_once', 'tests::tenth_off'],
  'maven': ['basket.PriceTest.tenthOff', 'basket.PriceTest.chargesOnce'],
  'maven-quiet': ['basket.PriceTest.tenthOff', 'basket.PriceTest.chargesOnce'],
  'gradle': ['PriceTest > tenthOff()', 'BasketTest > when it is full > charges once'],
  'dotnet': ['Basket.Tests.PriceTest.TenthOff', 'Basket.Tests.PriceTest.ChargesOnce(times: 2)'],
  'rspec': ['./spec/basket_spec.rb:4 # Basket a tenth is off at exactly 100 euros', './spec/basket_spec.rb:9 # Basket when full charges once'],
  'phpunit': ['Basket\\Tests\\PriceTest::testChargesOnce', 'Basket\\Tests\\PriceTest::testTenthOff with data set "exactly 100 euros" (10000)'],
};
const samples = readdirSync(RUNNERS).filter((name) => name.endsWith('.txt')).map((name) => name.replace(/\.txt$/, ''));

test('each sample has expected failures', () => {
  expect(samples.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(samples)('finds the failing tests in the output of %s', (sample) => {
  expect(failingTests(readFileSync(join(RUNNERS, `${sample}.txt`), 'utf8'))).toEqual(EXPECTED[sample]);
});

test.each([
  ['nothing', ''],
  ['a linter', '/project/a.js\n  1:1  error  x is not defined  no-undef\n\n✖ 1 problem (1 error, 0 warnings)\n'],
  ['a compiler', "src/a.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.\n"],
  ['skipped tests', 'not ok 1 - later # TODO\nok 2 - now\n1..2\n'],
])('names no tests for %s', (_, output) => {
  expect(failingTests(output)).toEqual([]);
});

test('finds names among colors and line endings of other systems', () => {
  expect(failingTests('\x1b[31m--- FAIL: TestOne (0.00s)\x1b[0m\r\n')).toEqual(['TestOne']);
});

test('finds names in unittest before Python 3.11, which gives tests no full name', () => {
  expect(failingTests('FAIL: test_one (tests.Basket)\n')).toEqual(['tests.Basket.test_one']);
});
