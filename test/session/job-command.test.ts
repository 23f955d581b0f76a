import { ERRORS, LIMITS } from '../../src/session/constants';
import { JobCall, jobCommand, jobId } from '../../src/session/job-command.client';

const CALL: JobCall = {
  mode: 'start',
  job: 'lint-0-0123456789ab',
  nonce: 'n',
  mount: '/mnt/workspace',
  command: 'true',
  workingDirectory: '/mnt/workspace',
  environment: [],
  timeoutSeconds: 60,
  budgetSeconds: 120,
  offset: 0,
  logBytes: 65_536,
};
const fails = (message: string) => expect.objectContaining({ name: ERRORS.VALIDATION, message: expect.stringContaining(message) });

describe('the text of a call', () => {
  test('is one line of quoted words', () => {
    expect(jobCommand({ ...CALL, command: 'echo \'a\'', environment: ['A=$B'], input: '/in', marker: 'run' }))
      .toMatch(/^\/bin\/bash -c '[^]*' workbench 'mode=start' [^]* 'marker=run' [^]* 'input=\/in' 'env=A=\$B' 'command=echo '\\''a'\\'''$/);
  });

  test('has no command when it only attaches', () => {
    expect(jobCommand({ ...CALL, mode: 'attach', command: 'secret' })).not.toContain('secret');
  });

  test('takes a command of 32 KiB in whatever characters, within the service\'s limit', () => {
    for (const character of ['x', '\'', 'é']) {
      const text = jobCommand({ ...CALL, command: character.repeat(32_768 / Buffer.byteLength(character)) });
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.execCommandBytes);
    }
  });

  test.each([
    ['a longer command', { command: 'x'.repeat(32_769) }, 'the command has 32769 bytes, 32768 are allowed'],
    ['an environment that does not fit beside it', { environment: [`A=${'x'.repeat(60_000)}`] }, 'shorten the environment'],
    ['a NUL character in the command', { command: 'a\0b' }, 'NUL'],
    ['a NUL character in the environment', { environment: ['A=\0'] }, 'NUL'],
  ])('fails for %s, with nothing sent', (_, change, message) => {
    expect(() => jobCommand({ ...CALL, ...change })).toThrow(fails(message));
  });
});

describe('a job\'s id', () => {
  test('is the same for the same run, round and name, and another for any other', () => {
    const ids = [jobId('a', 0, 'lint'), jobId('b', 0, 'lint'), jobId('a', 1, 'lint'), jobId('a', 0, 'lint '), jobId('a0', 0, 'lint')];
    expect(new Set(ids).size).toBe(ids.length);
    expect(jobId('a', 0, 'lint')).toBe(ids[0]);
  });

  test.each([['Run the tests!', /^Run-the-tests-3-[0-9a-f]{12}$/], ['../../etc', /^etc-3-/], ['日本', /^job-3-/], ['x'.repeat(200), /^x{40}-3-/]])('names a folder: %s', (name, pattern) => {
    expect(jobId('run', 3, name)).toMatch(pattern);
  });
});
