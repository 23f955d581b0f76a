import * as fc from 'fast-check';
import { readWords, splitWords } from '../../rehearsal/agentcore/words';
import { ERRORS, LIMITS } from '../../src/jobs/constants';
import { jobId } from '../../src/jobs/job';
import { JobCall, jobCommand } from '../../src/jobs/job-command';
import { JOB_SCRIPT } from '../../src/jobs/job-script.generated';

const CALL: JobCall = {
  mode: 'start',
  job: 'lint-0-0123456789ab',
  nonce: 'n',
  mount: '/mnt/workspace',
  command: 'true',
  workingDirectory: '/mnt/workspace',
  timeoutSeconds: 60,
  budgetSeconds: 120,
  offset: 0,
  logBytes: 65_536,
};
const fails = (message: string) => expect.objectContaining({ name: ERRORS.VALIDATION, message: expect.stringContaining(message) });

/** Whatever a value may contain: the characters that one of the readers interprets, and all others. */
const text = fc.array(fc.oneof(
  fc.constantFrom("'", "'\\''", '"', '\\', '\n', ' ', '$(id)', '`', '~', '*', ';', '=', '', 'npm run lint'), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }),
), { maxLength: 5 }).map((parts) => parts.join('').replaceAll('\0', ''));

describe('the text of a call', () => {
  test('is readable: plain words are unchanged, and words that can be quoted are quoted', () => {
    expect(jobCommand({ ...CALL, command: 'echo "a"', environment: { A: '$B' }, input: '/in', marker: 'run' }))
      .toMatch(/^\/bin\/bash -c '[^']*' workbench mode=start mount=\/mnt\/workspace [^']* marker=run [^']* input=\/in [^']* 'env=A=\$B' 'command=echo "a"'$/);
  });

  test('encodes a value that contains an apostrophe as base64', () => {
    expect(jobCommand({ ...CALL, command: "echo 'a'", environment: { A: "'" }, workingDirectory: "/it's" }))
      .toMatch(/^\/bin\/bash -c '[^']*' workbench [^']* cwd:base64=L2l0J3M= [^']* env=XDG_CACHE_HOME=\/tmp\/.cache [^']* env:base64=QT0n command:base64=ZWNobyAnYSc=$/);
  });

  test('means the same to every reader: each word is plain, or a whole quoted one', () => {
    fc.assert(fc.property(text, fc.array(text, { minLength: 1 }), fc.array(text), (command, words, environment) => {
      for (const what of [{ command }, { command: undefined, words }]) {
        const line = jobCommand({ ...CALL, ...what, mount: `/${words[0]}`, marker: command, environment: Object.fromEntries(environment.map((value, index) => [`A${index}`, value])) });
        expect(line).toMatch(/^(?:(?:[A-Za-z0-9_./:=,@%+-]+|'[^']*')(?: (?!$)|$))+$/);
        expect(readWords(line)).toEqual(splitWords(line));
        expect(readWords(line).slice(0, 4)).toEqual(['/bin/bash', '-c', JOB_SCRIPT, 'workbench']);
      }
    }));
  });

  test('is built around a script without an apostrophe', () => {
    expect(JOB_SCRIPT).not.toContain("'");
  });

  test('encodes half a character as every encoding does', () => {
    expect(jobCommand({ ...CALL, command: 'echo \ud83d' })).toMatch(/ command:base64=ZWNobyDvv70=$/);
  });

  test('puts caches on ephemeral disk unless the job sets them', () => {
    expect(jobCommand({ ...CALL, environment: { UV_CACHE_DIR: '/x', A: 'b=c' } })).toContain(' env=XDG_CACHE_HOME=/tmp/.cache env=UV_CACHE_DIR=/x '
      + 'env=PIP_CACHE_DIR=/tmp/.cache/pip env=npm_config_cache=/tmp/.cache/npm env=MISE_CACHE_DIR=/tmp/.cache/mise env=A=b=c command=true');
  });

  test('has no command if it only attaches', () => {
    expect(jobCommand({ ...CALL, mode: 'attach', command: 'secret' })).not.toContain('secret');
  });

  test.each(['x', "'", '"', '\\', '$', 'é', '\'"', '\'$\\"', '\n'])('holds a command of 32 KiB of any characters, within the service\'s limit: %j', (characters) => {
    const all = characters.repeat(Math.floor(32_768 / Buffer.byteLength(characters)));
    const short = all.split('').filter((_, index) => index % 2 === 0);
    for (const what of [{ command: all }, { command: undefined, words: [all] }, { command: undefined, words: short }]) {
      expect(Buffer.byteLength(jobCommand({ ...CALL, ...what }))).toBeLessThanOrEqual(LIMITS.execCommandBytes);
    }
  });

  test('holds 8 KiB of environment and paths in addition', () => {
    const environment = { GIT_AUTHOR_NAME: 'x'.repeat(64), TEXT: "it's", A: 'x'.repeat(8_192) };
    const sent = jobCommand({ ...CALL, command: "'".repeat(32_768), prologue: 'x'.repeat(512), marker: 'x'.repeat(100), environment });
    expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(LIMITS.execCommandBytes);
  });

  test.each([
    ['a longer command', { command: 'x'.repeat(32_769) }, 'the command must be at most 32768 bytes, not 32769'],
    ['longer words', { command: undefined, words: ['x'.repeat(32_768), ''] }, 'the command must be at most 32768 bytes, not 32769'],
    ['a NUL character in a word', { command: undefined, words: ['a\0b'] }, 'NUL'],
    ['a NUL character in a long word', { command: undefined, words: ['"'.repeat(20_000), '\0'] }, 'NUL'],
    ['an environment that does not fit in addition', { environment: { A: 'x'.repeat(60_000) } }, 'shorten the environment'],
    ['a NUL character in the command', { command: 'a\0b' }, 'NUL'],
    ['a NUL character in the environment', { environment: { A: '\0' } }, 'NUL'],
  ])('fails for %s, and sends nothing', (_, change, message) => {
    expect(() => jobCommand({ ...CALL, ...change })).toThrow(fails(message));
  });
});

describe('a job\'s id', () => {
  test('is the same for the same run, round and name, and differs for any other', () => {
    const ids = [jobId('a', 0, 'lint'), jobId('b', 0, 'lint'), jobId('a', 1, 'lint'), jobId('a', 0, 'lint '), jobId('a0', 0, 'lint')];
    expect(new Set(ids).size).toBe(ids.length);
    expect(jobId('a', 0, 'lint')).toBe(ids[0]);
  });

  test.each([['Run the tests!', /^Run-the-tests-3-[0-9a-f]{12}$/], ['../../etc', /^etc-3-/], ['日本', /^job-3-/], ['x'.repeat(200), /^x{40}-3-/]])('names a folder: %s', (name, pattern) => {
    expect(jobId('run', 3, name)).toMatch(pattern);
  });
});
