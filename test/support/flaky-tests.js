/**
 * Jest reporter. Names the tests that passed only in their second try, which `check` gives to each test that fails. A property that failed is a
 * counterexample, whatever other random values did in the second try: it fails the run.
 */
const { relative, resolve } = require('node:path');

const ROOT = resolve(__dirname, '../..');
const PROPERTY = /Property (failed after|interrupted)/;

module.exports = class FlakyTests {
  onRunComplete(_contexts, { testResults }) {
    const flaky = testResults.flatMap(({ testFilePath, testResults: tests }) => tests
      .filter(({ status, retryReasons }) => status === 'passed' && retryReasons?.length > 0)
      .map(({ fullName, retryReasons }) => ({ name: `${relative(ROOT, testFilePath)}: ${fullName}`, reason: retryReasons.join('\n') })));
    for (const { name, reason } of flaky) process.stderr.write(`FLAKY ${name}\n${reason}\n`);
    const properties = flaky.filter(({ reason }) => PROPERTY.test(reason));
    if (properties.length > 0) this.error = new Error(`a second try does not count for a property: ${properties.map(({ name }) => name).join(', ')}`);
  }

  getLastError() {
    return this.error;
  }
};
