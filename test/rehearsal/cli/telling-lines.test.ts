import { tellingLines } from '../../../src/journal/story';

const NODE = `
> node --test --test-reporter=spec

node:internal/modules/esm/resolve:873
Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x' imported from /repo/a.mjs
    at packageResolve (node:internal/modules/esm/resolve:873:9)
✖ a.test.mjs (109.7ms)
  'test failed'
ℹ tests 1
ℹ suites 0
ℹ duration_ms 116.5
npm notice New version of npm`;

test('the end of an output begins with the failure, without counts, frames of a stack and notices', () => {
  expect(tellingLines(NODE)).toEqual(['Error [ERR_MODULE_NOT_FOUND]: Cannot find package \'x\' imported from /repo/a.mjs', '✖ a.test.mjs (109.7ms)', '  \'test failed\'']);
});

test.each([
  ['Node.js', "Error: Cannot find module 'x'"],
  ['Python', "ModuleNotFoundError: No module named 'x'"],
  ['Go', 'a.go:3:8: no required module provides package example.com/x; to add it:'],
  ['Rust', 'error[E0432]: unresolved import `x`'],
  ['bash', 'run.sh: line 1: x: command not found'],
])('what is missing comes first, however far above the end it is: %s', (_, message) => {
  const end = Array.from({ length: 14 }, (__, index) => `✖ test ${index}`);
  expect(tellingLines(['first', message, ...Array.from({ length: 20 }, () => 'more'), ...end].join('\n'))).toEqual([message, '…', ...end]);
  expect(tellingLines(['first', message, ...end.slice(1)].join('\n'))).toHaveLength(14);
});

test('a count of other tools stays', () => {
  expect(tellingLines('✖ broken\nℹ tests are slow')).toEqual(['✖ broken', 'ℹ tests are slow']);
});
