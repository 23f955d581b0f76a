import { LOST_REASONS, VERDICTS } from './constants';
import { JobEnd } from './job-stream';

export type Verdict = typeof VERDICTS[keyof typeof VERDICTS];
export type LostReason = typeof LOST_REASONS[keyof typeof LOST_REASONS];

/** What the job protocol says of a job that is lost. */
const LOST: { readonly [detail: string]: LostReason } = {
  microvm: LOST_REASONS.MICROVM,
  supervisor: LOST_REASONS.SUPERVISOR,
  unstarted: LOST_REASONS.UNSTARTED,
  absent: LOST_REASONS.ABSENT,
  workspace: LOST_REASONS.WORKSPACE,
};

/**
 * The verdict of a job that has ended. `PASSED` needs proof: an exit code of 0, in a record of the end, within the timeout.
 *
 * @param timeoutSeconds the one that the job was started with, if it is known
 */
export function verdictOf(end: JobEnd, timeoutSeconds = Infinity): Verdict {
  switch (end.state) {
    case 'EXITED':
      if ((end.end ?? 0) - (end.begin ?? 0) > timeoutSeconds) return VERDICTS.TIMED_OUT;
      if (end.exitCode === 0) return VERDICTS.PASSED;
      // What a shell says of a command that it cannot run, or cannot find.
      return end.exitCode === 126 || end.exitCode === 127 ? VERDICTS.INERT : VERDICTS.FAILED;
    case 'TIMED_OUT':
      return VERDICTS.TIMED_OUT;
    case 'CANCELLED':
      return VERDICTS.FAILED;
    default:
      return VERDICTS.LOST;
  }
}

/** Why it is lost, or `undefined` if it is not. */
export function lostReasonOf(end: JobEnd): LostReason | undefined {
  return end.state === 'LOST' ? LOST[end.detail ?? ''] ?? LOST_REASONS.SUPERVISOR : undefined;
}
