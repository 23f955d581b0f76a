import { JobEnd } from '../../src/jobs/job-stream';
import { lostReasonOf, verdictOf } from '../../src/jobs/verdict';

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
