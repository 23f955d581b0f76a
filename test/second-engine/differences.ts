import { Ended } from './second-engine';

/** The known differences between the two engines, and which of them behaves like AWS. The table in rehearsal/FEATURES.md says the same. */
export interface Difference {
  readonly what: string;
  readonly right: 'ours' | 'moto' | 'unknown' | 'both';
  readonly is: (ours: Ended, theirs: Ended) => boolean;
}

/** Returns all fields except those named. */
const alike = (ours: Ended, theirs: Ended, ...but: (keyof Ended)[]) =>
  (['status', 'output', 'error', 'cause', 'entered'] as const).every((field) => but.includes(field) || JSON.stringify(ours[field] ?? null) === JSON.stringify(theirs[field] ?? null));

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'a function or a callback fails with a name that begins with `States.`',
    right: 'unknown',
    is: (ours, theirs) => theirs.error === 'States.Runtime' && `${theirs.cause}`.includes('Custom Error Names MUST NOT begin') && ours.status === 'FAILED',
  },
  {
    what: 'the cause of `States.Runtime`',
    right: 'both',
    is: (ours, theirs) => ours.error === 'States.Runtime' && alike(ours, theirs, 'cause'),
  },
  {
    what: 'a `ResultPath` into what is no object',
    right: 'ours',
    is: (ours, theirs) => ours.error === 'States.ResultPathMatchFailure' && (`${theirs.cause}`.startsWith('TypeError') || theirs.status === 'FAILED' && theirs.error === 'CodingLoop.Red'),
  },
  {
    what: 'an empty `Cause`',
    right: 'ours',
    is: (ours, theirs) => ours.cause === '' && theirs.cause === null && alike(ours, theirs, 'cause'),
  },
];

/** The value for two equal outcomes. */
export const SAME = 'same';

/** Returns the difference that explains the two outcomes, `SAME`, or `undefined` if they differ in an unknown way. */
export function explain(ours: Ended, theirs: Ended): string | undefined {
  return alike(ours, theirs) ? SAME : DIFFERENCES.find(({ is }) => is(ours, theirs))?.what;
}
