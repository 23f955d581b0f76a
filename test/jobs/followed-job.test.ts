import { ERRORS } from '../../src/jobs/constants';
import { FollowedJob } from '../../src/jobs/followed-job';

const COMPLETED = { exitCode: 0, status: 'COMPLETED' };
const EXITED = 'EXITED - 0 100 160 6';

/** A job whose first call prints what a test needs. */
class Call {
  readonly job = new FollowedJob({
    runtimeArn: 'arn', sessionId: 's'.repeat(33), run: 'run', name: 'lint', command: 'true', mount: '/mnt/workspace/', timeoutSeconds: 60, failFast: ['^FATAL'],
  });

  private nonce = this.next();

  next(): string {
    return this.nonce = / nonce=(\S{36}) /.exec(this.job.nextCall('start', 600).command)![1];
  }

  begin(): this {
    this.job.onStdout(`@job ${this.nonce} ${this.job.id} started\n`);
    return this;
  }

  out(text: string, offset = 0): this {
    this.job.onStdout(`@out ${offset} ${text.length}\n${Buffer.from(text).toString('base64')}\n`);
    return this;
  }

  end(words: string): this {
    this.job.onStdout(`@end ${this.nonce} ${this.job.id} ${words}\n`);
    return this;
  }
}

test('is read from its records: its output, and how it ended', () => {
  const { job } = new Call().begin().out('first\n').out('second\n', 6).end('EXITED - 3 100 160 13');
  expect(job.ended(job.conclude(COMPLETED))).toEqual({
    status: 'ENDED',
    verdict: 'FAILED',
    exitCode: 3,
    job: job.id,
    logPath: `/mnt/workspace/.workbench/jobs/${job.id}/log`,
    outputBytes: 13,
    seconds: 60,
    tail: 'first\nsecond\n',
    attaches: 0,
    run: 'run',
  });
});

test('reads repeated output once, and reports missing output', () => {
  const call = new Call().begin().out('first\n');
  call.next();
  call.begin().out('first\nsecond\n').out('second\n', 6).out('last\n', 100).end('EXITED - 0 100 99 105');
  const result = call.job.ended(call.job.conclude(COMPLETED));
  expect(result).toMatchObject({ tail: 'first\nsecond\n\n[87 bytes of output were not kept]\nlast\n', attaches: 1, seconds: 0 });
});

test('has a reason, but no exit code, when it is lost', () => {
  const { job } = new Call().begin().out('first\n').end('LOST microvm - - - -');
  expect(job.ended(job.conclude(COMPLETED))).toMatchObject({ verdict: 'LOST', lostReason: 'MICROVM', exitCode: null, outputBytes: 6, seconds: 0 });
});

test('has failed when a pattern matched, even in the last line', () => {
  const { job } = new Call().begin().out('FATAL!').end(EXITED);
  expect(job.matched).toBeUndefined();
  expect(job.ended(job.conclude(COMPLETED))).toMatchObject({ verdict: 'FAILED', failFast: '^FATAL', exitCode: 0 });
});

describe('a call that proves nothing fails', () => {
  test.each([
    ['with exit code -1', (call: Call) => call.begin().end(EXITED), { exitCode: -1, status: 'COMPLETED' }, ERRORS.SERVER],
    ['with exit code -1 and no output', (call: Call) => call, { exitCode: -1, status: 'COMPLETED' }, ERRORS.SERVER],
    ['without an end', (call: Call) => call.begin().out('x'), COMPLETED, ERRORS.STREAM_CUT],
    ['without a shell', (call: Call) => call, { exitCode: 127, status: 'COMPLETED' }, ERRORS.CONTAINER],
    ['with a shell that cannot be run', (call: Call) => call, { exitCode: 126, status: 'COMPLETED' }, ERRORS.CONTAINER],
    ['with a failure after the end', (call: Call) => call.begin().end(EXITED), { exitCode: 1, status: 'COMPLETED' }, ERRORS.STREAM_CUT],
    ['with a failure of the service after the end', (call: Call) => call.begin().end(EXITED), { exitCode: 124, status: 'TIMED_OUT' }, ERRORS.STREAM_CUT],
    ['with a refusal', (call: Call) => call.end('REFUSED mount - - - -'), COMPLETED, ERRORS.VALIDATION],
  ])('%s', (_, say, exit, error) => {
    const { job } = say(new Call());
    job.onStderr('what it complains of');
    expect(() => job.conclude(exit)).toThrow(expect.objectContaining({
      name: error, message: expect.stringContaining('what it complains of'), summary: expect.not.stringContaining('complains'),
    }));
  });

  test('with more output after its end', () => {
    expect(() => new Call().begin().end(EXITED).end(EXITED)).toThrow(expect.objectContaining({ name: ERRORS.STREAM_CUT }));
  });
});

test('limits the length of a shell\'s complaint in a message', () => {
  const { job } = new Call();
  for (let i = 0; i < 1_000; i++) job.onStderr('x'.repeat(1_000));
  expect(() => job.conclude({ exitCode: 1, status: 'COMPLETED' })).toThrow(expect.objectContaining({ message: expect.stringMatching(/: x{1000}$/) }));
});

test('gets enough time to observe its end, within the limit of the service', () => {
  const { job } = new Call();
  expect(job.nextCall('start', 600).timeoutSeconds).toBe(130); // 60 of its own, 60 to observe its end, 10 for the call
  expect(job.nextCall('attach', 600.4).timeoutSeconds).toBe(611);
  expect(job.nextCall('attach', -5).timeoutSeconds).toBe(11);
  expect(job.nextCall('attach', 10_000).timeoutSeconds).toBe(3_600);
});
