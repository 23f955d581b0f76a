import { ERRORS, LIMITS } from '../../src/jobs/constants';
import { checkJob, Job, lostReasonOf, verdictOf } from '../../src/jobs/job';
import { JobEnd } from '../../src/jobs/job-stream';
import { messageOf } from '../support/stacks';

const GOOD: Job = {
  runtimeArn: 'arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/coder-abcdefghij',
  sessionId: 's'.repeat(33),
  run: 'run',
  name: 'lint',
  command: 'npm run lint',
  mount: '/mnt/workspace',
  timeoutSeconds: 300,
};
const check = (change: object) => checkJob({ ...GOOD, ...change } as Job);

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
])('accepts %j', (change) => {
  expect(() => check(change)).not.toThrow();
});

test.each<[object, string]>([
  [{ runtimeArn: '' }, '"runtimeArn" must be an ARN'],
  [{ sessionId: undefined }, '"sessionId" must have 33 to 100 characters, not 0'],
  [{ sessionId: 's'.repeat(32) }, '"sessionId" must have 33 to 100 characters, not 32'],
  [{ sessionId: 's'.repeat(101) }, '"sessionId" must have 33 to 100 characters, not 101'],
  [{ run: undefined }, '"run" must be text, not undefined'],
  [{ name: 7 }, '"name" must be text, not 7'],
  ...[-1, 1.5, '1'].map((round): [object, string] => [{ round }, `"round" must be a whole number from 0, not ${JSON.stringify(round)}`]),
  [{ mode: 'stop' }, '"mode" must be "start" or "attach", not "stop"'],
  [{ command: undefined }, '"command" must be given if "words" is not'],
  [{ words: ['ls'] }, '"command" must be given if "words" is not'],
  [{ command: '', words: [] }, '"command" must be given if "words" is not'],
  [{ command: undefined, words: ['ls', 7] }, '"words" must be a list of strings'],
  [{ mount: 'mnt' }, '"mount" must be an absolute path, not "mnt"'],
  [{ workingDirectory: 'repo' }, '"workingDirectory" must be an absolute path, not "repo"'],
  [{ timeoutSeconds: 0 }, '"timeoutSeconds" must be 1 to 28800, not 0'], [{ timeoutSeconds: 28_801 }, '"timeoutSeconds" must be 1 to 28800, not 28801'],
  [{ tailBytes: -1 }, '"tailBytes" must be 0 to 24576, not -1'], [{ tailBytes: 24_577 }, '"tailBytes" must be 0 to 24576, not 24577'],
  [{ logBytes: 65_535 }, '"logBytes" must be 65536 to 268435456, not 65535'], [{ logBytes: 268_435_457 }, '"logBytes" must be 65536 to 268435456, not 268435457'],
  [{ environment: { 'A-B': '' } }, '"environment" must have names of letters, digits and "_", not "A-B"'],
  [{ environment: { A: 1 } }, '"environment" must have values that are strings'],
  [{ failFast: ['('] }, '"failFast" must have regular expressions'], [{ failFast: [''] }, '"failFast" must have regular expressions'],
])('fails for %j', (change, message) => {
  expect(() => check(change)).toThrow(expect.objectContaining({ name: ERRORS.VALIDATION, message: expect.stringContaining(message) }));
});

test('fails with all faults together', () => {
  expect(messageOf(() => check({ run: '', mount: 'x' }))).toBe('"run" must be text, not ""; "mount" must be an absolute path, not "x"');
});

test.each<[Partial<JobEnd>, string, string | undefined]>([
  [{ state: 'EXITED', exitCode: 0 }, 'PASSED', undefined],
  [{ state: 'EXITED', exitCode: 0, begin: 100, end: 160 }, 'PASSED', undefined],
  [{ state: 'EXITED', exitCode: 0, begin: 100, end: 161 }, 'TIMED_OUT', undefined],
  [{ state: 'EXITED', exitCode: 1 }, 'FAILED', undefined],
  [{ state: 'EXITED', exitCode: 125 }, 'FAILED', undefined],
  [{ state: 'EXITED', exitCode: 126 }, 'INERT', undefined],
  [{ state: 'EXITED', exitCode: 127 }, 'INERT', undefined],
  [{ state: 'EXITED', exitCode: 128 }, 'FAILED', undefined],
  [{ state: 'EXITED' }, 'FAILED', undefined],
  [{ state: 'TIMED_OUT', exitCode: 0 }, 'TIMED_OUT', undefined],
  [{ state: 'CANCELLED', exitCode: 0 }, 'FAILED', undefined],
  [{ state: 'LOST', detail: 'microvm' }, 'LOST', 'MICROVM'],
  [{ state: 'LOST', detail: 'supervisor' }, 'LOST', 'SUPERVISOR'],
  [{ state: 'LOST', detail: 'unstarted' }, 'LOST', 'UNSTARTED'],
  [{ state: 'LOST', detail: 'absent' }, 'LOST', 'ABSENT'],
  [{ state: 'LOST', detail: 'workspace' }, 'LOST', 'WORKSPACE'],
  [{ state: 'LOST', detail: 'something new' }, 'LOST', 'SUPERVISOR'],
  [{ state: 'LOST' }, 'LOST', 'SUPERVISOR'],
  [{ state: 'REFUSED' }, 'LOST', undefined],
  [{ state: 'RUNNING' }, 'LOST', undefined],
  [{ state: 'SOMETHING' as never, exitCode: 0 }, 'LOST', undefined],
])('%j is %s', (end, verdict, reason) => {
  expect(verdictOf({ kind: 'end', ...end } as JobEnd, 60)).toBe(verdict);
  expect(lostReasonOf({ kind: 'end', ...end } as JobEnd)).toBe(reason);
});
