import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { ERRORS, LAMBDA_ERRORS } from '../jobs/constants';

/**
 * Retries of calls that may be repeated if the function reports their failure: those of a job, which start or attach. A broken session
 * (`Workbench.SessionBroken`) is not retried: the function has already tried three times.
 *
 * From the most specific error to the catch-all:
 * - the session is in transition, which takes up to 15 s: 8 tries, 3, 6, 12 and then 15 s apart, 96 s in all
 * - throttled, by the service or by Lambda: 8 tries from 5 s, doubled up to 60 s, 315 s in all
 * - the service failed or the stream was cut: 6 tries from 2 s, doubled up to 30 s, 90 s in all
 */
export const REPEATABLE: readonly sfn.RetryProps[] = [
  {
    errors: [ERRORS.CONFLICT],
    interval: Duration.seconds(3),
    backoffRate: 2,
    maxDelay: Duration.seconds(15),
    maxAttempts: 8,
  },
  {
    errors: [ERRORS.THROTTLED, ...LAMBDA_ERRORS.THROTTLED],
    interval: Duration.seconds(5),
    backoffRate: 2,
    maxDelay: Duration.seconds(60),
    maxAttempts: 8,
    jitterStrategy: sfn.JitterType.FULL,
  },
  {
    errors: [ERRORS.SERVER, ERRORS.STREAM_CUT, ...LAMBDA_ERRORS.SERVICE],
    interval: Duration.seconds(2),
    backoffRate: 2,
    maxDelay: Duration.seconds(30),
    maxAttempts: 6,
    jitterStrategy: sfn.JitterType.FULL,
  },
];

/**
 * Retries of calls that cannot start anything twice, such as an attach or a stop: also after the function died, 3 times from 2 s, 14 s in all.
 */
export const ATTACHING: readonly sfn.RetryProps[] = [
  ...REPEATABLE,
  {
    errors: [...LAMBDA_ERRORS.DIED],
    interval: Duration.seconds(2),
    backoffRate: 2,
    maxAttempts: 3,
  },
];

/**
 * Retries of an invoke, only if the agent cannot have begun: the service rejected it, or failed before the first byte of an answer. An invoke is
 * not retried after a cut stream or a function that died, since the agent may be working.
 *
 * Waits as `REPEATABLE`.
 */
export const BEFORE_FIRST_BYTE: readonly sfn.RetryProps[] = [
  REPEATABLE[0],
  REPEATABLE[1],
  { ...REPEATABLE[2], errors: [ERRORS.SERVER] },
];

/** 11 tries, 2, 4, 8, 16 and then 20 s apart, 170 s in all. */
const PATIENT = { interval: Duration.seconds(2), backoffRate: 2, maxDelay: Duration.seconds(20), maxAttempts: 11 } as const;

/**
 * Retries of an invoke that may be the first in its session. The container of a new session may fail to start, or the service may fail, for up to
 * two minutes; a container that has not started has not begun the agent's turn.
 */
export const FIRST_INVOKE: readonly sfn.RetryProps[] = [
  { ...PATIENT, errors: [ERRORS.STARTING] },
  REPEATABLE[0],
  REPEATABLE[1],
  { ...PATIENT, errors: [ERRORS.SERVER] },
];
