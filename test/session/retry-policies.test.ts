import { RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { ERRORS, LAMBDA_ERRORS } from '../../src/session/constants';
import { ATTACHING, BEFORE_FIRST_BYTE, REPEATABLE } from '../../src/session/retry-policies';

/** Seconds that all tries of a policy wait together, without jitter. */
function totalWait({ interval, backoffRate, maxDelay, maxAttempts }: RetryProps): number {
  return Array.from({ length: maxAttempts! }, (_, attempt) => interval!.toSeconds() * backoffRate! ** attempt)
    .reduce((sum, wait) => sum + Math.min(wait, maxDelay?.toSeconds() ?? Infinity), 0);
}

const errorsOf = (policies: readonly RetryProps[]) => policies.flatMap(({ errors }) => errors!);

test('waits as long as it says', () => {
  expect(ATTACHING.map(totalWait)).toEqual([96, 315, 90, 14]);
});

test('retries a job\'s start for what is transient, and never when it may have begun and not be seen', () => {
  expect(errorsOf(REPEATABLE).sort()).toEqual(
    [ERRORS.CONFLICT, ERRORS.THROTTLED, ERRORS.SERVER, ERRORS.STREAM_CUT, ...LAMBDA_ERRORS.THROTTLED, ...LAMBDA_ERRORS.SERVICE].sort());
  expect(errorsOf(REPEATABLE)).not.toEqual(expect.arrayContaining([LAMBDA_ERRORS.DIED[0]]));
});

test('retries an attach after a function that died too', () => {
  expect(errorsOf(ATTACHING)).toEqual([...errorsOf(REPEATABLE), ...LAMBDA_ERRORS.DIED]);
});

test('retries an invoke only where the agent cannot have begun', () => {
  expect(errorsOf(BEFORE_FIRST_BYTE)).toEqual([ERRORS.CONFLICT, ERRORS.THROTTLED, ...LAMBDA_ERRORS.THROTTLED, ERRORS.SERVER]);
});

test.each([REPEATABLE, ATTACHING, BEFORE_FIRST_BYTE])('retries nothing that will not get better', (...policies) => {
  const final = [ERRORS.VALIDATION, ERRORS.ACCESS_DENIED, ERRORS.NOT_FOUND, ERRORS.CONTAINER, ERRORS.AGENT, ERRORS.INVOKE_TIMEOUT, 'States.ALL', 'States.TaskFailed'];
  expect(errorsOf(policies as never).filter((error) => final.includes(error))).toEqual([]);
});
