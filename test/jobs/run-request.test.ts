import { ERRORS, LIMITS } from '../../src/jobs/constants';
import { checkRunRequest, environmentOf, RunRequest } from '../../src/jobs/run-request';
import { messageOf } from '../support/stacks';

const GOOD: RunRequest = {
  runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/coder-abcdefghij',
  sessionId: 's'.repeat(33),
  run: 'run',
  name: 'lint',
  command: 'npm run lint',
  mount: '/mnt/workspace',
  timeoutSeconds: 300,
};
const check = (change: object) => checkRunRequest({ ...GOOD, ...change } as RunRequest);

test.each<object>([
  {},
  { sessionId: 's'.repeat(100) },
  { round: 0 }, { round: 1_000_000 },
  { mode: 'start' }, { mode: 'attach' },
  { command: undefined, words: ['ls', ''] },
  { workingDirectory: '/' },
  { timeoutSeconds: 1 }, { timeoutSeconds: LIMITS.sessionSeconds },
  { tailBytes: 0 }, { tailBytes: LIMITS.tailBytes.max },
  { logBytes: LIMITS.logBytes.min }, { logBytes: LIMITS.logBytes.max },
  { environment: { _A1: '' } },
  { failFast: ['^FATAL'] },
])('is taken: %j', (change) => {
  expect(() => check(change)).not.toThrow();
});

test.each<[object, string]>([
  [{ runtimeArn: '' }, '"runtimeArn" is missing'],
  [{ sessionId: undefined }, '"sessionId" has 0 characters, 33 to 100 are needed'],
  [{ sessionId: 's'.repeat(32) }, '"sessionId" has 32 characters'],
  [{ sessionId: 's'.repeat(101) }, '"sessionId" has 101 characters'],
  [{ run: undefined }, '"run" is missing'],
  [{ name: 7 }, '"name" is missing'],
  [{ round: -1 }, '"round" is -1'], [{ round: 1.5 }, '"round" is 1.5'], [{ round: '1' }, '"round" is "1"'],
  [{ mode: 'stop' }, '"mode" is "stop"'],
  [{ command: undefined }, 'one of "command" and "words" is needed'],
  [{ words: ['ls'] }, 'one of "command" and "words" is needed'],
  [{ command: '', words: [] }, 'one of "command" and "words" is needed'],
  [{ command: undefined, words: ['ls', 7] }, '"words" is not a list of strings'],
  [{ mount: 'mnt' }, '"mount" is "mnt"'],
  [{ workingDirectory: 'repo' }, '"workingDirectory" is "repo"'],
  [{ timeoutSeconds: 0 }, '"timeoutSeconds" is 0, 1 to 28800 are allowed'], [{ timeoutSeconds: 28_801 }, '"timeoutSeconds" is 28801'],
  [{ tailBytes: -1 }, '"tailBytes" is -1'], [{ tailBytes: 24_577 }, '"tailBytes" is 24577'],
  [{ logBytes: 65_535 }, '"logBytes" is 65535'], [{ logBytes: 268_435_457 }, '"logBytes" is 268435457'],
  [{ environment: { 'A-B': '' } }, '"environment" has a name that no shell takes: A-B'],
  [{ environment: { A: 1 } }, '"environment" has a value that is not a string'],
  [{ failFast: ['('] }, '"failFast" has a pattern'], [{ failFast: [''] }, '"failFast" has a pattern'],
])('fails for %j', (change, message) => {
  expect(() => check(change)).toThrow(expect.objectContaining({ name: ERRORS.VALIDATION, message: expect.stringContaining(message) }));
});

test('fails with everything that is wrong at once', () => {
  expect(messageOf(() => check({ run: '', mount: 'x' }))).toBe('"run" is missing; "mount" is "x", an absolute path is needed');
});

test('caches are on ephemeral disk unless the request says otherwise', () => {
  expect(environmentOf({ ...GOOD, environment: { UV_CACHE_DIR: '/x', A: 'b=c' } })).toEqual([
    'XDG_CACHE_HOME=/tmp/.cache', 'UV_CACHE_DIR=/x', 'PIP_CACHE_DIR=/tmp/.cache/pip', 'npm_config_cache=/tmp/.cache/npm',
    'MISE_CACHE_DIR=/tmp/.cache/mise', 'A=b=c',
  ]);
});
