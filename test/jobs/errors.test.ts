import { ERRORS } from '../../src/jobs/constants';
import { isTransient, SessionError, typedError } from '../../src/jobs/errors';

const thrown = (name: string, status?: number, more = {}) => Object.assign(new Error('why'), { name, ...more, ...(status ? { $metadata: { httpStatusCode: status, requestId: 'r-1' } } : {}) });

test.each<[string, number | undefined, string, boolean]>([
  ['ThrottlingException', 429, ERRORS.THROTTLED, true],
  ['ServiceQuotaExceededException', 402, ERRORS.THROTTLED, true],
  ['RetryableConflictException', 409, ERRORS.CONFLICT, true],
  ['ConflictException', 409, ERRORS.CONFLICT, true],
  ['InternalServerException', 500, ERRORS.SERVER, true],
  ['ValidationException', 400, ERRORS.VALIDATION, false],
  ['AccessDeniedException', 403, ERRORS.ACCESS_DENIED, false],
  ['UnauthorizedException', 401, ERRORS.ACCESS_DENIED, false],
  ['ResourceNotFoundException', 404, ERRORS.NOT_FOUND, false],
  ['RuntimeClientError', 424, ERRORS.CONTAINER, false],
  ['SomethingNew', 400, ERRORS.VALIDATION, false],
  ['SomethingNew', 401, ERRORS.ACCESS_DENIED, false],
  ['SomethingNew', 402, ERRORS.THROTTLED, true],
  ['SomethingNew', 403, ERRORS.ACCESS_DENIED, false],
  ['SomethingNew', 404, ERRORS.NOT_FOUND, false],
  ['SomethingNew', 409, ERRORS.CONFLICT, true],
  ['SomethingNew', 424, ERRORS.CONTAINER, false],
  ['SomethingNew', 429, ERRORS.THROTTLED, true],
  ['SomethingNew', 500, ERRORS.SERVER, true],
  ['SomethingNew', 503, ERRORS.SERVER, true],
  ['SomethingNew', 418, ERRORS.STREAM_CUT, true],
  ['Error', undefined, ERRORS.STREAM_CUT, true],
])('%s with status %s is %s, transient: %s', (name, status, expected, transient) => {
  const error = typedError(thrown(name, status));
  expect(error.name).toBe(expected);
  expect(isTransient(error)).toBe(transient);
});

test('an error has text from others in its message, but not in its summary', () => {
  expect(typedError(thrown('ValidationException', 400))).toMatchObject({
    summary: 'ValidationException (request r-1)', message: 'ValidationException (request r-1): why',
  });
  expect(typedError(thrown('Error', undefined, { code: 'ECONNRESET' }))).toMatchObject({ summary: 'ECONNRESET', message: 'ECONNRESET: why' });
  expect(typedError('nonsense')).toMatchObject({ summary: 'Error', message: 'Error: nonsense' });
});

test('an error of ours stays unchanged', () => {
  const error = new SessionError(ERRORS.AGENT, 'x');
  expect(typedError(error)).toBe(error);
  expect(isTransient(new Error('x'))).toBe(false);
});
