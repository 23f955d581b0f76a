import { fingerprint } from '../../src/loop/steps/fingerprint';

const of = (tail: string) => fingerprint('test', 'FAILED', { exitCode: 1, tail }, []);

test.each([
  ['3 failed, 12 passed in 0.12s', '2 failed, 13 passed in 0.12s'],
  ['Jest: "global" coverage threshold for lines (80%) not met: 75.2%', 'Jest: "global" coverage threshold for lines (80%) not met: 79.1%'],
  ['# fail 3', '# fail 2'],
  ['FAILED (failures=3)', 'FAILED (failures=2)'],
  ['Tests run: 9, Failures: 3, Errors: 0', 'Tests run: 9, Failures: 2, Errors: 0'],
  ['expected 5 to be 42', 'expected 41 to be 42'],
  ['a.ts(3,1): error TS2322\nFound 3 errors.', 'a.ts(3,1): error TS2322\nFound 2 errors.'],
])('%j and %j are different failures', (before, after) => {
  expect(of(before)).not.toBe(of(after));
});

test.each([
  ['2 failed in 0.12s', '2 failed in 12.34s'],
  ['failed after 1.1234 s', 'failed after 1.12345 s'],
  ['ok 1 - a\n  duration_ms: 1.25', 'ok 1 - a\n  duration_ms: 17'],
  ['Time:        1.234 s, estimated 2 s', 'Time:        61 s'],
  ['  ✕ is right (8 ms)', '  ✕ is right'],
  ['--- FAIL: TestA (0.01s)', '--- FAIL: TestA (1.20s)'],
  ['Finished at 2026-01-01T10:00:00.123Z', 'Finished at 2026-11-26T02:03:04.5Z'],
  ['at 0x7ffd in process 4711: <object at 0xdeadbeef>', 'at 0x7ffe in process 4711: <object at 0xdeadbabe>'],
  ['listen EADDRINUSE 127.0.0.1:43117', 'listen EADDRINUSE 127.0.0.1:50001'],
  ['src/a.ts:12:5 - error', 'src/a.ts:14:9 - error'],
  ['File "a.py", line 12, in f', 'File "a.py", line 19, in f'],
  ['Randomized with seed 1234', 'Randomized with seed 99'],
])('%j and %j are the same failure', (before, after) => {
  expect(of(before)).toBe(of(after));
});
