/**
 * The order of test files: those that take long begin first. Jest knows their durations only from an earlier run. In a fresh clone it begins with
 * the largest files, so that a small one that takes minutes would begin last, and leave all processors but one idle.
 */
const { readFileSync } = require('node:fs');
const { join, relative, resolve } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

const ROOT = resolve(__dirname, '../..');

module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    const long = new Set(readFileSync(join(ROOT, 'projenrc/fast-tests.ts'), 'utf8').match(/test\/[^']+\.test\.ts/g));
    const isLong = ({ path }) => long.has(relative(ROOT, path));
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
};
